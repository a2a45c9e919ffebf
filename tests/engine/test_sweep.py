"""Making true what our rows say, staying alive, and ending at once when others have taken over."""

import math
import threading
import time

import pytest

from bot.core.errors import Away, StoreError
from bot.engine import sweep
from bot.engine.sweep import Judging, Keeper, Repeating, Sweeper

ANA = "slack:U0ANA"


class Runs:
    def __init__(self, orphans=()):
        self.started, self.orphans = [], list(orphans)

    def start(self, operation, target):
        self.started.append((operation, target))

    def take_over(self, alive):
        self.alive = alive
        return self.orphans if "dead" not in alive else []


class Leases:
    ttl_s = lost_after_s = 9.0

    def __init__(self):
        self.said, self.renewals, self.away = [], [True], ""

    def acquire(self, executor, host):
        if self.away == "acquire":
            raise Away("away")
        self.said.append(f"acquire {executor}")

    def renew(self, executor):
        answer = self.renewals.pop(0) if self.renewals else True
        if isinstance(answer, Exception):
            raise answer
        return answer

    def alive(self):
        return {"me"}

    def release(self, executor):
        if self.away == "release":
            raise Away("away")
        self.said.append(f"release {executor}")


@pytest.fixture
def ended(monkeypatch):
    codes = []
    monkeypatch.setattr(sweep.os, "_exit", codes.append)
    return codes


def test_a_round_starts_what_is_due_expires_and_plans(bot, caplog):
    waits, due = bot.say(ANA, "rollback backend").id, bot.approved()
    left = bot.front._acceptor.accept  # accepted by a process that died before it planned
    from bot.core.request import Address, Ask

    lost = left(Ask(actor=ANA, text="rollback backend", address=Address(door="t"), heard_as="x", channel="C0AISQ")).id
    bot.clock.advance(31 * 60)
    runs, planned = Runs(["orphan"]), []
    Sweeper(bot.ledger, runs, Leases(), "my own", planned.append, patience_s=2.0).round()
    assert runs.alive == {"me", "my own"}
    assert runs.started == [(due, "ai-square/prod/backend")]
    assert bot.ledger.operation(waits).state == "expired"
    assert planned == [lost]
    assert "took over orphan" in caplog.text


def test_a_bug_in_a_judgement_ends_it_and_only_it(bot, monkeypatch, caplog):
    """Else it would be met again twice a second, for ever, before every other judgement."""
    buggy = bot.approved()
    bot.work(buggy)
    bot.platform.somebody_sets({"backend-00042-bad": 100})
    other = bot.approved()
    bot.work(other)
    real = bot.checker.judge
    monkeypatch.setattr(bot.checker, "judge", lambda one: real(one) if one == other else 1 / 0)
    bot.clock.advance(1300)
    Judging(bot.ledger, bot.checker.judge).round()
    record = bot.ledger.operation(buggy)
    assert (record.state, record.judged) == ("applied", "unknown")
    assert record.judgement == "A bug in aisq kept the effect from being judged."
    assert "ZeroDivisionError" in caplog.text
    assert bot.ledger.operation(other).judged == "unknown"
    assert bot.ledger.judging() == ()


def test_judging_goes_on_after_one_that_fails(bot, caplog):
    one, two = bot.approved(), ""
    bot.work(one)
    bot.platform.somebody_sets({"backend-00042-bad": 100})
    two = bot.approved()
    bot.work(two)
    seen = []

    def judge(operation):
        seen.append(operation)
        raise StoreError("away")

    Judging(bot.ledger, judge).round()
    assert sorted(seen) == sorted([one, two])
    assert "was not judged yet: away" in caplog.text


