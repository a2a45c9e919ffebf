"""Deploys that run, and what else takes its time: what a rescue stops, and where each would go back to."""

from collections.abc import Iterator, Sequence

from bot.core.deploying import DEPLOYING
from bot.core.errors import UserError
from bot.core.plan import Finding, Hold
from bot.core.ports import Compute, ComputeReads
from bot.core.request import DUE, OPEN, Target
from bot.core.system import LedgerReads, OperationRecord

ALL_DUE = 1000  # of one target, of which one runs at a time


def running(target: Target, ledger: LedgerReads) -> tuple[OperationRecord, ...]:
    """What is about to change a target or does, and nobody should have to wait for, newest first."""
    found = ledger.operations(states=DUE, target=target.full_name, limit=ALL_DUE)
    return tuple(one for one in found if _is_stopped(one))


def _is_stopped(one: OperationRecord) -> bool:
    return one.request.operation in DEPLOYING or bool(one.plan and one.plan.takes_its_time)


def stable_before(deploys: Sequence[OperationRecord]) -> str:
    """The release that had all traffic before the first of them; empty when none of them moves traffic."""
    undos = (step.undo for one in reversed(deploys) if one.plan for step in one.plan.steps)
    traffic = next((Hold.model_validate(undo.args).traffic for undo in undos if undo and "traffic" in undo.args), {})
    return next(iter(traffic), "") if len(traffic) == 1 else ""


def lost_by(deploys: Sequence[OperationRecord], ledger: LedgerReads) -> Iterator[Finding]:
    """What they have begun from which nothing leads back, before any release says so."""
    for one in deploys:
        written = [(effect.call.verb, effect.call.title) for effect in ledger.effects(one.id)]
        harmful = one.plan.cannot_be_undone if one.plan else ()
        if begun := [step.title for step in harmful if (step.verb, step.title) in written]:
            said = f"`{one.id}` has begun to {begun[0]}, from which nothing leads back: what served before may not work"
            yield Finding(level="risk", subject="schema", sentence=said)


def but_for(stopped: Sequence[OperationRecord]) -> str:
    """How a sentence goes on that says of operations, which are stopped, that they put back what they changed."""
    steps = [step.title for one in stopped if one.plan for step in one.plan.cannot_be_undone]
    return f", but for what cannot be undone once it has begun: {', '.join(steps)}" if steps else ""


def gave_up(target: Target, release: str, compute: ComputeReads, ledger: LedgerReads) -> str:
    """The deploy that made a release and has ended without going through with it; empty when there is none.

    What a deploy makes is named after it, so it is found however long ago that was.
    """
    try:
        record = ledger.operation(release.rpartition("-")[2])
    except UserError:
        return ""
    made = record.request.target == target and compute.release_name(target, record.id) == release
    ended_so = record.request.operation in DEPLOYING and record.state not in (*OPEN, "applied")
    return record.id if made and ended_so else ""


def made_by(deploys: Sequence[OperationRecord]) -> Iterator[str]:
    """The releases that they make."""
    for one in deploys:
        steps = one.plan.steps if one.plan else ()
        yield from (str(step.args["name"]) for step in steps if step.verb == Compute.release.__qualname__)
