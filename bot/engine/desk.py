"""Acting on operations: approve, deny, cancel, steer. Policy is asked at the click, whatever the card showed.

Each states how the operation shall stand, and leaves it when it stands so: two processes may carry out one click.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.errors import Denied, UserError
from bot.core.operation import Operation
from bot.core.request import DUE, OPEN, Actor, Approval, State
from bot.core.stages import SAID, StageRecord, Steer
from bot.core.system import Clock, Directory, Ledger, OperationRecord
from bot.engine.gate import Gate
from bot.engine.registry import Registry
from bot.engine.run import Engine, subject

JUST = timedelta(seconds=60)
ENDED: dict[State, str] = {
    "queued": "it has its approvals already and begins now",
    "running": "it is running already",
    "answered": "there is nothing to decide about it",
    "planned": "it was only a plan, to look at",
    "rejected": "it could not be planned",
    "nothing_to_do": "there was nothing to do",
    "applied": "it is done already",
    "denied": "it was denied",
    "failed": "it failed",
    "cancelled": "it was cancelled",
    "expired": "its time to be approved has passed; ask for it again",
    "uncertain": "it ended, uncertain; look at its target",
    "accepted": "it is still being planned; try again in a moment",
}


class OperationDesk:
    """What `Desk` promises, on the ledger."""

    def __init__(
        self, registry: Registry, engine: Engine, gate: Gate, directory: Directory, ledger: Ledger, clock: Clock
    ) -> None:
        self._registry, self._engine, self._gate = registry, engine, gate
        self._directory, self._ledger, self._clock = directory, ledger, clock

    def approve(self, operation: str, digest: str, actor: Actor) -> OperationRecord:
        """Count one yes to the plan with this digest (empty: the one that is shown now), once for each person."""
        record = self._ledger.operation(operation)
        if record.state in DUE and any(one.actor.id == actor.id for one in record.approvals):
            return record
        self._check_waiting(record)
        if digest and not record.digest.startswith(digest):
            raise Denied("that was another plan; look at the one shown now and approve that")
        approver = self._allowed("approve", actor, record)
        if self._directory.actor(record.request.actor.id).active is False:
            raise Denied(f"{record.request.actor.name}, who asked for it, was deactivated since; ask for it yourself")
        self._engine.standing(record, approver)
        given = Approval(actor=approver, digest=record.digest, given_at=self._clock.now())
        self._ledger.approve(record.id, given)
        return self._ledger.operation(record.id)

    def deny(self, operation: str, reason: str, actor: Actor) -> OperationRecord:
        """End what waits for approval."""
        record = self._ledger.operation(operation)
        if record.state != "denied":
            self._check_waiting(record)
        by = self._allowed("deny", actor, record)
        why = f": {reason}" if reason else ""
        self._ledger.end(record.id, "denied", f"denied by {by.name}{why}; nothing was done", by.id)
        return self._ledger.operation(record.id)

    def cancel(self, operation: str, actor: Actor) -> OperationRecord:
        """End what has not begun; ask what runs to stop after the write that it is making."""
        record = self._ledger.operation(operation)
        if record.state not in (*OPEN, "cancelled"):
            raise UserError(f"`{record.id}` cannot be cancelled: {ENDED[record.state]}.")
        by = self._allowed("ops cancel", actor, record)
        self._ledger.cancel(record.id, by.name)
        return self._ledger.operation(record.id)

    def steer(
        self, operation: str, steer: Steer, stage: int | None, actor: Actor, asked_at: datetime
    ) -> tuple[OperationRecord, StageRecord]:
        """Let one stage pass, or hold it; a stage that was left because of another click stands so too."""
        record = self._ledger.operation(operation)
        position = self._stage(record, steer, stage, asked_at)
        by = self._allowed(f"ops {steer}", actor, record)
        now, record = self._ledger.steer(record.id, position, steer, by), self._ledger.operation(record.id)
        if now is None or now.state != SAID[steer]:
            raise UserError(_unsteerable(record, position, now))
        return record, now

    def _stage(self, record: OperationRecord, steer: Steer, stage: int | None, asked_at: datetime) -> int:
        """The position of the step that is meant. Raises UserError."""
        positions = record.plan.asking if record.plan else ()
        begun = [one for one in self._ledger.stages(record.id) if one.started_at < asked_at]
        if not positions:
            raise UserError(f"`{record.id}` has no stages: it goes on by itself.")
        if stage is None and not begun:
            raise UserError(f"No stage of `{record.id}` had begun when you asked; `ops show {record.id}` shows it.")
        if stage is not None and stage > len(positions):
            raise UserError(f"`{record.id}` has {len(positions)} stages; write --stage 1 to {len(positions)}.")
        if stage is None and steer == "advance" and _is_surely_the_one_before(begun, asked_at):
            raise UserError(_just_advanced(record, begun))
        return begun[-1].position if stage is None else positions[stage - 1]

    def _check_waiting(self, record: OperationRecord) -> None:
        if record.state == "waiting" and record.expires_at and record.expires_at < self._clock.now():
            raise Denied(ENDED["expired"])
        if record.state != "waiting":
            raise UserError(f"`{record.id}` is not waiting for approval: {ENDED[record.state]}.")

    def _allowed(self, command: str, actor: Actor, record: OperationRecord) -> Actor:
        """The actor as known now, if policy lets them do it."""
        now = self._directory.actor(actor.id)
        self._gate.permit(now, self._about(command, record))
        return now

    def _about(self, command: str, record: OperationRecord) -> Operation:
        return self._registry.command(command).model_validate({"operation": subject(record)})


def _is_surely_the_one_before(begun: Sequence[StageRecord], asked_at: datetime) -> bool:
    """Whether somebody let the stage before pass a moment ago: who says so again, or as well, means that one."""
    fresh = asked_at - begun[-1].started_at < JUST
    return fresh and len(begun) > 1 and begun[-2].steered == "advance"


def _just_advanced(record: OperationRecord, begun: Sequence[StageRecord]) -> str:
    assert record.plan is not None, "what has stages has a plan"
    before, now = (record.plan.stage_name(one.position) for one in begun[-2:])
    said = f"{begun[-2].steered_by} has just let {before} pass, and {now} has only begun"
    return f"{said}: to leave that too, write `ops advance {record.id} --stage {len(begun)}`."


def _unsteerable(record: OperationRecord, position: int, now: StageRecord | None) -> str:
    """Why nothing that is said of a stage counts."""
    assert record.plan is not None, "what has stages has a plan"
    name = f"{record.plan.stage_name(position).capitalize()} of `{record.id}`"
    if record.state not in DUE:
        return f"{name} cannot be steered: {ENDED.get(record.state, 'it has not begun')}."
    if record.cancel_by:
        return f"{name} cannot be steered: it was cancelled by {record.cancel_by}, and what it changed is put back."
    if now is None:
        return f"{name} has not begun yet."
    return f"{name} is over: {'it passed' if now.state == 'passed' else now.sentence.rstrip('.')}."
