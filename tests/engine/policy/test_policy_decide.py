"""Decisions: yes, no, how many approvals; whatever is unknown or breaks is a no."""

from collections.abc import Callable
from typing import Any

import cedarpy
import pytest

from bot.core.errors import ConfigError
from bot.core.facts import Facts, PersonId
from bot.core.operation import Risk
from bot.core.request import Actor
from bot.core.rules import Act, PolicyFiles, PolicyText, Traits
from bot.engine.policy import MOST_APPROVALS, Policy
from bot.engine.policy.cedar import Cedar, Question, check, formatted, syntax
from bot.engine.policy.decide import Decision
from bot.engine.policy.schema import about, entities, person, schema, uid

PROD = "shop/prod/backend"
STAGING = "shop/staging/backend"
ALL = "permit (principal, action, resource);"
NOBODY = 'permit (principal in Aisq::Role::"lead", action in Aisq::Action::"database", resource);'
READ = 'permit (principal in Aisq::Role::"known", action in Aisq::Action::"read", resource);'
ROLLOUT = 'permit (principal in Aisq::Role::"oncall", action in Aisq::Action::"rollout", resource)'
FREEZE = (
    'forbid (principal, action in Aisq::Action::"rollout", resource) when { context has frozen && context.frozen };'
)
OVERFLOW = (
    "forbid (principal, action, resource) when "
    "{ context has traffic_moved_pct && context.traffic_moved_pct * 9223372036854775807 > 5 };"
)
Make = Callable[..., Policy]
Person = Callable[..., Actor]


def needs(count: int) -> str:
    return f"{ROLLOUT} when {{ context has approvals && context.approvals >= {count} }};"


def test_a_permit_names_its_policy_and_says_its_title(policy: Make, person: Person) -> None:
    decision = policy(READ).decide(person("developers"), "status", PROD, Facts())
    assert decision == (True, ("p0",), "Title 0 (p0).", "")


def test_a_forbid_wins_and_is_named(policy: Make, person: Person) -> None:
    decision = policy(ALL, FREEZE).decide(person("oncall"), "rollback", PROD, Facts(frozen=True))
    assert (decision.allowed, decision.policies, decision.sentence) == (False, ("p1",), "Title 1 (p1).")


def test_several_forbids_are_all_named(policy: Make, person: Person) -> None:
    decision = policy(ALL, FREEZE, FREEZE).decide(person(), "rollback", PROD, Facts(frozen=True))
    assert decision.policies == ("p1", "p2")
    assert decision.sentence == "Title 1 (p1); Title 2 (p2)."


@pytest.mark.parametrize(
    "roles, operation, target, sentence",
    [
        (("developers",), "rollback", PROD, f"No policy lets Ana (developers) do `rollback` on {PROD}."),
        ((), "status", PROD, f"No policy lets Ana (no role) do `status` on {PROD}."),
        ((), "ops list", None, "No policy lets Ana (no role) do `ops list`."),
        (("lead",), "drop", PROD, "There is no operation `drop`."),
        (("lead",), "database", PROD, "There is no operation `database`."),
        (("oncall",), "rollback", "shop/prod/frontend", "`shop/prod/frontend` is not in the catalog."),
        (("oncall",), "rollback", "", "`` is not in the catalog."),
        (("oncall",), "rollback", None, "`rollback` must name a target."),
        (("oncall",), "approve", None, "`approve` must name a target."),
    ],
)
def test_what_nothing_permits(
    policy: Make, person: Person, roles: tuple[str, ...], operation: str, target: str | None, sentence: str
) -> None:
    judged = policy(READ, f"{ROLLOUT};")
    decision = judged.decide(person(*roles), operation, target, Facts())
    assert decision == (False, (), sentence, "")
    assert judged.probe(person(*roles), operation, target, Facts()) == (None, decision)


def test_without_any_policy_everything_is_forbidden(policy: Make, person: Person) -> None:
    assert not policy().decide(person("oncall", "lead"), "status", None, Facts()).allowed


def test_a_look_may_be_about_everything(policy: Make, person: Person) -> None:
    assert policy(READ).decide(person("lead"), "status", None, Facts()).allowed


def test_a_role_that_nobody_wrote_down_counts_for_nothing(policy: Make, person: Person) -> None:
    judged = policy(READ, f"{ROLLOUT};")
    assert not judged.decide(person("admin", "known"), "status", PROD, Facts()).allowed
    assert judged.decide(person("admin", "oncall"), "rollback", PROD, Facts()).allowed


@pytest.mark.parametrize(
    "scope, allowed",
    [
        ('Aisq::System::"shop"', True),
        ('Aisq::System::"blog"', False),
        ('Aisq::Environment::"shop/prod"', True),
        ('Aisq::Environment::"blog/prod"', False),
        (f'Aisq::Target::"{PROD}"', True),
        (f'Aisq::Target::"{STAGING}"', False),
    ],
)
def test_places(policy: Make, person: Person, scope: str, allowed: bool) -> None:
    judged = policy(f"permit (principal, action, resource in {scope});")
    assert judged.decide(person(), "rollback", PROD, Facts()).allowed is allowed


