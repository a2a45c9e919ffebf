"""Between Slack's request and its answer: every way to fail, and the sentence that a person gets."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bot.core.errors import Busy, Denied, StoreError, UserError
from bot.core.request import Ask
from bot.core.system import Accepted
from bot.doors.slack.guard import Refusals
from bot.doors.slack.listeners import BUG, BUSY, FOREIGN, UNSURE, Listeners
from tests.doors.slack.harness import TEAM
from tests.doors.slack.test_slack_inbound import CLICK, COMMAND

GOOD = Accepted(id="7k3qabcdef", verb="plan", new=True)


class Front:
    """Takes requests as the engine's front does, and does what the test says."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.then: Callable[[], Accepted] = lambda: GOOD
        self._pool = ThreadPoolExecutor(1)

    def submit(self, ask: Ask) -> Accepted:
        self.asks.append(ask)
        return self.then()

    async def quickly(self, call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *args)

    def stop(self) -> None:
        self._pool.shutdown()


class Slack:
    """Keeps what the listeners answer, and what they show on another way."""

    def __init__(self) -> None:
        self.acks: list[dict[str, Any]] = []
        self.told: list[tuple[dict[str, str], str]] = []

    async def ack(self, **body: Any) -> None:
        self.acks.append(body)

    def tell(self, place: dict[str, str], card: Any) -> None:
        self.told.append((place, card.text))


class Quiet:
    """Forms and Homes that nobody asks for here."""


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    yield made
    made.stop()


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def listeners(front: Any, slack: Slack, refusals: Refusals) -> Listeners:
    return Listeners(front, Quiet(), Quiet(), TEAM, refusals, slack.tell, limit_s=0.2)  # type: ignore[arg-type]


def raising(error: Exception) -> Callable[[], Accepted]:
    def fails() -> Accepted:
        raise error

    return fails


async def test_what_was_written_down_is_acknowledged_with_nothing(
    listeners: Listeners, front: Front, slack: Slack
) -> None:
    await listeners.command(slack.ack, COMMAND, "v0=abc")
    assert slack.acks == [{}]
    assert [(ask.text, ask.signature) for ask in front.asks] == [("rollback backend", "v0=abc")]


async def test_what_was_heard_before_is_acknowledged_the_same_way(
    listeners: Listeners, front: Front, slack: Slack
) -> None:
    front.then = lambda: Accepted(id="7k3qabcdef", verb="plan", new=False)
    await listeners.command(slack.ack, COMMAND, "v0=abc")
    assert slack.acks == [{}]


SENTENCES = {
    "a wrong word": (
        UserError("I don't know `rolback`. Did you mean `rollback`?", choices=("rollback",)),
        "I don't know `rolback`. Did you mean `rollback`?",
    ),
    "a refusal": (
        Denied("Developers do not roll back in prod", policy="x", remedy="needs the role sre-oncall"),
        "Developers do not roll back in prod It needs the role sre-oncall.",
    ),
    "a refusal without a way out": (Denied("you were deactivated"), "you were deactivated"),
    "a database that is away": (
        StoreError("The disk with aisq's database is full; free some space, nothing else is needed."),
        "aisq could not write your request down; nothing was done that `ops` does not show."
        " The disk with aisq's database is full; free some space, nothing else is needed.",
    ),
    "too much at once": (Busy("more was asked at once than could be begun in time"), BUSY),
    "a bug": (ZeroDivisionError("division by zero"), BUG),
    "foreign words": (
        UserError("I don't know `<!here> & co`."),
        "I don't know `&lt;!here&gt; &amp; co`.",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
async def test_a_command_that_fails_is_answered_at_once_to_the_asker_alone(
    name: str, listeners: Listeners, front: Front, slack: Slack
) -> None:
    error, sentence = SENTENCES[name]
    front.then = raising(error)
    await listeners.command(slack.ack, COMMAND, "v0=abc")
    (ack,) = slack.acks
    assert (ack["text"], ack["response_type"]) == (sentence, "ephemeral")
    assert ack["blocks"]
    assert slack.told == []


@pytest.mark.parametrize("name", SENTENCES)
async def test_a_click_that_fails_is_answered_on_another_way(
    name: str, listeners: Listeners, front: Front, slack: Slack
) -> None:
    error, sentence = SENTENCES[name]
    front.then = raising(error)
    await listeners.click(slack.ack, CLICK, "v0=abc")
    assert slack.acks == [{}]
    place = {
        "channel": "C0AISQ", "user": "U0BEN", "team": TEAM, "thread_ts": "",
        "response_url": "https://hooks.slack.com/y",
    }  # fmt: skip
    assert slack.told == [(place, sentence)]


async def test_a_bug_is_logged_and_its_traceback_stays_there(
    listeners: Listeners, front: Front, slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    front.then = raising(ZeroDivisionError("division by zero"))
    with caplog.at_level(logging.ERROR):
        await listeners.command(slack.ack, COMMAND, "v0=abc")
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" not in str(slack.acks) and "ZeroDivision" not in str(slack.acks)


async def test_nobody_waits_longer_than_slack_does(listeners: Listeners, front: Front, slack: Slack) -> None:
    written = threading.Event()

    def slowly() -> Accepted:
        assert written.wait(5)
        return GOOD

    front.then = slowly
    await listeners.command(slack.ack, COMMAND, "v0=abc")
    written.set()
    assert slack.acks[0]["text"] == UNSURE, "it may have been written down: nobody says that it was not"


@pytest.mark.parametrize("body", [{}, {"text": "status"}, {"channel_id": None}])
async def test_a_signed_command_that_lacks_fields_is_a_bug_not_a_crash(
    body: dict[str, Any], listeners: Listeners, front: Front, slack: Slack
) -> None:
    await listeners.command(slack.ack, {"team_id": TEAM, **body}, "v0=abc")
    assert (slack.acks[0]["text"], front.asks) == (BUG, [])


class TestForeign:
    async def test_command(self, listeners: Listeners, front: Front, slack: Slack, refusals: Refusals) -> None:
        await listeners.command(slack.ack, {**COMMAND, "team_id": "T0OTHER"}, "v0=abc")
        assert (slack.acks[0]["text"], front.asks) == (FOREIGN, [])
        assert refusals == {"another workspace": 1}

    async def test_click(self, listeners: Listeners, front: Front, slack: Slack, refusals: Refusals) -> None:
        await listeners.click(slack.ack, {**CLICK, "user": {"id": "U0FOX", "team_id": "T0OTHER"}}, "v0=abc")
        assert [text for _, text in slack.told] == [FOREIGN]
        assert (front.asks, refusals) == ([], {"another workspace": 1})
