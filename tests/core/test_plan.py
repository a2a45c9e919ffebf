"""Plans: steps named through the port's signature, verdicts, and what an approval is bound to."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.plan import Finding, Hold, Plan, Step, Verdict, step
from bot.core.ports import Compute
from bot.core.request import Target

TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")
RISK = Verdict(findings=(Finding(level="risk", subject="image", sentence="not known"),))
BACK = step(Compute.set_traffic, TARGET, traffic={"B": 100})
GO = step(Compute.set_traffic, TARGET, traffic={"A": 100}).undone_by(BACK).called("send traffic to A")
LOOK = Step(kind="check", verb="serving", args={"traffic": {"A": 100}}, deadline_s=120, if_broken="report")
JUDGE = Step(kind="judge", verb="errors", deadline_s=600)
PLAN = Plan(target=TARGET, version="7", summary="to A", steps=(GO, LOOK), afterwards=(JUDGE,), verdict=RISK)
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


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(texts, texts, texts, texts)
def test_texts_cannot_be_shifted_between_fields(actor: str, operation: str, reason: str, version: str) -> None:
    """Two requests that differ anywhere have different digests, whatever the texts hold."""
    one = digest(actor=actor, operation=operation, params={"reason": reason}, version=version)
    other = digest(actor=operation, operation=actor, params={"reason": version}, version=reason)
    assert (one == other) == ((actor, reason) == (operation, version))