@pytest.mark.parametrize("condition", ['stage == "prod"', 'kind == "service"', 'type == "cloud_run"', "tier == 0"])
def test_attributes_of_a_target(policy: Make, person: Person, condition: str) -> None:
    rule = 'permit (principal, action in Aisq::Action::"rollout", resource) when {{ resource.{} }};'
    judged = policy(rule.format(condition))
    both = [judged.decide(person(), "rollback", target, Facts()).allowed for target in (PROD, "blog/prod/db")]
    assert both == [True, condition.startswith("stage")]


@pytest.mark.parametrize("active, allowed", [(True, True), (False, False), (None, True)])
def test_activity(policy: Make, person: Person, active: bool | None, allowed: bool) -> None:
    gone = "forbid (principal, action, resource) when { principal has active && !principal.active };"
    assert policy(ALL, gone).decide(person(active=active), "status", None, Facts()).allowed is allowed


# approvals


@pytest.mark.parametrize("count", range(MOST_APPROVALS + 1))
def test_the_fewest_approvals_are_found(policy: Make, person: Person, count: int) -> None:
    judged = policy(needs(count), needs(3))
    probe = judged.probe(person("oncall"), "rollback", PROD, Facts())
    assert probe.approvals == count
    assert probe.decision.allowed
    assert "p0" in probe.decision.policies


def test_more_than_the_most_approvals_is_never(policy: Make, person: Person) -> None:
    probe = policy(needs(4)).probe(person("oncall"), "rollback", PROD, Facts())
    assert probe.approvals is None
    assert not probe.decision.allowed


def test_never_names_what_forbids_even_with_all_approvals(policy: Make, person: Person) -> None:
    probe = policy(needs(1), FREEZE).probe(person("oncall"), "rollback", PROD, Facts(frozen=True))
    assert (probe.approvals, probe.decision.policies) == (None, ("p1",))


def test_never_does_not_name_what_approvals_would_lift(policy: Make, person: Person) -> None:
    lone = "forbid (principal, action, resource) unless { context has approvals && context.approvals >= 1 };"
    probe = policy(ALL, FREEZE, lone).probe(person(), "rollback", PROD, Facts(frozen=True))
    assert probe.decision.policies == ("p1",)


def test_the_approvals_that_there_are_do_not_change_how_many_are_needed(policy: Make, person: Person) -> None:
    assert policy(needs(2)).probe(person("oncall"), "rollback", PROD, Facts(approvals=1)).approvals == 2


def test_deciding_takes_the_approvals_that_there_are(policy: Make, person: Person) -> None:
    judged = policy(needs(2))
    found = [judged.decide(person("oncall"), "rollback", PROD, Facts(approvals=n)).allowed for n in (None, 0, 1, 2, 3)]
    assert found == [False, False, False, True, True]


# who may approve

APPROVE = 'permit (principal in Aisq::Role::"lead", action == Aisq::Action::"approve", resource)'
OTHER = "context has requester && principal != context.requester"


def approving(judged: Policy, approver: Actor, requester: str, operation: str) -> Decision:
    return judged.decide(approver, "approve", PROD, judged.acting_on(operation, requester, Facts()))


def test_nobody_approves_their_own_request(policy: Make, person: Person) -> None:
    judged = policy(f"{APPROVE} when {{ {OTHER} }};")
    mine, theirs = (approving(judged, person("lead"), who, "rollback") for who in ("slack:U0ANA", "os:x"))
    assert (mine.allowed, theirs.allowed) == (False, True)
    assert not approving(judged, person("oncall"), "os:x", "rollback").allowed


def test_what_is_acted_upon_is_a_fact(policy: Make, person: Person) -> None:
    judged = policy(
        f'{APPROVE} when {{ context has acts_on && context.acts_on == "rollback" }};',
        f'{APPROVE} when {{ context has acts_on_risk && context.acts_on_risk == "read" }};',
    )
    allowed = {on: approving(judged, person("lead"), "os:x", on).policies for on in ("rollback", "status")}
    assert allowed == {"rollback": ("p0",), "status": ("p1",)}
    assert not approving(judged, person("lead"), "os:x", "traffic").allowed


def test_facts_about_an_operation_that_was_removed_have_no_risk(policy: Make) -> None:
    facts = policy(ALL).acting_on("drop", "os:x", Facts(frozen=True))
    assert facts == Facts(frozen=True, requester=PersonId("os:x"), acts_on="drop", acts_on_risk=None)
    assert policy(ALL).acting_on("rollback", "os:x", Facts()).acts_on_risk is Risk.ROLLOUT


# whatever breaks is a no


