"""The clock of the bot's machine is put forward or back, and right again: no lease goes by it, all is done once."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.sandbox import crash_town
from bot.sandbox.crash_town import RATE, Town
from bot.sandbox.postgres import Databases
from bot.sandbox.replica import Replica
from bot.sandbox.wrong_clock import WrongClock
from tests.faults.outage import Outage, outage_in

HOUR_S = 3600.0  # of the machine: in a town that is twelve days
TOWNS_HOUR_S = HOUR_S / RATE  # three leases long
LEASE_S = 4.0  # AISQ_LEASE_S of a town


@pytest.fixture
def clock(tmp_path: Path) -> WrongClock:
    return WrongClock(tmp_path / "clock")


def on_it(town: Town, clock: WrongClock) -> Replica:
    """A bot whose machine has that clock."""
    return Replica(town.settings, town.folder / "wrong.log", clock.start)


def wrong(outage: Outage) -> list[str]:
    """But for how the errors moved, which is told of the minutes that the wrong clock shows."""
    told_of_errors = ("judged: ", "its message lacks ['Done: ']: ⚠️ Done, but look: ")
    return [one for one in outage.wrong() if not one.startswith(told_of_errors)]


@pytest.fixture
def outage(town: Town, clock: WrongClock) -> Iterator[Outage]:
    with ExitStack() as stack:
        bot = on_it(town, clock)
        stack.callback(bot.close)
        yield stack.enter_context(outage_in(town, bot))


@pytest.mark.slow
@pytest.mark.parametrize("by_s", [TOWNS_HOUR_S, -TOWNS_HOUR_S])
@pytest.mark.parametrize(
    "when", [Outage.planning, Outage.waiting_for_approval, Outage.applying], ids=lambda one: one.__name__
)
def test_an_hour_that_people_see(
    outage: Outage, clock: WrongClock, when: Callable[[Outage], None], by_s: float
) -> None:
    when(outage)
    clock.put(by_s)
    if when is not Outage.applying:
        outage.approve_it()
    outage.until(lambda: [state for _, state, _ in outage.books.changes()] == ["applied"])
    clock.put(0.0)
    assert wrong(outage) == []
    assert outage.platform.ends == []


def test_put_forward_for_longer_than_a_plan_waits(outage: Outage, clock: WrongClock) -> None:
    """It has expired, stays so, and says so; Slack's requests are refused while they seem to be an hour old."""
    outage.waiting_for_approval()
    clock.put(HOUR_S)
    outage.until(lambda: [state for _, state, _ in outage.books.changes()] == ["expired"])
    assert outage.hears("status backend") == '/aisq failed with the error "dispatch_failed".'
    assert outage.health("/healthz").status_code == 200
    ready = outage.health("/readyz").json()
    assert (ready["ready"], ready["refused"]) == (True, {"timestamp": 1})
    clock.put(0.0)
    assert outage.hears("status backend") == ""
    outage.until(outage.books.is_quiet)
    assert [state for _, state, _ in outage.books.changes()] == ["expired"]
    outage.forget()
    outage.applying()
    outage.until(outage.books.is_quiet)
    assert [state for _, state, _ in outage.books.changes()] == ["expired", "applied"]
    assert [call["committed"] for call in outage.updates()] == [True]
    assert outage.books.is_chain_whole()
    assert outage.platform.ends == []


@pytest.mark.slow
def test_put_back_for_as_long(outage: Outage, clock: WrongClock) -> None:
    outage.waiting_for_approval()
    clock.put(-HOUR_S)
    time.sleep(LEASE_S)
    clock.put(0.0)
    outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == []


@pytest.mark.slow
@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
def test_of_one_replica_alone(databases: Databases, clock: WrongClock, by_s: float) -> None:
    """Neither loses its lease, and neither takes over from the other: leases go by the database's clock."""
    with crash_town.town(databases) as town, ExitStack() as stack:
        bot, other = on_it(town, clock), town.bots[1]
        stack.callback(bot.close)
        outage = stack.enter_context(outage_in(town, bot))
        stack.callback(other.kill)
        other.start()
        other.wait_ready()
        outage.applying()
        clock.put(by_s)
        time.sleep(2 * LEASE_S)
        assert outage.books.ours("select count(*) from leases") == [(2,)]
        clock.put(0.0)
        assert wrong(outage) == []
        assert (outage.platform.ends, other.exit_code()) == ([], None)
        assert "took over" not in bot.log_end() + other.log_end()
