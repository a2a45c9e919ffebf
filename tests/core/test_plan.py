"""Plans: steps named through the port's signature, verdicts, and what an approval is bound to."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.core.locks import Lock
from bot.core.plan import Checked, Finding, Hold, Plan, Step, Verdict, Versioned, step
from bot.core.ports import Compute
from bot.core.request import Target
from bot.core.stages import Stage

TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")
RISK = Verdict(findings=(Finding(level="risk", subject="image", sentence="not known"),))
OTHER = TARGET.model_copy(update={"name": "worker"})
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BACK = step(Compute.set_traffic, TARGET, traffic={"B": 100})
GO = step(Compute.set_traffic, TARGET, traffic={"A": 100}).undone_by(BACK).called("send traffic to A")
LOOK = Step(kind="check", verb="serving", args={"traffic": {"A": 100}}, deadline_s=120, if_broken="report")
JUDGE = Step(kind="judge", verb="errors", deadline_s=600)
PLAN = Plan(target=TARGET, version="7", summary="to A", steps=(GO, LOOK), afterwards=(JUDGE,), verdict=RISK)
THIRD = TARGET.model_copy(update={"name": "web"})
WIDE = PLAN.model_copy(
    update={
        "others": (Versioned(target=OTHER, version="3", hold=Hold(traffic={"W": 100})),),
        "locks": (Lock(target="a"),),
        "unlocks": ("c",),
    }
)
BOUND: dict[str, Any] = {"actor": "slack:U0ANA", "operation": "rollback", "params": {"to": "A", "reason": "5xx"}}


def findings(*levels: Literal["good", "risk", "bad"]) -> Verdict:
    return Verdict(findings=tuple(Finding(level=level, subject="x", sentence="y") for level in levels))


def digest(**changed: Any) -> str:
    """Of the plan with other fields, for another actor, operation or parameters."""
    asked = {name: changed.pop(name, value) for name, value in BOUND.items()}
    return PLAN.model_copy(update=changed).digest(**asked)


def test_a_step_names_a_call_as_json() -> None:
    assert GO.verb == "Compute.set_traffic"
    assert GO.args == {"target": TARGET.model_dump(mode="json"), "traffic": {"A": 100}}
    assert (GO.kind, GO.title, GO.undo, GO.if_broken) == ("call", "send traffic to A", BACK, "undo")


@pytest.mark.parametrize("args", [(), (TARGET,), (TARGET, {}, {})])
def test_a_step_that_the_port_would_not_take_is_refused(args: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"missing a required argument|too many positional"):
        step(Compute.set_traffic, *args)


def test_a_step_with_a_slip_in_a_name_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'share'"):
        step(Compute.set_traffic, TARGET, traffic={}, share={"A": 100})  # type: ignore[call-arg]


def test_a_step_survives_being_stored() -> None:
    assert Plan.model_validate_json(PLAN.model_dump_json()) == PLAN


@pytest.mark.parametrize(
    "levels, expected",
    [
        ((), "GO"),
        (("good", "good"), "GO"),
        (("good", "risk"), "GO WITH RISK"),
        (("risk", "bad", "good"), "NO GO"),
        (("bad",), "NO GO"),
    ],
)
def test_the_worst_finding_is_the_verdict(levels: tuple[Any, ...], expected: str) -> None:
    assert findings(*levels).level == expected


CHANGES: list[dict[str, Any]] = [
    {"actor": "slack:U0BEN"},
    {"operation": "traffic"},
    {"params": {"to": "A", "reason": "else"}},
    {"params": {"to": "A"}},
    {"target": TARGET.model_copy(update={"environment": "staging"})},
    {"target": TARGET.model_copy(update={"place": {"project": "other"}})},
    {"version": "8"},
    {"verdict": None},
    {"verdict": findings("good")},
    {"verdict": findings("bad")},
    {"steps": ()},
    {"steps": (LOOK, GO)},
    {"steps": (GO,)},
    {"steps": (GO.model_copy(update={"args": {**GO.args, "traffic": {"A": 99, "B": 1}}}), LOOK)},
    {"steps": (GO.model_copy(update={"verb": "Compute.delete"}), LOOK)},
    {"steps": (GO.model_copy(update={"undo": None}), LOOK)},
    {"steps": (GO.undone_by(BACK.model_copy(update={"args": {}})), LOOK)},
    {"steps": (GO, LOOK.model_copy(update={"kind": "judge"}))},
    {"steps": (GO, LOOK.model_copy(update={"deadline_s": 121}))},
    {"steps": (GO, LOOK.model_copy(update={"if_broken": "undo"}))},
    {"afterwards": ()},
    {"afterwards": (JUDGE.model_copy(update={"deadline_s": 1}),)},
    {"steps": (GO, LOOK.model_copy(update={"if_late": "ask"}))},
    {"steps": (GO.model_copy(update={"may_stay": True}), LOOK)},
    {"steps": (GO.undone_by(BACK.model_copy(update={"may_stay": True})), LOOK)},
    {"steps": (GO.model_copy(update={"may_be_left": True}), LOOK)},
    {"others": (Versioned(target=OTHER, version="7"),)},
    {"others": (Versioned(target=OTHER, version="8"),)},
    {"others": (Versioned(target=TARGET, version="7"),)},
    {"stages": (Stage(weight_pct=10, bake_s=600),)},
    {"stages": (Stage(weight_pct=10, bake_s=600, max_hold_s=60),)},
    {"locks": (Lock(target="shop/prod/backend"),)},
    {"locks": (Lock(target="shop/prod/worker"),)},
    {"locks": (Lock(target="shop/prod/backend", kind="freeze"),)},
    {"locks": (Lock(target="shop/prod/backend", until=NOON),)},
    {"locks": (Lock(target="shop/prod/backend", until=NOON + timedelta(hours=1)),)},
    {"unlocks": ("shop/prod/backend",)},
    {"preempts": ("7k3q000000",)},
]
SAME: list[dict[str, Any]] = [
    {"measured": {"error_rate_pct": 12.5}},
    {"summary": "all traffic to A"},
    {"notes": ("a note",)},
    {"by_hand": ("gcloud …",)},
    {"undo_by_hand": ("gcloud …",)},
    {"facts": {"traffic_moved_pct": 100}},
    {"hold": Hold(traffic={"A": 100}, away_from=("B",))},
    {"steps": (GO.called("put better"), LOOK.called("look"))},
    {"steps": (GO.undone_by(BACK.called("put back better")), LOOK)},
    {"afterwards": (JUDGE.called("judge"),)},
    {"verdict": RISK.model_copy(update={"findings": (*RISK.findings, *findings("good", "risk").findings)})},
    {"params": {"reason": "5xx", "to": "A"}},
]


@pytest.mark.parametrize("changed", CHANGES, ids=[f"{number} {next(iter(one))}" for number, one in enumerate(CHANGES)])
def test_the_digest_changes_with_what_is_approved(changed: dict[str, Any]) -> None:
    assert digest(**changed) != digest()


def test_no_two_plans_have_the_same_digest() -> None:
    digests = [digest(), *(digest(**changed) for changed in CHANGES)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("changed", SAME, ids=[f"{number} {next(iter(one))}" for number, one in enumerate(SAME)])
def test_the_digest_stands_still_otherwise(changed: dict[str, Any]) -> None:
    assert digest(**changed) == digest()


def test_the_digest_is_the_same_in_every_process() -> None:
    assert digest() == Plan.model_validate_json(PLAN.model_dump_json()).digest(**BOUND)
    assert len(digest()) == 64


def test_a_digest_that_people_approved_long_ago_still_stands() -> None:
    """As aisq 0.1.0 had it, before plans had several targets, stages and locks."""
    assert digest() == "0e971d39899d73833526397d2fb20b7dc7ccf65dfd3515c974ab9f38842df9e6"


HELD = Hold(traffic={"A": 100})


def test_that_deploys_are_locked_goes_with_traffic_that_is_held() -> None:
    """Programs that know no locks have approved it as well."""
    assert digest(hold=HELD, locks=(Lock(target=TARGET.full_name, reason="rolled back from B"),)) == digest()
    other = (Versioned(target=OTHER, version="3", hold=HELD),)
    assert digest(others=other, locks=(Lock(target=OTHER.full_name),)) == digest(others=other)


@pytest.mark.parametrize(
    "lock",
    [
        Lock(target=OTHER.full_name),
        Lock(target="shop/prod"),
        Lock(target=TARGET.full_name, until=NOON),
        Lock(target=TARGET.full_name, kind="freeze"),
    ],
)
def test_any_other_lock_is_approved_with_it(lock: Lock) -> None:
    assert digest(hold=HELD, locks=(lock,)) != digest()


def test_why_it_is_locked_are_words() -> None:
    one, other = (Lock(target=OTHER.full_name, reason=reason) for reason in ("5xx", "it burns"))
    assert digest(locks=(one,)) == digest(locks=(other,))


def preempting(**changed: Any) -> str:
    return digest(preempts=("7k3q000000",), **changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "9"},
        {"steps": (GO.undone_by(BACK.model_copy(update={"args": {}})), LOOK)},
        {"steps": (GO.model_copy(update={"undo": None}), LOOK)},
    ],
)
def test_what_is_stopped_first_may_move_the_version_and_what_the_undo_is(changed: dict[str, Any]) -> None:
    assert preempting(**changed) == preempting() != digest()


@pytest.mark.parametrize("changed", [{"steps": (GO,)}, {"preempts": ("another",)}, {"verdict": findings("bad")}])
def test_what_is_stopped_first_may_move_nothing_else(changed: dict[str, Any]) -> None:
    assert digest(**{"preempts": ("7k3q000000",), **changed}) != preempting()


def test_versions_of_other_targets_move_too() -> None:
    one, other = (Versioned(target=OTHER, version=version) for version in ("1", "2"))
    assert preempting(others=(one,)) == preempting(others=(other,)) != preempting()


@pytest.mark.parametrize(
    "more, nothing",
    [({}, True), ({"steps": (GO,)}, False), ({"locks": (Lock(target="a"),)}, False), ({"unlocks": ("a",)}, False)],
)
def test_what_only_locks_or_unlocks_is_something_to_do(more: dict[str, Any], nothing: bool) -> None:
    assert Plan(target=TARGET, version="", **more).is_nothing is nothing


def test_a_step_is_about_its_own_target_or_the_plans() -> None:
    elsewhere = step(Compute.set_traffic, OTHER, traffic={"A": 100})
    assert [PLAN.target_of(one) for one in (elsewhere, GO, LOOK)] == [OTHER, TARGET, TARGET]


def test_all_targets_are_those_of_others_too() -> None:
    hold, other = Hold(traffic={"A": 100}), Versioned(target=OTHER, version="3")
    plan = PLAN.model_copy(update={"others": (other,), "hold": hold})
    assert plan.targets == (Versioned(target=TARGET, version="7", hold=hold), other)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_evidence_is_what_every_database_can_hold(number: float) -> None:
    with pytest.raises(ValidationError):
        Checked(state="holds", sentence="", evidence={"rates": [number]})


@pytest.mark.parametrize(
    "some, part",
    [
        ({}, True),
        ({"steps": (GO,)}, True),
        ({"steps": (LOOK,)}, True),
        ({"steps": (), "afterwards": ()}, True),
        ({"steps": (GO.undone_by(LOOK).called("else"), LOOK)}, True),
        ({"steps": (LOOK, GO)}, False),
        ({"steps": (GO, GO)}, False),
        ({"steps": (GO.model_copy(update={"args": {}}),)}, False),
        ({"afterwards": (JUDGE, JUDGE)}, False),
        ({"others": ()}, True),
        ({"locks": (Lock(target="a", reason="put in other words"),), "unlocks": ()}, True),
        ({"others": (*WIDE.others, Versioned(target=THIRD, version="1"))}, False),
        ({"locks": (*WIDE.locks, Lock(target="b"))}, False),
        ({"locks": (Lock(target="a", kind="freeze"),)}, False),
        ({"unlocks": ("c", "d")}, False),
    ],
)
def test_a_plan_may_be_part_of_another(some: dict[str, Any], part: bool) -> None:
    assert WIDE.model_copy(update=some).is_part_of(WIDE) is part


def test_what_is_left_of_a_plan_leads_where_it_led() -> None:
    """Of two targets one needs no step any more, and is held and locked all the same."""
    fresh = PLAN.model_copy(update={"version": "9", "steps": (LOOK,), "facts": {"now": 1}, "summary": "less"})
    left = WIDE.left_by(fresh)
    assert (left.version, left.steps, left.facts) == ("9", (LOOK,), {"now": 1})
    assert (left.others, left.locks, left.unlocks, left.summary) == (
        WIDE.others,
        WIDE.locks,
        WIDE.unlocks,
        WIDE.summary,
    )
    moved = fresh.model_copy(update={"others": (Versioned(target=OTHER, version="4"),)})
    assert [(one.version, one.hold) for one in WIDE.left_by(moved).others] == [("4", WIDE.others[0].hold)]


def test_of_a_plan_of_which_nothing_is_left_the_verdict_stands() -> None:
    approved = WIDE.model_copy(update={"verdict": findings("risk"), "facts": {"then": 1}})
    left = approved.left_by(Plan(target=TARGET, version="9", why="it serves already"))
    assert (left.steps, left.afterwards, left.version, left.why) == ((), (), "9", "it serves already")
    assert (left.verdict, left.facts, left.is_nothing) == (findings("risk"), {"then": 1}, False)


def test_stages_are_called_by_number_and_weight() -> None:
    asks = LOOK.model_copy(update={"if_late": "ask"})
    plan = PLAN.model_copy(update={"steps": (GO, asks, asks), "stages": (Stage(weight_pct=10, bake_s=60),)})
    assert [plan.stage_name(position) for position in plan.asking] == ["stage 1 (10 %)", "stage 2"]


def test_stages_are_the_steps_that_may_ask() -> None:
    asks = LOOK.model_copy(update={"if_late": "ask"})
    assert PLAN.model_copy(update={"steps": (GO, asks, LOOK, GO, asks)}).asking == (1, 4)
    assert PLAN.asking == ()


@pytest.mark.parametrize(
    "more, takes",
    [({}, False), ({"deadline_s": 300}, False), ({"deadline_s": 301}, True), ({"if_late": "ask"}, True)],
)
def test_what_takes_its_time_says_so(more: dict[str, Any], takes: bool) -> None:
    assert PLAN.model_copy(update={"steps": (GO, LOOK.model_copy(update=more))}).takes_its_time is takes


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(texts, texts, texts, texts)
def test_texts_cannot_be_shifted_between_fields(actor: str, operation: str, reason: str, version: str) -> None:
    """Two requests that differ anywhere have different digests, whatever the texts hold."""
    one = digest(actor=actor, operation=operation, params={"reason": reason}, version=version)
    other = digest(actor=operation, operation=actor, params={"reason": version}, version=reason)
    assert (one == other) == ((actor, reason) == (operation, version))
