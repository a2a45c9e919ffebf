"""What policies are told of an error budget: what a plan depended on, and nothing when it depended on none."""

from typing import get_args

import pytest

from bot.core.errors import Transient
from bot.core.rules import PolicyText
from bot.core.slo import Asked
from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BAD, GOOD, NOON
from tests.engine.toys.thrifty import Thrifty

GUARD = """\
@id("guard.budget")
@title("Only fixes while the error budget is spent")
forbid (
  principal,
  action == Aisq::Action::"thrifty",
  resource
)
when { context has error_budget && context.error_budget == "fixes only" };"""
UNKNOWN = """\
@id("guard.budget-unknown")
@title("Two others while nobody knows what is left")
forbid (
  principal,
  action == Aisq::Action::"thrifty",
  resource
)
when { context has error_budget && context.error_budget == "unknown" }
unless { context has approvals && context.approvals >= 2 };"""


@pytest.fixture
def bot(bot):
    """Which knows the change, and has policies that ask for the budget; nothing is counted yet."""
    texts = {"guard.budget": GUARD, "guard.budget-unknown": UNKNOWN}
    guards = (PolicyText("policies/20-guards.cedar", 1, id, "…", text) for id, text in texts.items())
    bot.files = bot.files._replace(policies=(*bot.files.policies, *guards))
    bot.registry = Registry({**bot.registry.operations, "thrifty": Thrifty})
    bot.platform.counts.clear()
    return bot


def test_with_plenty_left_it_is_a_change_like_others(bot):
    bot.platform.serve(GOOD, minutes=600, until=NOON)
    record = bot.say(ANA, "thrifty backend")
    assert (record.state, record.approvals_needed) == ("waiting", 1)
    assert record.plan.facts == {"error_budget": "normal"} and record.plan.measured == {"error_budget_left_pct": 100}


def test_nothing_new_while_it_is_spent(bot):
    bot.platform.serve(BAD, minutes=60, until=NOON, error_rate=0.2)
    record = bot.say(ANA, "thrifty backend")
    assert record.state == "denied" and "guard.budget" in record.detail + str(record.permitted_by)


def test_a_rollback_never_asks(bot):
    bot.platform.serve(GOOD, minutes=120, until=NOON)
    bot.platform.serve(BAD, minutes=60, until=NOON, error_rate=0.2)
    plan = bot.say(ANA, "rollback backend").plan
    assert "error_budget" not in plan.facts and "error_budget_left_pct" not in plan.measured


def test_unknown_is_neither_a_block_nor_a_pass(bot):
    bot.platform.fail("requests", *(Transient("503 from monitoring") for _ in range(9)))
    record = bot.say(ANA, "thrifty backend")
    assert (record.state, record.approvals_needed) == ("waiting", 2)
    assert record.plan.facts == {"error_budget": "unknown"} and record.plan.measured == {}


def test_what_is_spent_between_approval_and_its_turn_counts(bot):
    bot.platform.serve(GOOD, minutes=600, until=NOON)
    approved = bot.approved("thrifty backend")
    bot.platform.serve(BAD, minutes=60, until=NOON, error_rate=0.2)
    record = bot.work(approved)
    assert record.state == "denied" and bot.platform.writes == []


def test_less_that_asks_for_the_same_needs_no_new_approval(bot):
    bot.platform.serve(GOOD, minutes=600, until=NOON)
    approved = bot.approved("thrifty backend")
    bot.platform.serve(GOOD, minutes=5, until=NOON, error_rate=0.001)
    assert bot.work(approved).state == "applied"


# --- facts


def facts_of(bot, **more):
    operation = bot.read("traffic backend backend-00041-kex=100")
    plan = bot.say(ANA, "rollback backend --to backend-00041-kex").plan.model_copy(update=more)
    return bot.gate._facts.of(operation, plan=plan)


@pytest.mark.parametrize("asked", get_args(Asked))
def test_what_it_asks_and_what_is_left(bot, asked):
    facts = facts_of(bot, facts={"error_budget": asked}, measured={"error_budget_left_pct": -12.6})
    assert (facts.error_budget, facts.error_budget_left_pct) == (asked, -13)


@pytest.mark.parametrize("decided", [{}, {"error_budget": "some"}, {"error_budget": 5}, {"error_budget": ["normal"]}])
def test_absent_where_no_plan_says_it(bot, decided):
    facts = facts_of(bot, facts=decided, measured={})
    assert (facts.error_budget, facts.error_budget_left_pct) == (None, None)
