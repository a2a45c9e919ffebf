"""Locks and freezes through the whole engine: set and lifted in our own books, whatever else changes the target."""

import pytest

from bot.core.errors import Denied
from bot.core.rules import Freeze, Freezes
from tests.both import postgres_always

pytestmark = postgres_always

ANA, BEN, CHO, DEV = "slack:U0ANA", "slack:U0BEN", "slack:U0CHO", "slack:U0DEV"


def done(bot, who, text):
    record = bot.work(bot.ask(who, text))
    assert record.state == "applied", record.detail
    return record


def test_a_lock_is_a_row_with_who_and_why(bot):
    record = done(bot, ANA, 'lock backend --until 2h --reason "incident 42"')
    (lock,) = bot.locks.locks()
    assert (lock.name, lock.by, lock.reason, lock.operation) == (
        "ai-square/prod/backend",
        "ana",
        "incident 42",
        record.id,
    )
    assert (lock.since, lock.until) == (bot.clock.now(), bot.read("lock backend --until 2h").until)
    assert bot.platform.writes == []
    facts = bot.gate._facts.of(bot.read("rollback backend"))
    assert (facts.locked, facts.frozen) == (True, False)


def test_unlocked_again(bot):
    done(bot, ANA, "lock backend")
    assert bot.work(bot.approved("unlock backend")).state == "applied"
    assert bot.locks.locks() == ()
    assert bot.say(ANA, "unlock backend").state == "nothing_to_do"


def test_a_lock_does_not_wait_for_what_runs(bot):
    running = bot.approved("rollback backend")
    assert isinstance(bot.ledger.claim(running, "another process"), int)
    done(bot, ANA, "lock backend")
    assert bot.clock.slept_s == 0 and len(bot.locks.locks()) == 1


def test_of_a_whole_environment(bot):
    done(bot, CHO, "lock ai-square/prod")
    for line, locked in {"backend": True, "ai-square/staging/backend": False}.items():
        assert bot.gate._facts.of(bot.read(f"rollback {line}")).locked is locked
    with pytest.raises(Denied):
        bot.say(DEV, "lock ai-square/prod")
    done(bot, DEV, "lock ai-square/staging")


def test_of_a_pattern_by_whoever_may_lock_all_of_the_system(bot):
    with pytest.raises(Denied):
        bot.say(DEV, 'lock "ai-square/staging*"')
    done(bot, ANA, 'lock "ai-square/sta*"')
    assert bot.gate._facts.of(bot.read("rollback ai-square/staging/backend")).locked is True


def test_a_freeze_stops_traffic_and_no_rollback(bot):
    done(bot, ANA, "freeze ai-square --until unfreeze --reason audit")
    stopped = bot.say(ANA, "traffic backend backend-00041-kex=100")
    assert (stopped.state, stopped.permitted_by) == ("denied", "guard.freeze")
    assert bot.say(ANA, "rollback backend").state == "waiting"
    lifted = bot.work(bot.approved("unfreeze ai-square"))
    assert lifted.state == "applied" and bot.locks.locks() == ()
    assert bot.say(ANA, "traffic backend backend-00041-kex=100").state == "waiting"


def test_one_that_ends_by_itself(bot):
    done(bot, ANA, "freeze backend --until 2h --reason audit")
    bot.clock.advance(2 * 3600)
    assert bot.gate._facts.of(bot.read("rollback backend")).frozen is False
    assert bot.say(ANA, "unfreeze backend").state == "nothing_to_do"


def test_one_of_the_policies_is_not_lifted(bot):
    year_end = {"name": "year-end", "from": "2026-11-01T00:00Z", "to": "2027-01-04T08:00Z", "reason": "rest"}
    frozen = Freezes(freezes=(Freeze.model_validate({**year_end, "targets": ["ai-square/prod"]}),))
    bot.binder.offer(Freezes, frozen)
    said = bot.say(CHO, "unfreeze ai-square/prod")
    assert said.state == "nothing_to_do" and "in freezes.yaml" in said.detail


def test_what_was_lifted_meanwhile_is_nothing_to_do(bot):
    done(bot, ANA, "freeze ai-square --until unfreeze --reason audit")
    lifting = bot.approved("unfreeze ai-square")
    done(bot, CHO, "unfreeze ai-square")
    assert bot.work(lifting).state == "nothing_to_do"


def test_a_lock_is_taken_back_by_its_own_word(bot):
    record = done(bot, ANA, "lock backend")
    said = bot.say(ANA, f"ops undo {record.id}")
    assert said.state == "rejected"
    assert said.detail.endswith("changed nothing but our own books: `unlock ai-square/prod/backend` takes it back.")
