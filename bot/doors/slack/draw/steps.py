"""The steps of a change, each with how far it is."""

from typing import Literal

from bot.core.plan import Plan, Step
from bot.core.request import State
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.blocks import Block

MOST_STEPS = 20
SHOWN: tuple[State, ...] = ("waiting", "planned", "queued", "running", "applied")  # an outcome says the rest in words
Status = Literal["pending", "in_progress", "complete", "error"]
JUDGED: dict[str, Status] = {"": "pending", "pending": "in_progress", "holds": "complete", "broken": "error"}


def steps(record: OperationRecord, plan: Plan) -> Block:
    """The plan's steps and what is judged after them, as a task list."""
    done = [_status(record, plan, position) for position in range(len(plan.steps))]
    both = enumerate(zip(plan.steps, done, strict=True))
    listed = [blocks.task(at, _title(step), status) for at, (step, status) in both]
    later: Status = JUDGED.get(record.judged, "complete") if record.state == "applied" else "pending"
    listed += [blocks.task(len(done) + at, _title(step), later) for at, step in enumerate(plan.afterwards)]
    more = len(listed) - MOST_STEPS
    title = f"Plan (and {more} more: ops show {record.id})" if more > 0 else "Plan"
    return blocks.tasks(title, listed[:MOST_STEPS])


def _status(record: OperationRecord, plan: Plan, position: int) -> Status:
    """From the count of writes that were begun, which is all that the row says; undoing begins writes too."""
    if record.state == "applied":
        return "complete"
    if record.state != "running":
        return "pending"
    writes = [step.kind == "call" for step in plan.steps]
    until_here = sum(writes[: position + 1])
    if record.doing > sum(writes):
        return "error"
    if until_here < record.doing:
        return "complete"
    return "in_progress" if writes[position] and until_here == record.doing else "pending"


def _title(step: Step) -> str:
    return step.title or step.verb
