"""Our own database held, full or under a wrong clock, at every write of an apply: a stated outcome, one write."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, event

from bot.core.errors import Away, StoreError
from bot.core.request import OPEN, Address, Ask
from bot.engine import workflow
from bot.stores import database, repeat
from tests.engine.conftest import ANA, BAD, BEN, GOOD, Bot

WRITES = 7  # transactions of one apply: claim, begin, intend, issued, settle, look, finish
HELD = "Another process holds aisq's database; end it, or wait and ask again."
FULL = "The disk with aisq's database is full; free some space, nothing else is needed."


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite waits 20 ms only, and nobody waits between tries."""
    monkeypatch.setattr(database, "BUSY_MS", 20)
    monkeypatch.setattr(database, "HURRIED_MS", 20)
    monkeypatch.setattr(repeat, "_wait", lambda _: None)


class Writes:
    """Calls something before the n-th transaction that writes, counted from 1."""

    def __init__(self, bot: Bot) -> None:
        self.count, self.before = 0, dict[int, Callable[[], None]]()
        event.remove(bot._engine, "begin", database._sqlite_begin)
        event.listen(bot._engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        if "sqlite_begin" not in connection.get_execution_options():
            self.count += 1
            self.before.get(self.count, lambda: None)()
        database._sqlite_begin(connection)


def whole(bot: Bot, operation: str) -> None:
    """It was applied, once, and the chain says so."""
    record = bot.ledger.operation(operation)
    assert (record.state, bot.platform.writes) == ("applied", [f"{operation}/0/do"])
    assert bot.platform.serving == {GOOD: 100}
    assert [one.ending for one in bot.ledger.effects(operation)] == ["succeeded"]
    told = [one.event for one in reversed(bot.audit.entries(operation=operation, limit=100))]
    assert told == ["asked", "waiting", "approved", "queued", "running", "writing", "written", "applied", "locked"]
    assert bot.audit.verify().problem == ""


def test_an_apply_has_as_many_writes_as_these_tests_try(bot: Bot) -> None:
    operation = bot.approved()
    writes = Writes(bot)
    bot.work(operation)
    assert writes.count == WRITES
    whole(bot, operation)


# --- held by another process


@pytest.fixture
def holder(bot: Bot) -> Iterator[sqlite3.Connection]:
    """Somebody else with the file open."""
    made = sqlite3.connect(bot._engine.url.database, isolation_level=None, check_same_thread=False)
    yield made
    made.close()


@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_held_for_a_while_during_apply(
    bot: Bot, holder: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    operation = bot.approved()
    writes, waits = Writes(bot), list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holder.execute("ROLLBACK")

    monkeypatch.setattr(repeat, "_wait", wait)
    writes.before[nth] = lambda: holder.execute("BEGIN EXCLUSIVE")
    bot.work(operation)
    assert waits == list(repeat.DELAYS_S[:3])
    whole(bot, operation)


@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_held_for_so_long_that_apply_gives_up(bot: Bot, holder: sqlite3.Connection, nth: int) -> None:
    operation = bot.approved()
    Writes(bot).before[nth] = lambda: holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=HELD):
        bot.work(operation)
    still_due(bot, operation)
    holder.execute("ROLLBACK")
    bot.work(operation)
    whole(bot, operation)


def still_due(bot: Bot, operation: str) -> None:
    """Nobody was told anything untrue, and the sweep will run it again."""
    assert bot.ledger.operation(operation).state in ("queued", "running")
    assert [due for due, _ in bot.ledger.due()] == [operation]


def test_while_it_is_held_people_can_look(bot: Bot, holder: sqlite3.Connection) -> None:
    operation = bot.approved()
    holder.execute("BEGIN EXCLUSIVE")
    assert bot.ledger.operation(operation).state == "queued"
    assert bot.audit.verify().problem == ""
    bot.check()
    with pytest.raises(StoreError, match=HELD):
        bot.ask(ANA, "status backend", heard_as="one")
    holder.execute("ROLLBACK")
    assert bot.heard("one") is None
    assert bot.say(ANA, "status backend", heard_as="one").state == "answered"


# --- the disk is full


class Disk:
    """Has room, or not a page more than what is on it."""

    def __init__(self, bot: Bot) -> None:
        self._full = False
        bot._engine.dispose()
        _crowd(str(bot._engine.url.database))
        event.listen(bot._engine, "checkout", self._limit)

    def fill(self) -> None:
        self._full = True

    def free(self) -> None:
        self._full = False

    def _limit(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if self._full else 1_000_000}")


def _crowd(file: str) -> None:
    """The smallest pages, all of them used, so that almost every write needs another one."""
    with sqlite3.connect(file, isolation_level=None) as small:
        for statement in ("journal_mode=DELETE", "page_size=512"):
            small.execute(f"PRAGMA {statement}")
        small.execute("VACUUM")
    small.close()


@pytest.mark.parametrize("nth", range(1, WRITES + 1))
def test_full_during_apply_then_room_again(bot: Bot, nth: int) -> None:
    operation, disk = bot.approved(), Disk(bot)
    writes = Writes(bot)
    writes.before[nth - 1] = disk.fill  # is in force from the next connection's checkout on
    if nth == 1:
        disk.fill()
    with pytest.raises(StoreError, match=FULL):
        bot.work(operation)
    still_due(bot, operation)
    disk.free()
    bot.work(operation)
    whole(bot, operation)


def test_a_full_disk_refuses_requests_and_leaves_looking_possible(bot: Bot) -> None:
    operation, disk = bot.approved(), Disk(bot)
    disk.fill()
    with pytest.raises(StoreError, match=FULL):
        bot.ask(ANA, "rollback backend", heard_as="one")
    assert bot.ledger.operation(operation).state == "queued"
    assert bot.audit.verify().problem == ""
    disk.free()
    assert bot.heard("one") is None


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_with_the_durable_library_the_sweep_finishes_it(bot: Bot) -> None:
    operation, disk = bot.approved(), Disk(bot)
    bot.platform.after.append(disk.fill)  # the cloud has it, and we cannot write that down
    worker = bot.worker()
    worker.start()
    try:
        until(lambda: len(workflow.DBOS.list_workflows(workflow_id_prefix=f"{operation}/")) > 1)  # run again in vain
        assert bot.ledger.operation(operation).state == "running"
        disk.free()
        until(lambda: bot.ledger.operation(operation).state == "applied")
    finally:
        worker.stop(2)
    whole(bot, operation)


# --- a wrong clock

HOUR = timedelta(hours=1)


@pytest.fixture
def put(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Puts the clock forward or back; what counts seconds goes on as before, as the system's does."""
    wrong = [timedelta()]

    def now() -> datetime:
        return bot.clock.instant + wrong[0]

    monkeypatch.setattr(bot.clock, "now", now)
    return lambda by: wrong.__setitem__(0, by)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_put_between_approval_and_apply(bot: Bot, put: Callable[[timedelta], None], by: timedelta) -> None:
    operation = bot.approved()
    put(by)
    assert bot.ledger.expire() == 0  # what was approved waits for nobody
    bot.work(operation)
    whole(bot, operation)
    put(timedelta())
    bot.work(operation)
    whole(bot, operation)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_put_in_the_midst_of_the_write(bot: Bot, put: Callable[[timedelta], None], by: timedelta) -> None:
    operation = bot.approved()
    bot.platform.after.append(lambda: put(by))
    bot.work(operation)
    whole(bot, operation)


def test_put_forward_what_waits_expires_and_stays_so(bot: Bot, put: Callable[[timedelta], None]) -> None:
    waits = bot.say(ANA, "rollback backend").id
    put(HOUR)
    answer = bot.say(BEN, f"approve {waits}")
    assert (answer.state, answer.detail) == ("denied", "its time to be approved has passed; ask for it again")
    assert bot.ledger.expire() == 1
    put(timedelta())
    assert bot.ledger.operation(waits).state == "expired"
    assert bot.say(BEN, f"approve {waits}").state in ("denied", "rejected")
    assert (bot.ledger.due(), bot.platform.writes) == ((), [])


def test_put_back_what_waits_can_still_be_approved_once(bot: Bot, put: Callable[[timedelta], None]) -> None:
    waits = bot.say(ANA, "rollback backend").id
    put(-HOUR)
    assert bot.ledger.expire() == 0
    bot.say(BEN, f"approve {waits}")
    bot.say(BEN, f"approve {waits}")
    bot.work(waits)
    whole(bot, waits)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_leases_do_not_go_by_it(bot: Bot, put: Callable[[timedelta], None], by: timedelta) -> None:
    bot.leases.acquire("me", "here")
    put(by)
    assert bot.leases.alive() == {"me"}
    assert bot.leases.renew("me")
    put(-by)
    assert bot.leases.alive() == {"me"}


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_nothing_is_planned_twice_or_never(bot: Bot, put: Callable[[timedelta], None], by: timedelta) -> None:
    """Put back, the sweep only waits longer with what nobody planned."""
    place = Address(door="test")
    asked = Ask(actor=ANA, text="rollback backend", address=place, heard_as="one", channel="C0AISQ")
    lost = bot.front._acceptor.accept(asked).id
    put(by)
    assert bot.ledger.accepted(older_than_s=2) == ((lost,) if by > timedelta() else ())
    put(timedelta())
    bot.clock.advance(3)
    assert bot.ledger.accepted(older_than_s=2) == (lost,)
    assert bot.engine.proceed(lost).state == "waiting"
    assert bot.ledger.operation(lost).state in OPEN
    assert bot.platform.serving == {BAD: 100}


# --- gone, and somebody waits


@pytest.mark.parametrize("text", ["status backend", "rollback backend", "approve {0}", "ops cancel {0}", "ops list"])
def test_whoever_waits_is_told_soon(bot: Bot, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Whatever is read before the acknowledgement: pins, the operation that is meant."""
    waiting, waits = bot.say(ANA, "rollback backend").id, list[float]()
    monkeypatch.setattr(repeat, "_wait", waits.append)

    def gone(*_: object) -> None:
        raise sqlite3.OperationalError("unable to open database file")

    bot._engine.dispose()
    event.listen(bot._engine, "do_connect", gone)
    with pytest.raises(Away, match="unable to open"):
        bot.ask(BEN, text.format(waiting))
    assert waits == list(repeat.SOON_S)
    event.remove(bot._engine, "do_connect", gone)
    assert bot.engine._ledger.operation(waiting).state == "waiting"
