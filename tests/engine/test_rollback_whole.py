"""The main job through the whole engine, and everything that can go wrong on the way."""

from datetime import timedelta

import pytest

from bot.core.errors import Denied, Permanent, Transient, Uncertain
from tests.both import postgres_always

pytestmark = postgres_always

ANA, BEN, CHO, DEV = "slack:U0ANA", "slack:U0BEN", "slack:U0CHO", "slack:U0DEV"
GOOD, BAD = "backend-00041-kex", "backend-00042-bad"


def test_rolls_back_to_what_served_well_last(bot):
    record = bot.say(ANA, 'rollback backend --reason "5xx"')
    assert (record.state, record.approvals_needed) == ("waiting", 1)
    assert record.detail == f"ai-square/prod/backend: all traffic to {GOOD}, away from {BAD} 100 %"
    assert record.plan.verdict.level == "GO"
    bot.say(BEN, f"approve {record.id} --digest {record.digest}")
    done = bot.work(record.id)
    assert (done.state, done.judged, bot.platform.asked) == ("applied", "pending", {GOOD: 100})
    assert bot.platform.writes == [f"{record.id}/0/do"]
    pin = bot.pins.pin(record.plan.target)
    assert (pin.traffic, pin.away_from, pin.by, pin.reason) == ({GOOD: 100}, (BAD,), "ana", "5xx")


def test_judges_once_monitoring_has_counted(bot):
    operation = bot.approved()
    bot.work(operation)
    bot.checker.judge(operation)
    assert bot.ledger.operation(operation).judged == "pending"
    bot.platform.serve(GOOD, minutes=10, until=bot.clock.now() + timedelta(minutes=10))
    bot.clock.advance(600)
    bot.checker.judge(operation)
    judged = bot.ledger.operation(operation)
    assert (judged.state, judged.judged, judged.judgement) == ("applied", "holds", "Errors fell from 10 % to 0 %.")


def test_a_lost_answer_is_adopted_and_nothing_is_sent_twice(bot):
    operation = bot.approved()
    bot.platform.lose("set_traffic", Uncertain("connection reset"))
    assert bot.work(operation).state == "applied"
    assert bot.platform.writes == [f"{operation}/0/do"]


def test_a_failed_rollout_is_put_back(bot):
    operation = bot.approved()
    bot.platform.rollout_fails = "container did not start"
    done = bot.work(operation)
    assert (done.state, bot.platform.asked) == ("failed", {BAD: 100})
    assert done.detail == "container did not start; put back as it was"
    assert bot.platform.writes == [f"{operation}/0/do", f"{operation}/0/undo"]


def test_somebody_else_between_approval_and_apply(bot):
    operation = bot.approved()
    bot.platform.somebody_sets({BAD: 50, GOOD: 50})
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert "the plan changed since it was approved" in done.detail


def test_rolling_back_does_not_need_monitoring(bot):
    operation = bot.approved(f"rollback backend --to {GOOD}")
    for _ in range(20):
        bot.platform.fail("requests", Transient("monitoring is away"))
    assert bot.work(operation).state == "applied"


@pytest.mark.parametrize("who, says", [(ANA, "Nobody approves their own request"), (DEV, "No policy lets dev")])
def test_who_may_not_approve(bot, who, says):
    record = bot.say(ANA, "rollback backend")
    with pytest.raises(Denied, match=says):
        bot.say(who, f"approve {record.id}")
    assert bot.ledger.operation(record.id).approvals == ()


def test_a_missing_permission_is_named(bot):
    bot.platform.fail("service", Permanent("aisq may not look at services"))
    assert bot.say(ANA, "rollback backend").detail == "nothing done: aisq may not look at services"
