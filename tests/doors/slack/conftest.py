"""A fake Slack that listens, a fresh ledger, and a gateway that moves only when a test says so."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette

from bot.core.catalog import Catalog
from bot.core.rules import PolicyFiles
from bot.doors.slack import SlackPeople
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls
from bot.doors.slack.outbound.gateway import Gateway
from bot.doors.slack.outbound.pace import Pace
from bot.sandbox.slack import FakeSlack, routes
from bot.sandbox.slack.state import Message
from bot.settings import HERE
from bot.stores import database
from bot.stores.catalog_files import load_catalog
from bot.stores.ledger import SqlLedger
from bot.stores.messages import SqlMessages
from bot.stores.policy_files import policy_files
from tests.doors.slack.harness import CHANNEL, NOON, SECRET, TEAM, TOKEN, StillTime, Teller, served
from tests.doors.slack.room import Room, room_of
from tests.engine.conftest import BAD, GOOD, Bot, close


@pytest.fixture(autouse=True)
def patient_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are not about a machine with too much to do; how soon the bot answers is measured elsewhere."""
    for module in ("delivery", "link"):
        monkeypatch.setattr(f"bot.sandbox.slack.{module}.ACK_DEADLINE_S", 30.0)


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


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = database.connect(url)
    yield made
    made.dispose()


@pytest.fixture
def messages(engine: Engine) -> SqlMessages:
    return SqlMessages(engine)


@pytest.fixture
def tell(engine: Engine, time: StillTime) -> Teller:
    return Teller(SqlLedger(engine, time), time)


@pytest.fixture
def budgets(time: StillTime) -> Budgets:
    return Budgets(time.monotonic, lambda: 1.0)


@pytest.fixture
async def calls(slack: FakeSlack, budgets: Budgets) -> AsyncIterator[Calls]:
    made = Calls(TOKEN, f"{slack.base_url}/api/", budgets)
    made.open()
    yield made
    await made.close()


@pytest.fixture
def gateway(another_gateway: Callable[[], Gateway]) -> Gateway:
    return another_gateway()


@pytest.fixture
def another_gateway(calls: Calls, messages: SqlMessages, time: StillTime, budgets: Budgets) -> Callable[[], Gateway]:
    """A gateway of another process, or of the next life of this one."""
    return lambda: Gateway(calls, messages, time, time, Pace(), budgets)


@pytest.fixture
def channel(slack: FakeSlack) -> Callable[[], list[Message]]:
    """The messages of ai-square's channel, without what stands in threads."""
    return lambda: [message for message in slack.workspace.in_channel(CHANNEL) if not message.thread_ts]


@pytest.fixture
def thread(slack: FakeSlack) -> Callable[..., list[Message]]:
    """What stands in threads there: in all, or in that of one message."""

    def replies(of: Message | None = None) -> list[Message]:
        said = [message for message in slack.workspace.in_channel(CHANNEL) if message.thread_ts]
        return [message for message in said if of is None or message.thread_ts == of.ts]

    return replies


# --- the whole bot


@pytest.fixture(scope="session")
def shipped() -> tuple[Catalog, PolicyFiles]:
    return load_catalog(HERE / "catalog"), policy_files(HERE / "policies")


@pytest.fixture
async def live_slack() -> AsyncIterator[FakeSlack]:
    """A fake Slack in real time, because the door checks signatures by that."""
    fake = FakeSlack(SECRET, TOKEN, "", has_budgets=False)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake
        await fake.close()


@pytest.fixture
def bot(
    live_slack: FakeSlack, time: StillTime, tmp_path: Path, url: str, shipped: tuple[Catalog, PolicyFiles]
) -> Iterator[Bot]:
    """The engine on a platform of the tests, where a bad release took all traffic ten minutes ago.

    People are Slack's own, remembered for five minutes of `time`.
    """
    made = Bot(tmp_path, url, *shipped)
    made.people._sources["slack"] = SlackPeople(TOKEN, f"{live_slack.base_url}/api/", TEAM, [], time.monotonic)
    made.platform.serve(GOOD, minutes=120, until=NOON - timedelta(minutes=10))
    made.platform.serve(BAD, minutes=10, until=NOON, error_rate=0.1)
    yield made
    close(made)


@pytest.fixture
async def room(bot: Bot, live_slack: FakeSlack) -> AsyncIterator[Room]:
    async with room_of(bot, live_slack) as made:
        yield made
