"""The steps of a change, each with how far it is."""

from typing import Literal

from bot.core import staged
from bot.core.plan import Plan, Step
from bot.core.request import State
from bot.core.staged import Stages
from bot.core.stages import StageRecord, StageState
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.blocks import Block

MOST_STEPS = 20
SHOWN: tuple[State, ...] = ("waiting", "planned", "queued", "running", "applied")  # an outcome says the rest in words
Status = Literal["pending", "in_progress", "complete", "error"]
STAGES: dict[StageState, Status] = {
    "baking": "in_progress",
    "held": "in_progress",
    "passed": "complete",
    "broken": "error",
}
STOPS: dict[str, Status] = {"pending": "pending", "running": "in_progress", "done": "complete"}
JUDGED: dict[str, Status] = {"": "pending", "pending": "in_progress", "holds": "complete", "broken": "error"}


def steps(record: OperationRecord, plan: Plan, stages: Stages = ()) -> Block:
    """The plan's steps, with what is to be said of its stages, and what is judged after them, as a task list."""
    begun, known = staged.begun(record, stages), {one.position: one for one in stages}
    reached = max(known, default=0)
    done: list[Status] = [
        "complete" if position < reached else _status(record, plan, position, begun)
        for position in range(len(plan.steps))
    ]
    both = enumerate(zip(plan.steps, done, strict=True))
    listed = _first(record, len(done) + len(plan.afterwards))
    listed += [
        _stage(plan, known[at]) if at in known else blocks.task(at, _title(step), status) for at, (step, status) in both
    ]
    later: Status = JUDGED.get(record.judged, "complete") if record.state == "applied" else "pending"
    listed += [blocks.task(len(done) + at, _title(step), later) for at, step in enumerate(plan.afterwards)]
    more = len(listed) - MOST_STEPS
    title = f"Plan (and {more} more: ops show {record.id})" if more > 0 else "Plan"
    return blocks.tasks(title, listed[:MOST_STEPS])


def _first(record: OperationRecord, number: int) -> list[Block]:
    """What it stops before; `number` is that of the first of these, as all of a list have their own."""
    stopped = enumerate(staged.first(record), number)
    return [blocks.task(at, one.title, STOPS[one.state]) for at, one in stopped]


def _stage(plan: Plan, stage: StageRecord) -> Block:
    """With what became of it; how one stands that is not left yet, the card says above."""
    told = staged.task(plan, stage.position, stage)
    return blocks.task(stage.position, told.title, STAGES[stage.state], told.detail if stage.is_left else "")


def _status(record: OperationRecord, plan: Plan, position: int, begun: int) -> Status:
    """From the count of writes that were begun, which is all that the row says; undoing begins writes too."""
    if record.state == "applied":
        return "complete"
    if record.state != "running":
        return "pending"
    writes = [step.kind == "call" for step in plan.steps]
    until_here = sum(writes[: position + 1])
    if begun > sum(writes):
        return "error"
    if until_here < begun:
        return "complete"
    return "in_progress" if writes[position] and until_here == begun else "pending"


def _title(step: Step) -> str:
    return step.title or step.verb
