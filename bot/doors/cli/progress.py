"""The steps of a change as a terminal shows them, each with how far it is."""

from bot.core import staged
from bot.core.answer import Task, Tasks
from bot.core.plan import Plan, Step
from bot.core.request import State
from bot.core.staged import Stages
from bot.core.stages import StageRecord
from bot.core.system import OperationRecord


def steps(record: OperationRecord, plan: Plan, stages: Stages = ()) -> Tasks:
    """What it stops first, then the steps. The row counts the writes that were begun, and stages say where they are;
    that is all that there is to know."""
    known, begun = {one.position: one for one in stages}, staged.begun(record, stages)
    reached, calls, tasks = max(known, default=0), 0, list(staged.first(record))
    for position, step in enumerate(plan.steps):
        calls += step.kind == "call"
        if position in known:
            tasks.append(_stage(plan, known[position]))
        else:
            state = "done" if position < reached else _state(record, step, begun, calls)
            tasks.append(Task.model_validate({"title": step.title or step.verb, "state": state}))
    return Tasks(title="", tasks=tuple(tasks))


def _stage(plan: Plan, stage: StageRecord) -> Task:
    """With what became of it; how one stands that is not left yet, the line below says."""
    told = staged.task(plan, stage.position, stage)
    return told if stage.is_left else told.model_copy(update={"detail": ""})


def _state(record: OperationRecord, step: Step, begun: int, calls: int) -> str:
    """`calls`: how many writes the plan has until and with this step; `begun`: how many were."""
    if record.state == "applied" or (begun and calls < begun):
        return "done"
    return _current(record.state, step) if begun and calls == begun else "pending"


def _current(state: State, step: Step) -> str:
    if state == "running":
        return "running" if step.kind == "call" else "pending"
    return "failed" if state in ("failed", "uncertain", "cancelled") and step.kind == "call" else "pending"
