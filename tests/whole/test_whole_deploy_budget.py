"""What the error budget asks of a deploy, through the whole engine and the shipped policies."""

from datetime import timedelta

import pytest

from bot.core.errors import Transient
from tests.engine.conftest import ANA, BEN, GOOD, NOON


@pytest.fixture
def bot(bot):
    """GOOD serves all and is followed; nothing is counted yet."""
    bot.platform.only_good()
    return bot


def weights(record):
    return [stage.weight_pct for stage in record.plan.stages]


def test_with_plenty_left_nothing_is_said(bot):
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=1 / 600)
    record = bot.say(ANA, "deploy backend v43")
    assert (record.state, record.approvals_needed, weights(record)) == ("waiting", 1, [10, 25, 50, 100])
    assert record.plan.measured == {"error_budget_left_pct": pytest.approx(100 * (1 - 1 / 600 / 0.005))}
    assert not [note for note in record.plan.notes if "budget" in note]


def test_while_it_is_spent_only_a_fix_goes_out(bot):
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.1)
    refused = bot.say(ANA, "deploy backend v43")
    assert refused.state == "denied" and "Only fixes are deployed to production" in refused.detail
    assert bot.say(ANA, "deploy backend v43 --dry-run").state == "planned"
    fix = bot.say(ANA, "deploy backend v43 --fix")
    assert (fix.state, fix.approvals_needed, weights(fix)) == ("waiting", 1, [10, 25, 50, 100])
    assert bot.say(ANA, "rollback backend --to backend-00040-fom").state in ("waiting", "rejected")


def test_break_glass_lets_it_out_in_smaller_steps_with_somebody_else(bot):
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.1)
    record = bot.say(ANA, 'deploy backend v43 --break-glass "the fix of the fix"')
    assert (record.state, record.approvals_needed, weights(record)) == ("waiting", 1, [5, 10, 25, 50, 100])


def test_what_is_spent_after_the_approval_stops_it(bot):
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.001)
    approved = bot.approved("deploy backend v43")
    bot.platform.serve(GOOD, minutes=30, until=NOON, error_rate=0.2)
    done = bot.work(approved)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert "the plan changed since it was approved" in done.detail and "canary 5, 10, 25, 50, 100 %" in done.detail


def test_while_nobody_knows_it_takes_an_approval_and_says_so(bot):
    bot.platform.fail("requests", *(Transient("503 from monitoring") for _ in range(9)))
    record = bot.say(ANA, "deploy backend v43")
    assert (record.state, record.approvals_needed, weights(record)) == ("waiting", 1, [10, 25, 50, 100])
    assert record.plan.facts["error_budget"] == "unknown"
    assert record.plan.notes[-1].startswith("The error budget is unknown, because monitoring could not be read")


def test_less_that_asks_for_the_same_needs_no_new_approval(bot):
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.001)
    record = bot.say(ANA, "deploy backend v43")
    bot.platform.serve(GOOD, minutes=1, until=NOON - timedelta(minutes=10), error_rate=0.01)
    again = bot.say(BEN, "deploy backend v43 --dry-run")
    assert again.plan.measured["error_budget_left_pct"] < record.plan.measured["error_budget_left_pct"]
    assert weights(again) == weights(record)
