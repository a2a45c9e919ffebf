"""A fake Slack that listens, a fresh ledger, and a gateway that moves only when a test says so."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from bot.doors.slack.calls import Calls
from bot.doors.slack.gateway import Gateway, Pace
from bot.sandbox.slack import FakeSlack, routes
from bot.sandbox.slack.state import Message
from bot.stores import database
from bot.stores.ledger import SqlLedger
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import CHANNEL, SECRET, TOKEN, StillTime, Teller, served


@pytest.fixture
def time() -> StillTime:
    return StillTime()


@pytest.fixture
async def slack(time: StillTime) -> AsyncIterator[FakeSlack]:
    """A fresh fake Slack in the tests' own time."""
    fake = FakeSlack(SECRET, TOKEN, "", now=time)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake
        await fake.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and nothing in it, to be copied."""
    file = tmp_path_factory.mktemp("schema") / "aisq.sqlite"
    database.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def engine(tmp_path: Path, empty_database: Path) -> Iterator[Engine]:
    file = shutil.copy(empty_database, tmp_path / "aisq.sqlite")
    made = database.connect(f"sqlite:///{file}")
    yield made
    made.dispose()


@pytest.fixture
def messages(engine: Engine) -> SqlMessages:
    return SqlMessages(engine)


@pytest.fixture
def tell(engine: Engine, time: StillTime) -> Teller:
    return Teller(SqlLedger(engine, time), time)


@pytest.fixture
async def calls(slack: FakeSlack) -> AsyncIterator[Calls]:
    made = Calls(TOKEN, f"{slack.base_url}/api/")
    made.open()
    yield made
    await made.close()


@pytest.fixture
def gateway(calls: Calls, messages: SqlMessages, time: StillTime) -> Gateway:
    return Gateway(calls, messages, time, time, Pace())


@pytest.fixture
def another_gateway(calls: Calls, messages: SqlMessages, time: StillTime) -> Callable[[], Gateway]:
    """A gateway of another process, or of the next life of this one."""
    return lambda: Gateway(calls, messages, time, time, Pace())


@pytest.fixture
def channel(slack: FakeSlack) -> Callable[[], list[Message]]:
    """The messages of ai-square's channel."""
    return lambda: slack.workspace.in_channel(CHANNEL)
