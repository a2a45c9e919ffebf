"""Another process holds our SQLite file, for a moment or for longer than anything waits: people hear it, and the bot
goes on once it is free."""

import sqlite3
import time
from collections.abc import Callable

import pytest
from sqlalchemy import make_url

from bot.doors.slack.listeners import UNWRITTEN
from bot.sandbox.crash_town import Town
from tests.faults.outage import Outage, plain

HELD = "Another process holds aisq's database; end it, or wait and ask again."
TOLD = UNWRITTEN.format(HELD)
LONG_S = 11.0  # longer than SQLite waits, and than a lease lasts


class Held:
    """In here this process holds the file, for so many seconds at least. The bot is another process."""

    def __init__(self, file: str, seconds: float = 0.0) -> None:
        self._file, self._seconds = file, seconds

    def __enter__(self) -> None:
        self._held = sqlite3.connect(self._file, isolation_level=None, timeout=60)
        self._held.execute("BEGIN EXCLUSIVE")
        self._until = time.monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        time.sleep(max(0.0, self._until - time.monotonic()))
        self._held.execute("ROLLBACK")
        self._held.close()


def file_of(town: Town) -> str:
    return str(make_url(town.database).database)


def all_hear_it(outage: Outage) -> None:
    for text in ("status backend", "rollback backend", "ops list"):
        assert outage.is_told(text) == TOLD
    assert outage.health("/healthz").status_code == 200


at_each_moment = pytest.mark.parametrize(
    "when",
    [
        Outage.applying,
        *(pytest.param(one, marks=pytest.mark.slow) for one in (Outage.planning, Outage.waiting_for_approval)),
    ],
    ids=lambda one: one.__name__,
)


@at_each_moment
def test_held_for_longer_than_anything_waits(outage: Outage, town: Town, when: Callable[[Outage], None]) -> None:
    """Nobody can take over from the one worker of a file, so it need not end."""
    when(outage)
    with Held(file_of(town), LONG_S):
        all_hear_it(outage)
        if card := outage.waiting():
            assert outage.clicker_hears(card) == plain(TOLD)
        ran = town.aisq("rollback", "backend", "--as", "U0ANA")
        assert (ran.returncode, ran.stdout, ran.stderr.split()) == (5, "", HELD.split())
    if when is not Outage.applying:
        outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", "-progress"])
@pytest.mark.parametrize(
    "when", [Outage.planning, Outage.waiting_for_approval, Outage.applying], ids=lambda one: one.__name__
)
def test_held_for_two_seconds(outage: Outage, town: Town, when: Callable[[Outage], None], suffix: str) -> None:
    """Ours, or the durable library's beside it."""
    when(outage)
    with Held(file_of(town).replace(".sqlite", f"{suffix}.sqlite"), 2):
        pass
    if when is not Outage.applying:
        outage.approve_it()
    assert outage.wrong() == ()
    assert outage.platform.ends == []


@pytest.mark.slow
def test_held_when_it_begins(outage: Outage, town: Town) -> None:
    """It answers at once, says what is the matter, and begins to work once the file is free."""
    outage.waiting_for_approval()
    outage.platform.leave()
    outage.bot.stop()
    with Held(file_of(town)):
        outage.bot.start()
        outage.until(outage.answers)
        all_hear_it(outage)
        ready = outage.health("/readyz")
        assert (ready.status_code, ready.json()["why"]) == (503, HELD)
    outage.approve_it()
    assert outage.wrong() == ()


@pytest.mark.slow
def test_held_during_an_upgrade(town: Town) -> None:
    """It waits as long as anything does, and is one sentence then."""
    town.fresh()
    with Held(file_of(town)):
        ran = town.aisq("db", "upgrade")
    assert (ran.returncode, ran.stdout) == (5, "")
    assert ran.stderr.splitlines() == ["the database does not answer: database is locked"]
    assert town.aisq("db", "upgrade").returncode == 0