def test_a_forbid_that_fails_is_not_skipped(policy: Make, person: Person) -> None:
    facts = Facts(traffic_moved_pct=100)
    decision = policy(ALL, OVERFLOW).decide(person(), "rollback", PROD, facts)
    assert (decision.allowed, decision.policies) == (False, ())
    assert decision.sentence.startswith("a policy could not be evaluated: ")
    assert "overflow" in decision.error
    probe = policy(ALL, OVERFLOW).probe(person(), "rollback", PROD, facts)
    assert (probe.approvals, probe.decision) == (None, decision)


def test_an_error_in_one_trial_is_a_no(policy: Make, person: Person) -> None:
    broken = (
        'forbid (principal, action == Aisq::Action::"rollback", resource) when '
        "{ context has approvals && context.approvals * 9223372036854775807 > 5 };"
    )
    probe = policy(f"{ROLLOUT};", broken).probe(person("oncall"), "rollback", PROD, Facts())
    assert probe.approvals is None
    assert "overflow" in probe.decision.error


@pytest.mark.parametrize("facts", [{"traffic_moved_pct": 2**70}, {"requester": "\ud800"}])
def test_facts_that_cedar_cannot_take_are_a_no(policy: Make, person: Person, facts: dict[str, Any]) -> None:
    decision = policy(ALL).decide(person(), "status", PROD, Facts.model_construct(**facts))
    assert not decision.allowed
    assert decision.sentence == f"a policy could not be evaluated: {decision.error}."


@pytest.mark.parametrize("id", ["", 'x"', "\n", "\x00", "ö", "a" * 5000, "\ud800"])
def test_strange_people_are_nobody_special(policy: Make, person: Person, id: str) -> None:
    judged = policy('permit (principal == Aisq::User::"x", action, resource);')
    assert not judged.decide(person("oncall", id=id), "status", PROD, Facts()).allowed


def test_a_question_that_does_not_fit_the_schema_is_an_error(
    acts: dict[str, Act], targets: dict[str, Traits], text: Callable[[str], PolicyText]
) -> None:
    cedar = Cedar(schema(acts), [text(ALL)], entities([], targets))
    fits = Question(uid("User", "os:ana"), "status", about(None), {})
    wrong = [fits._replace(action="drop"), fits._replace(action="rollback"), fits._replace(context={"forzen": True})]
    good, *bad = cedar.rule(person("os:ana", [], True), [fits, *wrong])
    assert good == (True, ("p",), "")
    assert [(one.allowed, one.policies, bool(one.error)) for one in bad] == [(False, (), True)] * 3


def test_no_decision_is_a_no_even_without_a_reason(
    policy: Make, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = policy(ALL)
    answer = cedarpy.AuthzResult({"decision": "NoDecision", "diagnostics": {}})
    monkeypatch.setattr(cedarpy, "is_authorized_batch", lambda asked, *_: [answer for _ in asked])
    assert judged.decide(person(), "status", PROD, Facts()).sentence == "a policy could not be evaluated: no decision."
    assert judged.probe(person(), "status", PROD, Facts()).approvals is None


# policies that are wrong


@pytest.mark.parametrize(
    "body, says",
    [
        ("permit (principal, action, resource) when { tru };", "invalid variable: tru"),
        ("permit (principal, action, resource)", "unexpected end of input"),
        ("allow (principal, action, resource);", "invalid policy effect: allow"),
        ("permit (principal == ?principal, action, resource);", "a template permits nothing"),
        ('permit (principal, action == Aisq::Action::"drop", resource);', "unrecognized action"),
        ('permit (principal in Aisq::Group::"x", action, resource);', "unrecognized entity type `Aisq::Group`"),
        (NOBODY, "unable to find an applicable action"),
        ('permit (principal, action, resource) when { resource.stage == "prod" };', "`stage` on entity type"),
        (
            "permit (principal, action, resource) when { context.approvals > 1 };",
            "unable to guarantee safety of access to optional attribute `approvals` in context",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(files: Callable[..., PolicyFiles], body: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy(files(ALL, body), {"status": Act(Risk.READ, "answer")}, {})
    error = caught.value
    assert (error.file, error.line, error.field) == ("policies/10.cedar", 7, "p1")
    assert says in error.problem
    assert "policy0" not in error.problem


def test_the_same_mistake_is_told_once(acts: dict[str, Act], text: Callable[[str], PolicyText]) -> None:
    with pytest.raises(ConfigError) as caught:
        check(text("permit (principal, action, resource) when { context.frozen };"), schema(acts))
    assert caught.value.problem.count("frozen") == 1


def test_formatting_and_reading_of_what_cannot_be_parsed(text: Callable[[str], PolicyText]) -> None:
    for read in (formatted, syntax):
        with pytest.raises(ConfigError, match=r"policies/10.cedar:7: p: "):
            read(text("permit"))


def test_two_policies_in_one_text_are_refused(text: Callable[[str], PolicyText]) -> None:
    with pytest.raises(ConfigError, match="one policy"):
        syntax(text(ALL + ALL))
