"""What must hold of the shipped policies for any person, operation, target and facts."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.facts import Facts, PersonId, Source, source
from bot.core.operation import Risk
from bot.core.request import Actor
from bot.core.rules import Act, Traits
from bot.engine.policy import MOST_APPROVALS, Policy
from bot.engine.policy.lint import RESCUES
from bot.engine.policy.schema import fact_types, words_of

ME = "slack:U0ME"
ROLES = ("developers", "sre-oncall", "sre-lead")
PLACES = ("ai-square/prod/backend", "ai-square/staging/backend", "ai-square/dev/backend", "ai-square/prod/primary")
PLACES += ("ai-square", "ai-square/dev")
STRANGERS = ("help", "whoami")
MEASURED = [name for name, field in Facts.model_fields.items() if source(field) is Source.MONITORING]
GUARDS = {
    "guard.deactivated",
    "guard.own-request",
    "guard.freeze",
    "guard.freeze.releases",
    "guard.no-go",
    "guard.critical-vulnerabilities",
    "guard.error-budget",
}

check = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def value_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a fact, or its absence."""
    if words := words_of(kind):
        return st.none() | st.sampled_from(words)
    if kind is PersonId:
        return st.none() | st.sampled_from([ME, "slack:U0OTHER", "os:root"])
    plain = {bool: st.booleans(), int: st.integers(-5, 200), str: st.sampled_from(["rollback", "", "NO GO"])}
    return st.none() | plain[kind]


facts = st.builds(Facts, **{name: value_of(kind) for name, kind in fact_types().items()})
measurements = st.fixed_dictionaries({name: value_of(fact_types()[name]) for name in MEASURED})
people = st.builds(
    lambda roles, active: Actor(id=ME, name="Me", roles=tuple(sorted(roles)), active=active),
    st.sets(st.sampled_from(ROLES)),
    st.sampled_from([True, True, None, False]),
)
places = st.sampled_from(PLACES)
operations = st.sampled_from(
    [
        "rollback",
        "deploy",
        "traffic",
        "unpin",
        "scale",
        "lock",
        "unfreeze",
        "ops undo",
        "approve",
        "deny",
        "ops cancel",
        "status",
        "ops list",
        "help",
    ]
)


def test_the_operations_of_these_properties_exist(shipped_acts: dict[str, Act]) -> None:
    assert set(RESCUES) <= set(shipped_acts)
    assert {act.risk for act in shipped_acts.values()} == {Risk.READ, Risk.CONTROL, Risk.OPERATE, Risk.ROLLOUT}


@check
@given(people, operations, places, facts, st.integers(0, MOST_APPROVALS - 1))
def test_one_more_approval_never_hurts(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts, count: int
) -> None:
    few, more = (known.model_copy(update={"approvals": n}) for n in (count, count + 1))
    if shipped.decide(actor, operation, place, few).allowed:
        assert shipped.decide(actor, operation, place, more).allowed


@check
@given(people, operations, places, facts)
def test_as_many_approvals_as_are_needed_are_enough_and_one_less_is_not(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts
) -> None:
    needed = shipped.probe(actor, operation, place, known).approvals
    allowed = [
        shipped.decide(actor, operation, place, known.model_copy(update={"approvals": count})).allowed
        for count in range(MOST_APPROVALS + 1)
    ]
    first = MOST_APPROVALS + 1 if needed is None else needed
    assert allowed == [count >= first for count in range(MOST_APPROVALS + 1)]


@check
@given(operations, places, facts, st.booleans())
def test_strangers_get_nothing_but_help(
    shipped: Policy, operation: str, place: str, known: Facts, invented: bool
) -> None:
    stranger = Actor(id=ME, name="Me", roles=("admin", "known") if invented else ())
    assert shipped.decide(stranger, operation, place, known).allowed is (operation in STRANGERS)


@check
@given(people, operations, places, facts)
def test_the_deactivated_get_nothing(shipped: Policy, actor: Actor, operation: str, place: str, known: Facts) -> None:
    gone = actor.model_copy(update={"active": False})
    decision = shipped.decide(gone, operation, place, known)
    assert not decision.allowed
    assert "guard.deactivated" in decision.policies


