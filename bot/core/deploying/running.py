"""Deploys that run, and what else takes its time: what a rescue stops, and where each would go back to."""

from collections.abc import Iterator, Sequence

from bot.core.deploying import DEPLOYING
from bot.core.plan import Hold
from bot.core.ports import Compute
from bot.core.request import DUE, Target
from bot.core.system import LedgerReads, OperationRecord


def running(target: Target, ledger: LedgerReads) -> tuple[OperationRecord, ...]:
    """What is about to change a target or does, and nobody should have to wait for, newest first."""
    found = ledger.operations(open_only=True, target=target.full_name)
    return tuple(one for one in found if one.state in DUE and _is_stopped(one))


def _is_stopped(one: OperationRecord) -> bool:
    return one.request.operation in DEPLOYING or bool(one.plan and one.plan.takes_its_time)


def stable_before(deploys: Sequence[OperationRecord]) -> str:
    """The release that had all traffic before the first of them; empty when none of them moves traffic."""
    undos = (step.undo for one in reversed(deploys) if one.plan for step in one.plan.steps)
    traffic = next((Hold.model_validate(undo.args).traffic for undo in undos if undo and "traffic" in undo.args), {})
    return next(iter(traffic), "") if len(traffic) == 1 else ""


def made_by(deploys: Sequence[OperationRecord]) -> Iterator[str]:
    """The releases that they make."""
    for one in deploys:
        steps = one.plan.steps if one.plan else ()
        yield from (str(step.args["name"]) for step in steps if step.verb == Compute.release.__qualname__)
