"""Who is at a message: one process at a time, whatever clocks say, and whoever stood still."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.core.system import Shown
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.shelf import Shelf, name
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import CHANNEL, NOON, StillTime, Teller, record

TAKEOVER_S = 12.0
THERE = {"channel": CHANNEL, "ts": "1790000000.000100"}


@pytest.fixture
def shelf_of(messages: SqlMessages, time: StillTime) -> Callable[..., Shelf]:
    """A process's, with a clock that may be wrong by some seconds."""

    def made(ahead_s: float = 0.0) -> Shelf:
        class Clock(StillTime):
            def now(self) -> datetime:
                return time.now() + timedelta(seconds=ahead_s)

        return Shelf(messages, Pauses(time.monotonic), Clock())

    return made


@pytest.fixture
def one(tell: Teller, messages: SqlMessages) -> Callable[[], Shown]:
    """The one change that is behind, as it stands."""
    tell.waiting()

    def read() -> Shown:
        (found,) = messages.behind("slack", since=NOON - timedelta(days=1))
        return found

    return read


def test_names() -> None:
    assert [name(Shown(record=record(), kind=kind)) for kind in ("", "details")] == ["7k3qabcdef", "7k3qabcdef details"]


async def test_what_this_process_began_is_its_own_to_repeat(
    shelf_of: Callable[..., Shelf], one: Callable[[], Shown], time: StillTime
) -> None:
    shelf = shelf_of()
    begun = await shelf.begin(one(), {"channel": CHANNEL}, TAKEOVER_S)
    assert begun is not None
    assert (begun.place, begun.tried_at) == ({"channel": CHANNEL, "since": str(time())}, time.now())
    time.advance(1)
    again = await shelf.begin(one(), {"channel": CHANNEL}, TAKEOVER_S)
    assert again is not None and again.place["since"] == str(time() - 1), "it may have arrived since then"


@pytest.mark.parametrize("ahead_s", [0.0, 5.0, -5.0])
async def test_what_another_one_began_is_left_to_it_for_a_while(
    ahead_s: float, shelf_of: Callable[..., Shelf], one: Callable[[], Shown], time: StillTime
) -> None:
    await shelf_of(ahead_s).begin(one(), {"channel": CHANNEL}, TAKEOVER_S)
    other = shelf_of()
    assert other.is_anothers(one(), TAKEOVER_S)
    assert await other.begin(one(), {"channel": CHANNEL}, TAKEOVER_S) is None
    time.advance(TAKEOVER_S + ahead_s)
    assert not other.is_anothers(one(), TAKEOVER_S)
    assert await other.begin(one(), {"channel": CHANNEL}, TAKEOVER_S)


@pytest.mark.parametrize("ahead_s", [3600.0, -3600.0])
async def test_for_a_clock_that_is_an_hour_wrong_nobody_waits(
    ahead_s: float, shelf_of: Callable[..., Shelf], one: Callable[[], Shown]
) -> None:
    await shelf_of(ahead_s).begin(one(), {"channel": CHANNEL}, TAKEOVER_S)
    assert await shelf_of().begin(one(), {"channel": CHANNEL}, TAKEOVER_S)


async def test_who_stood_still_meanwhile_does_not_begin(
    shelf_of: Callable[..., Shelf],
    messages: SqlMessages,
    one: Callable[[], Shown],
    time: StillTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf, trying = shelf_of(), messages.trying

    def slowly(*given: object) -> bool:
        noted = trying(*given)  # type: ignore[arg-type]
        time.advance(20)
        return noted

    with monkeypatch.context() as patched:
        patched.setattr(messages, "trying", slowly)
        assert await shelf.begin(one(), {"channel": CHANNEL}, TAKEOVER_S) is None
    assert await shelf.begin(one(), {"channel": CHANNEL}, TAKEOVER_S), "it may try again"


async def test_what_is_there_needs_no_instant_since_when_it_may_be(
    shelf_of: Callable[..., Shelf], one: Callable[[], Shown]
) -> None:
    shelf = shelf_of()
    noted = await shelf.note(one(), 1, THERE)
    assert (noted.place, noted.revision, noted.tried_at) == (THERE, 1, None)
    begun = await shelf.begin(one(), THERE, TAKEOVER_S)
    assert begun is not None and begun.place == THERE
    await shelf.drop(one())
    assert (one().place, one().tried_at) == ({}, None)