def test_repeating_outlives_bad_rounds_and_can_be_hurried(caplog):
    rounds, third = [], threading.Event()

    def call():
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise StoreError("the database is away")
        if len(rounds) == 2:
            raise ZeroDivisionError
        third.set()

    thread = Repeating("test", 3600.0, call)
    thread.stop()  # not begun yet: nothing to wait for
    thread = Repeating("test", 3600.0, call)
    thread.start()
    while len(rounds) < 3:
        thread.hurry()
    assert third.wait(5)
    thread.stop()
    assert not thread.is_alive()
    assert "the database is away" in caplog.text and "ZeroDivisionError" in caplog.text


def test_the_lease_is_taken_before_work_and_given_back_after(ended):
    leases = Leases()
    keeper = Keeper(leases, "me", "here", lambda: 0.0)
    assert leases.said == []
    keeper.start()
    assert leases.said == ["acquire me"]
    keeper.stop()
    assert (leases.said, ended) == (["acquire me", "release me"], [])


def test_a_lease_that_cannot_be_taken_begins_nothing(ended):
    leases, now = Leases(), [0.0]
    leases.away = "acquire"
    keeper = Keeper(leases, "me", "here", lambda: now[0])
    now[0] = 100.0
    for _ in range(2):
        with pytest.raises(Away):
            keeper.start()
    assert not keeper._beats.is_alive() and not keeper._watch.is_alive()
    leases.away = ""
    keeper.start()
    keeper.watch()
    assert (leases.said, ended, keeper.age_s()) == (["acquire me"], [], 0.0)
    keeper.stop()


def test_a_lease_that_cannot_be_given_back_runs_out_by_itself(ended, caplog):
    leases = Leases()
    keeper = Keeper(leases, "me", "here", lambda: 0.0)
    keeper.start()
    leases.away = "release"
    keeper.stop()
    assert "the lease was not given back, and runs out by itself: away" in caplog.text


def test_a_lost_lease_ends_the_process(ended):
    leases = Leases()
    leases.renewals = [False]
    Keeper(leases, "me", "here", lambda: 0.0).beat()
    assert ended == [sweep.LEASE_LOST]


def test_a_database_that_is_away_ends_it_only_after_the_lease_has_run_out(ended):
    leases, now = Leases(), [0.0]
    leases.renewals = [Away("away"), Away("away"), True]
    keeper = Keeper(leases, "me", "here", lambda: now[0])
    for at, codes in ((8.0, []), (10.0, [sweep.DATABASE_LOST])):
        now[0] = at
        with pytest.raises(Away):
            keeper.beat()
        keeper.watch()
        assert ended == codes
    keeper.beat()
    assert keeper.age_s() == 0.0


def test_a_lease_counts_from_when_it_was_asked_for(ended):
    """Nobody knows when, between the question and its answer, the database's clock was read."""

    class Slow(Leases):
        def renew(self, executor):
            now[0] += 5.0
            return True

    now = [0.0]
    keeper = Keeper(Slow(), "me", "here", lambda: now[0])
    keeper.beat()
    assert keeper.age_s() == 5.0


def test_a_database_that_swallows_the_question_ends_it_too(monkeypatch):
    """As one whose machine stands still: no error ever comes."""
    hang, gone, codes = threading.Event(), threading.Event(), []

    class Silent(Leases):
        ttl_s = lost_after_s = 0.06

        def renew(self, executor):
            hang.wait()
            return True

    monkeypatch.setattr(sweep, "end", lambda code, why: (codes.append((code, why)), gone.set()))
    keeper = Keeper(Silent(), "me", "here", time.monotonic)
    keeper.start()
    assert gone.wait(20)
    hang.set()
    keeper.stop()
    assert codes[0] == (
        sweep.DATABASE_LOST, "the lease could not be renewed for as long as it lasts; others may have taken over"
    )  # fmt: skip


def test_who_cannot_lose_it_goes_on(ended):
    leases, now = Leases(), [0.0]
    leases.lost_after_s = math.inf
    keeper = Keeper(leases, "me", "here", lambda: now[0])
    now[0] = 1e9
    keeper.watch()
    assert ended == []
