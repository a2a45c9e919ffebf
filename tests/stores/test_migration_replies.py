"""Coming from a schema without replies: what ended then gets none, or every thread of two days would be answered."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from bot.stores import database
from bot.stores.ledger import SqlLedger
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import NOON, StillTime, Teller

SHOWN = {"channel": "C0AISQ", "ts": "1790000000.000100"}


@pytest.fixture(params=["sqlite", "new_postgres"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database with the schema before."""
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    if request.param != "sqlite":
        url = str(request.getfixturevalue(request.param))
    engine = database.connect(url)
    migrate(engine, "0002")
    yield engine
    engine.dispose()


def migrate(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = database._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_what_ended_before_gets_no_replies_and_what_is_open_does(older: Engine) -> None:
    tell, messages = Teller(SqlLedger(older, StillTime()), StillTime()), SqlMessages(older)
    ended, waits, runs, never_shown = (tell.waiting() for _ in range(4))
    tell.ledger.end(ended, "denied", "no", "slack:U0BEN")
    tell.approve(runs)
    tell.run(runs)
    for id in (ended, waits, runs):
        messages.showing(id, 1, SHOWN)
    migrate(older, "head")
    since = NOON - timedelta(days=2)
    for kind in ("details", "file"):
        found = {one.record.id for one in messages.replies("slack", kind, since=since)}
        assert found == {waits, runs}
    messages.showing(never_shown, 1, SHOWN)
    assert never_shown in {one.record.id for one in messages.replies("slack", "details", since=since)}
    with older.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM replies")).scalar() == 2