@check
@given(people, st.sampled_from(RESCUES), places, facts, measurements)
def test_what_monitoring_says_never_changes_a_rescue(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts, measured: dict[str, Any]
) -> None:
    other = known.model_copy(update=measured)
    assert shipped.probe(actor, operation, place, known) == shipped.probe(actor, operation, place, other)


@check
@given(people, places, facts)
def test_nobody_approves_their_own(shipped: Policy, actor: Actor, place: str, known: Facts) -> None:
    assert not shipped.decide(actor, "approve", place, shipped.acting_on("rollback", ME, known)).allowed


@check
@given(people, operations, places, facts)
def test_break_glass_lifts_guards_and_grants_only_the_lone_rollback(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts
) -> None:
    calm, alarm = (known.model_copy(update={"break_glass": value}) for value in (False, True))
    before, after = (shipped.probe(actor, operation, place, one) for one in (calm, alarm))
    if after.approvals is None or after.approvals == before.approvals:
        return
    lone_rollback = operation == "rollback" and "sre-oncall" in actor.roles and after.approvals == 0
    assert lone_rollback or (before.approvals is None and set(before.decision.policies) <= GUARDS)
    assert lone_rollback or before.decision.policies


@check
@given(people, operations, places, facts, st.sampled_from(ROLES))
def test_another_role_never_hurts(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts, role: str
) -> None:
    more = actor.model_copy(update={"roles": (*actor.roles, role)})
    if shipped.decide(actor, operation, place, known).allowed:
        assert shipped.decide(more, operation, place, known).allowed


@check
@given(people, operations, places, facts)
def test_remedies_permit_and_what_is_allowed_needs_none(
    shipped: Policy, actor: Actor, operation: str, place: str, known: Facts
) -> None:
    found = shipped.why_not(actor, operation, place, known)
    if shipped.decide(actor, operation, place, known).allowed:
        assert found == ()
    for remedy in found:
        roles = (*actor.roles, *(change.role for change in remedy.changes if change.role))
        changed = actor.model_copy(update={"roles": roles})
        assert shipped.decide(changed, operation, place, remedy.applied(known)).allowed


@check
@given(people, operations, facts)
def test_a_decision_always_has_a_sentence(shipped: Policy, actor: Actor, operation: str, known: Facts) -> None:
    for place in (None, *PLACES, "no/such/place"):
        decision = shipped.decide(actor, operation, place, known)
        assert decision.sentence.endswith(".")
        assert decision.error == ""
        assert bool(decision.policies) or not decision.allowed


@pytest.mark.parametrize(
    "role, operation, facts_, sentences",
    [
        ("sre-oncall", "rollback", {}, ["needs 1 approval", "needs break-glass with a reason"]),
        ("sre-oncall", "traffic", {}, ["needs 1 approval"]),
        (
            "sre-oncall",
            "traffic",
            {"frozen": True},
            ["needs 1 approval and break-glass with a reason", "needs 1 approval and the change freeze to be over"],
        ),
        (
            "sre-oncall",
            "rollback",
            {"verdict": "NO GO"},
            ["needs break-glass with a reason", "needs 1 approval and a verdict of GO"],
        ),
        (
            "developers",
            "rollback",
            {},
            ["needs role sre-oncall and 1 approval", "needs role sre-oncall and break-glass with a reason"],
        ),
        ("sre-oncall", "approve", {"requester": ME}, ["needs somebody other than the requester"]),
        ("developers", "approve", {"requester": "os:x"}, ["needs role sre-oncall", "needs role sre-lead"]),
    ],
)
def test_what_people_are_told_would_help(
    shipped: Policy,
    shipped_targets: dict[str, Traits],
    role: str,
    operation: str,
    facts_: dict[str, Any],
    sentences: list[str],
) -> None:
    actor = Actor(id=ME, name="Me", roles=(role,))
    found = shipped.why_not(actor, operation, PLACES[0], Facts.model_validate(facts_))
    assert [remedy.sentence for remedy in found] == sentences
    assert set(PLACES) <= set(shipped_targets)
