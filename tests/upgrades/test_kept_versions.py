"""What every released version left behind: today's bot finishes it, once, and says so in the same messages.

One change waited for its approval, and one was half applied: its write was on its way when the bot was killed.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from google.cloud import run_v2

from bot.providers._google import Google
from bot.sandbox.books import Books
from bot.sandbox.postgres import Databases
from bot.sandbox.transcript import lines
from bot.stores import database
from tests.upgrades.deployment import GOOD, RATE, Deployment
from tests.upgrades.keep import version
from tests.upgrades.kept import HALF, VERSIONS, WAITING, Kept

STORY = ["asked", "waiting", "approved", "queued", "running", "writing", "written", "applied", "judged"]
LEAD = timedelta(seconds=RATE)  # a real second: time to deploy the bad releases again
STAMP = "aisq.dev/effect"
KINDS = ("sqlite", "postgres")


def cases() -> Iterator[Any]:
    """Every version, on either database, with the write in the cloud and without."""
    for one in product(VERSIONS, KINDS, ("has arrived", "was lost")):
        in_every_run = one == (VERSIONS[-1], "sqlite", "has arrived")
        yield pytest.param(*one, marks=() if in_every_run else pytest.mark.slow)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty PostgreSQL database; nothing for the SQLite of a deployment's own."""
    if kind == "sqlite":
        yield ""
        return
    databases: Databases = request.getfixturevalue("databases")
    name = f"kept_{tmp_path.name}"
    yield databases.create(name)
    databases.drop(name)


@pytest.fixture
def here(released: str, kind: str, url: str, tmp_path: Path) -> Iterator[tuple[Deployment, Kept]]:
    """The world as the killed bot left it, but for the write, and today's bot, not started."""
    kept = Kept(released, kind)
    with Deployment(tmp_path, url=url, now=kept.left_at - LEAD) as made:
        for service in GOOD:
            made.deploy_bad(service)
        kept.messages_again(made)
        kept.load(made.database)
        made.until(lambda: made.now() > kept.left_at)
        yield made, kept


def test_this_version_is_kept() -> None:
    assert version() in VERSIONS, "a release keeps what it leaves behind: python -m tests.upgrades.keep"


@pytest.mark.parametrize("released", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_it_left_is_whole_and_is_upgraded(released: str, kind: str, url: str, tmp_path: Path) -> None:
    there = url or f"sqlite:///{tmp_path / 'aisq.sqlite'}"
    Kept(released, kind).load(there)
    assert database.upgrade(there) == database.wanted()
    books = Books(there)
    assert sorted(state for _, state, _ in books.changes()) == ["running", "waiting"]
    assert books.is_chain_whole() and len(books.running()) == 1


@pytest.mark.parametrize("released, kind, write", list(cases()))
def test_todays_bot_finishes_it(here: tuple[Deployment, Kept], write: str) -> None:
    bot, kept = here
    if write == "has arrived":
        kept.write_again(Google(bot.town.grpc).client(run_v2.ServicesClient))
    bot.upgrade()
    bot.bot.start()
    bot.bot.wait_ready()
    bot.approve(bot.plan_of(WAITING))
    bot.until(lambda: bot.books.is_quiet() and "waiting" not in states(bot).values())
    assert states(bot) == {f"rollback {HALF}": "applied", f"rollback {WAITING}": "applied"}
    for service, good in GOOD.items():
        assert bot.serving(service) == {good: 100}
        assert [call["annotations"][STAMP] for call in bot.updates(service) if call["committed"]] == keys(bot, service)
    assert keys(bot, HALF) == [kept.write["annotations"][STAMP]]
    nothing_is_left(bot)


def states(bot: Deployment) -> dict[str, str]:
    """By what was asked."""
    asked = (
        "select operation || ' ' || replace(target, 'ai-square/prod/', ''), state from operations where verb = 'plan'"
    )
    return dict(bot.books.ours(asked))


def keys(bot: Deployment, service: str) -> list[str]:
    """Of the writes that succeeded, as our rows have them."""
    written = (
        "select key from effects join operations on operations.id = effects.operation"
        " where ending = 'succeeded' and target = :target"
    )
    return [key for (key,) in bot.books.ours(written, target=f"ai-square/prod/{service}")]


def nothing_is_left(bot: Deployment) -> None:
    """No mutex, nothing running, a whole chain that tells each story once, and one message each that says the end."""
    books = bot.books
    assert books.ours("select 1 from mutexes where holder is not null") == []
    assert books.running() == []
    assert books.is_chain_whole()
    assert len(books.ours("select 1 from effects")) == len(GOOD)
    for id, _, _ in books.changes():
        assert [
            event for (event,) in books.ours("select event from audit where operation = :id order by seq", id=id)
        ] == STORY
        (shown,) = bot.messages(id)
        assert "Done: " in " ".join(lines(shown))
    assert len(bot.messages()) == len(GOOD)
