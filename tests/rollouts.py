"""A canary at 10, 25, 50, 100 % as its rows tell it, at any stage; for whoever draws it."""

from datetime import timedelta
from typing import Any

from pydantic import JsonValue

from bot.core.canary.record import RECORD, CanaryRecord, Minute, Shift, Tally
from bot.core.canary.rules import ERRORS, CanaryRules, slow
from bot.core.plan import Plan, Step
from bot.core.request import State
from bot.core.stages import Stage, StageRecord
from bot.core.system import OperationRecord
from tests.doors.slack.harness import NOON, plan, record, request

WEIGHTS = (10, 25, 50, 100)
NEW, OLD = "backend-7k3qabcdef", "backend-00041-kex"
SAID = f"Hold at 25 %: 0.2 % errors against 0.1 % in 604 requests. About 400 more requests of {NEW} are needed."
MOST_HOLD_S = 14_400


def staged_plan(**changed: Any) -> Plan:
    """The deploy's plan: a release, a look, then a write and a look for each stage."""
    made = Step(verb="Compute.release", title=f"make release {NEW}", may_stay=True)
    ready = Step(kind="check", verb="ready", title="see that it starts", deadline_s=240)
    back = Step(verb="Compute.set_traffic")
    stages = [step for weight in WEIGHTS for step in _stage(weight, back)]
    follow = Step(verb="Compute.set_traffic", title="let traffic follow the newest release again", undo=back)
    told: dict[str, Any] = {
        "steps": (made, ready, *stages, follow),
        "afterwards": (),
        "stages": tuple(Stage(weight_pct=one, bake_s=_bake_s(one), max_hold_s=MOST_HOLD_S) for one in WEIGHTS),
        "summary": (
            f"ai-square/prod/backend: backend@sha256:24302b5749ed as {NEW}, canary 10, 25, 50, 100 %; before: {OLD}"
        ),
        "hold": None,
        "measured": {},
    }
    return plan(**{**told, **changed})


def rolling(state: State = "running", **changed: Any) -> OperationRecord:
    """The row of that deploy."""
    asked = request(operation="deploy", text="deploy backend v1.43", params={})
    return record(state, **{"request": asked, "plan": staged_plan(), "detail": "", "doing": 2, **changed})


def stage(number: int, state: str = "baking", **changed: Any) -> StageRecord:
    """Stage 1 began at noon, each other one an hour after the one before."""
    told = {
        "operation": "7k3qabcdef",
        "position": staged_plan().asking[number - 1],
        "started_at": NOON + timedelta(hours=number - 1),
        "state": state,
    }
    return StageRecord.model_validate({**told, **changed})


def until(number: int, state: str = "baking", **changed: Any) -> tuple[StageRecord, ...]:
    """Stages up to one, all but the last passed; the last one has counted for 40 minutes."""
    told = {"sentence": SAID, "evidence": counted(), **changed}
    return (*(stage(one, "passed") for one in range(1, number)), stage(number, state, **told))


def counted(minutes: int = 40, *, new: str = NEW, old: str = OLD) -> dict[str, JsonValue]:
    """What monitoring told: 60 requests a minute of the new release, of which one more is bad each minute."""
    rules = CanaryRules(metrics=(ERRORS, slow(300)))
    made = CanaryRecord(canary=new, stable=old, rules=rules, shifts=(Shift(since=NOON, weight_pct=10),))
    told = tuple(_minute(number) for number in range(minutes))
    return {RECORD: made.read(NOON + timedelta(minutes=minutes), told).model_dump(mode="json")}


def _minute(number: int) -> Minute:
    canary = Tally(total=60, bad={"errors": min(number, 60), "slow": 3})
    stable = Tally(total=540, bad={"errors": 1, "slow": 27})
    return Minute(until=NOON + timedelta(minutes=number + 1), canary=canary, stable=stable)


def _bake_s(weight: int) -> int:
    return 1800 if weight == 100 else 600


def _stage(weight: int, back: Step) -> tuple[Step, Step]:
    go = Step(verb="Compute.set_traffic", title=f"send {weight} % to {NEW}", undo=back)
    look = Step(
        kind="check",
        verb="judged",
        title=f"watch {weight} % for 10m or longer",
        deadline_s=_bake_s(weight) + MOST_HOLD_S,
        if_late="ask",
    )
    return go, look
