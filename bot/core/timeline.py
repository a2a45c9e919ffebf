"""The timeline of releases: what was brought out, moved and put back, a sentence each."""

from bot.core import staged
from bot.core.answer import Mood, Text
from bot.core.instants import in_utc
from bot.core.ports import Compute
from bot.core.request import OPEN, State
from bot.core.staged import Stages
from bot.core.system import OperationRecord

WRITES = frozenset({Compute.release.__qualname__, Compute.set_traffic.__qualname__})
TOLD: tuple[State, ...] = ("queued", "running", "applied", "failed", "cancelled", "uncertain")
MOODS: dict[State, Mood] = {"applied": "good", "failed": "bad", "uncertain": "bad"}


def belongs(record: OperationRecord) -> bool:
    """Whether it makes a release or moves traffic, or has done so, whichever operation it is."""
    if record.plan is None or record.state not in TOLD:
        return False
    moves = any(step.verb in WRITES for step in record.plan.steps)
    return moves and (bool(record.doing) or record.state in OPEN)


def line(record: OperationRecord, stages: Stages = ()) -> Text:
    """Such as "2026-11-20 07:41 UTC, deploy of shop/prod/backend by ana: Stage 2 of 4 (25 %), …"."""
    request = record.request
    at = request.received_at if record.state in OPEN else record.applied_at or record.updated_at
    about = f"{request.operation} of {record.plan.target}" if record.plan else request.operation
    is_doubtful = record.state == "applied" and record.judged == "broken"
    mood: Mood = "warning" if is_doubtful or staged.asks(record, stages) else MOODS.get(record.state, "plain")
    said = f"{in_utc(at)}, {about} by {request.actor.name}: {_state(record, stages)}"
    return Text(text=said, mood=mood)


def _state(record: OperationRecord, stages: Stages) -> str:
    """What became of it, then what was found."""
    if record.plan and stages and staged.goes_on(record):
        return " ".join((staged.brief(record.plan, stages[-1]), *(one.text for one in staged.verdict(stages))))
    summary = record.plan.summary if record.plan else ""
    said = summary if record.state in OPEN else record.detail or summary
    short = said.removeprefix(f"{record.plan.target}: ") if record.plan else said
    state = "" if record.state == "applied" else f"{record.state}: "
    return f"{state}{short.removesuffix('.')}. {record.judgement}" if record.judgement else f"{state}{short}"
