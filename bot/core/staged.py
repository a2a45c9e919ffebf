"""How a rollout in stages stands: which stage, until when, what was found last, and old against new; doors draw it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from bot.core.answer import Mood, Part, Series, Task, Tasks, Text
from bot.core.canary.drawn import charts
from bot.core.canary.record import RECORD, CanaryRecord
from bot.core.instants import in_utc
from bot.core.plan import Plan
from bot.core.stages import StageRecord, StageState
from bot.core.system import OperationRecord

Stages = Sequence[StageRecord]  # those that have begun, in the order of their steps
MOODS: dict[StageState, Mood] = {"baking": "plain", "held": "warning", "passed": "good", "broken": "bad"}
TASKS: dict[StageState, str] = {"baking": "running", "held": "running", "passed": "done", "broken": "failed"}


def parts(record: OperationRecord, stages: Stages) -> tuple[Part, ...]:
    """All of it, in reading order; nothing before the first stage has begun."""
    if record.plan is None or not stages:
        return ()
    where = standing(record, stages)
    said = (Text(text=where),) if where else ()
    return (*said, *verdict(stages), progress(record.plan, stages), *compared(stages))


def first(record: OperationRecord) -> tuple[Task, ...]:
    """What makes way for it before its own steps: of each operation that it stops, how far that is. It has the mutex,
    and so those have their outcome, as soon as it runs."""
    stopped = dict.fromkeys(record.plan.stopped) if record.plan else ()
    has_begun = record.state in ("running", "applied") or bool(record.doing)
    state = "done" if has_begun else "running" if record.state == "queued" else "pending"
    return tuple(Task.model_validate({"title": f"stop {one}, which runs there", "state": state}) for one in stopped)


def steerable(record: OperationRecord, stages: Stages) -> StageRecord | None:
    """The stage of which people may say now that it is over, or that it is held."""
    last = stages[-1] if stages else None
    return last if last and not last.is_left and goes_on(record) else None


def goes_on(record: OperationRecord) -> bool:
    """Whether it runs in stages, and nobody has asked it to stop."""
    return record.state == "running" and not record.cancel_by and bool(record.plan and record.plan.asking)


def asks(record: OperationRecord, stages: Stages) -> bool:
    """Whether it waits for a person, for as long as that takes."""
    stage = steerable(record, stages)
    return stage is not None and stage.state == "held"


def number(plan: Plan, stage: StageRecord) -> int:
    """Of a stage, as people count: from 1."""
    return plan.asking.index(stage.position) + 1


def standing(record: OperationRecord, stages: Stages) -> str:
    """Where it is: "Stage 2 of 4 (25 %): since 2026-11-20 07:41 UTC, watched until 2026-11-20 07:51 UTC at least."

    Empty before the first stage has begun, and when all of them were passed.
    """
    if record.plan is None or not stages or record.state == "applied":
        return ""
    if goes_on(record):
        return told(record.plan, stages[-1])
    return f"It had come to {_of_all(record.plan, stages[-1]).lower()}."


def told(plan: Plan, stage: StageRecord) -> str:
    """One stage: which, since when, and until when or what ended it."""
    return f"{_of_all(plan, stage)}: {about(plan, stage)}."


def brief(plan: Plan, stage: StageRecord) -> str:
    """ "Stage 2 of 4 (25 %), watched until 2026-11-20 07:51 UTC at least." """
    ends = next(_timers(plan, stage)) if stage.state == "baking" else _ends(plan, stage)
    return f"{_of_all(plan, stage)}, {ends}."


def verdict(stages: Stages) -> tuple[Text, ...]:
    """What was found last, as a sentence; none while nothing was."""
    last = next((one for one in reversed(stages) if one.sentence), None)
    return (Text(text=last.sentence, mood=MOODS[last.state]),) if last else ()


def news(record: OperationRecord, stages: Stages) -> tuple[Text, ...]:
    """The same, unless the outcome repeats it."""
    return tuple(one for one in verdict(stages) if one.text.removesuffix(".") not in record.detail)


def progress(plan: Plan, stages: Stages) -> Tasks:
    """Every stage with how far it is, also those that have not begun."""
    begun = {one.position: one for one in stages}
    tasks = [task(plan, position, begun.get(position)) for position in plan.asking]
    return Tasks(title="Stages", tasks=tuple(tasks))


def task(plan: Plan, position: int, stage: StageRecord | None) -> Task:
    """One stage, whether it has begun or not."""
    step = plan.steps[position]
    state, detail = (TASKS[stage.state], about(plan, stage)) if stage else ("pending", "")
    return Task.model_validate({"title": step.title or step.verb, "state": state, "detail": detail})


def about(plan: Plan, stage: StageRecord) -> str:
    """Since when, and until when or what ended it."""
    since = f"since {in_utc(stage.started_at)}"
    return f"{since}, {_ends(plan, stage)}"


def compared(stages: Stages) -> tuple[Series, ...]:
    """The new release against the old one, by what was counted until the last look; none where nothing was."""
    counted = [one.evidence[RECORD] for one in stages if RECORD in one.evidence]
    try:
        every = tuple(charts(CanaryRecord.model_validate(counted[-1]))) if counted else ()
    except ValidationError:  # another version's
        return ()
    return tuple(one for one in every if any(value is not None for values in one.lines.values() for value in values))


def _of_all(plan: Plan, stage: StageRecord) -> str:
    """ "Stage 2 of 4 (25 %)" """
    at = number(plan, stage)
    weight = f" ({plan.stages[at - 1].weight_pct} %)" if len(plan.stages) >= at else ""
    return f"Stage {at} of {len(plan.asking)}{weight}"


def _ends(plan: Plan, stage: StageRecord) -> str:
    if stage.state == "passed":
        return f"let pass by {stage.steered_by}" if stage.steered == "advance" else "passed"
    if stage.state == "broken":
        return "broken"
    if stage.state == "held" and stage.steered == "hold":
        return f"held by {stage.steered_by} until somebody decides"
    if stage.state == "held":
        return "not decided in its time: it waits for a person"
    return "; ".join(_timers(plan, stage))


def _timers(plan: Plan, stage: StageRecord) -> Iterator[str]:
    """Until when it is watched at least, and from when on a person decides."""
    at, late_s = number(plan, stage), plan.steps[stage.position].deadline_s
    bake_s = plan.stages[at - 1].bake_s if len(plan.stages) >= at else late_s
    yield f"watched until {_after(stage, bake_s)} at least"
    if late_s > bake_s:
        yield f"a person decides if it is not decided by {_after(stage, late_s)}"


def _after(stage: StageRecord, seconds: int) -> str:
    instant: datetime = stage.started_at + timedelta(seconds=seconds)
    return in_utc(instant)


def begun(record: OperationRecord, stages: Stages) -> int:
    """How many writes of the plan were begun, without those that put something back, where stages tell which are."""
    if record.plan is None or not stages:
        return record.doing
    last, plan = stages[-1], record.plan
    after = [position for position in plan.asking if position > last.position]
    reach = last.position if last.state != "passed" else after[0] if after else len(plan.steps)
    return min(record.doing, sum(step.kind == "call" for step in plan.steps[: reach + 1]))
