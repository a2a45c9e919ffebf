"""What would turn a no into a yes."""

from collections.abc import Callable

import pytest

from bot.core.facts import Facts, PersonId
from bot.core.request import Actor
from bot.engine.policy import Policy, Remedy
from bot.engine.policy.remedies import MOST_CHANGES, MOST_SHOWN, candidates, smallest

Make = Callable[..., Policy]
Person = Callable[..., Actor]
PROD = "shop/prod/backend"
ONCALL = 'permit (principal in Aisq::Role::"oncall", action in Aisq::Action::"rollout", resource)'
ANYONE = "permit (principal, action, resource)"
FREEZE = (
    'forbid (principal, action in Aisq::Action::"rollout", resource) when { context has frozen && context.frozen } '
    "unless { context has break_glass && context.break_glass };"
)
APPROVED = "{ context has approvals && context.approvals >= 2 }"
NOT_GO = 'forbid (principal, action, resource) unless { context has verdict && context.verdict == "GO" };'
THAWED = "forbid (principal, action, resource) unless { context has frozen && !context.frozen };"
PINNED = "forbid (principal, action, resource) unless { context has pinned && !context.pinned };"
OWN = "forbid (principal, action, resource) when { context has requester && principal == context.requester };"


@pytest.mark.parametrize(
    "bodies, roles, facts, sentences",
    [
        pytest.param([f"{ANYONE};"], [], {}, [], id="allowed already"),
        pytest.param([], [], {}, [], id="nothing would"),
        pytest.param([f"{ANYONE} when {APPROVED};"], [], {}, ["needs 2 approvals"], id="no more than enough"),
        pytest.param(
            [f"{ANYONE} when {APPROVED};"], [], {"approvals": 1}, ["needs 2 approvals"], id="on top of what there is"
        ),
        pytest.param([f"{ONCALL};"], ["lead"], {}, ["needs role oncall"], id="a role"),
        pytest.param(
            [f"{ONCALL} when {APPROVED};"], [], {}, ["needs role oncall and 2 approvals"], id="a role and more"
        ),
        pytest.param(
            [f"{ONCALL};", FREEZE],
            ["oncall"],
            {"frozen": True},
            ["needs break-glass with a reason", "needs the change freeze to be over"],
            id="easiest first",
        ),
        pytest.param(
            [f"{ONCALL};", FREEZE],
            [],
            {"frozen": True},
            [
                "needs role oncall and break-glass with a reason",
                "needs role oncall and the change freeze to be over",
            ],
            id="who first",
        ),
        pytest.param(
            [f"{ONCALL};", FREEZE], ["oncall"], {"frozen": True, "break_glass": True}, [], id="lifted already"
        ),
        pytest.param(
            [f"{ANYONE};", NOT_GO, PINNED],
            [],
            {"verdict": "NO GO"},
            ["needs a verdict of GO and the traffic to be unpinned"],
            id="facts that were absent or otherwise",
        ),
        pytest.param([f"{ANYONE};", THAWED], [], {}, ["needs the change freeze to be over"], id="a fact unknown"),
        pytest.param(
            [f"{ANYONE};", NOT_GO.replace("};", "|| context has break_glass && context.break_glass };")],
            [],
            {},
            ["needs break-glass with a reason", "needs a verdict of GO"],
            id="ease, not spelling",
        ),
        pytest.param([f"{ANYONE};", NOT_GO], [], {"verdict": "GO"}, [], id="a verdict of GO is no change"),
        pytest.param([f"{ANYONE};", PINNED], [], {"pinned": False, "frozen": False}, [], id="nor is unpinned"),
        pytest.param(
            [f"{ANYONE};", OWN],
            [],
            {"requester": "slack:U0ANA"},
            ["needs somebody other than the requester"],
            id="another person",
        ),
        pytest.param(
            [f"{ONCALL} when {APPROVED};", NOT_GO, PINNED], [], {}, [], id="four changes are too many to propose"
        ),
    ],
)
def test_why_not(
    policy: Make, person: Person, bodies: list[str], roles: list[str], facts: dict[str, object], sentences: list[str]
) -> None:
    found = policy(*bodies).why_not(person(*roles), "rollback", PROD, Facts.model_validate(facts))
    assert [one.sentence for one in found] == sentences


@pytest.mark.parametrize("operation, target", [("drop", PROD), ("rollback", "shop/prod/x"), ("rollback", None)])
def test_nothing_permits_what_does_not_exist(policy: Make, person: Person, operation: str, target: str | None) -> None:
    assert policy(f"{ANYONE};").why_not(person(), operation, target, Facts()) == ()


def test_every_remedy_permits_and_no_part_of_it_does(policy: Make, person: Person) -> None:
    judged = policy(f"{ONCALL} when {APPROVED};", FREEZE)
    facts = Facts(frozen=True)
    found = judged.why_not(person(), "rollback", PROD, facts)
    assert len(found) == 2
    for remedy in found:
        assert allowed(judged, person, remedy, facts)
        for left_out in remedy.changes:
            rest = Remedy(tuple(change for change in remedy.changes if change is not left_out))
            assert not allowed(judged, person, rest, facts)


def allowed(judged: Policy, person: Person, remedy: Remedy, facts: Facts) -> bool:
    roles = [change.role for change in remedy.changes if change.role]
    return judged.decide(person(*roles), "rollback", PROD, remedy.applied(facts)).allowed


def test_what_breaks_is_no_remedy(policy: Make, person: Person) -> None:
    broken = (
        "forbid (principal, action, resource) when { context has approvals && "
        "context.approvals * 9223372036854775807 > 5 };"
    )
    assert policy(f"{ANYONE} when {APPROVED};").why_not(person(), "rollback", PROD, Facts())
    assert policy(f"{ANYONE} when {APPROVED};", broken).why_not(person(), "rollback", PROD, Facts()) == ()


def test_candidates_differ_in_one_way_each(person: Person) -> None:
    found = candidates(person("lead"), Facts(approvals=1, requester=PersonId("slack:U0ANA")), ["lead", "oncall", "dev"])
    assert set(found) == {"", "oncall", "dev"}
    for role, remedies in found.items():
        for remedy in remedies:
            subjects = [change.subject for change in remedy.changes]
            assert 1 <= len(subjects) == len(set(subjects)) <= MOST_CHANGES
            assert [change.role for change in remedy.changes if change.role] == ([role] if role else [])
            assert remedy.applied(Facts(approvals=1)) != Facts(approvals=1) or subjects == ["role"]


def test_two_approvals_take_what_one_takes_and_more(person: Person) -> None:
    alone = [one for one in candidates(person(), Facts(), [])[""] if len(one.changes) == 1]
    one, two, three = (one.takes for one in alone if one.changes[0].subject == "approvals")
    assert one < two < three
    assert smallest([remedy for remedy in alone if remedy.takes in (two, three)])[0].takes == two


def test_only_the_easiest_are_shown(person: Person) -> None:
    alone = [one for one in candidates(person(), Facts(), "abcdefgh")["a"] if len(one.changes) == 1]
    many = [
        one for role in "abcdefgh" for one in candidates(person(), Facts(), "abcdefgh")[role] if len(one.changes) == 1
    ]
    assert len(alone) == 1
    assert len(smallest(many)) == MOST_SHOWN < len(many)
