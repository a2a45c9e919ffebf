"""Undo: put back what an operation changed, if nobody has changed it since."""

from bot.core.errors import UserError
from bot.core.operation import Change, OperationRef, Risk, param
from bot.core.plan import Checked, Hold, Plan
from bot.core.ports import LATEST, ComputeReads, Traffic
from bot.core.rollout import check_serving, look_serving
from bot.core.system import LedgerReads


class OpsUndo(Change, risk=Risk.ROLLOUT, examples=("ops undo 7k3q",)):
    """Put back what an operation changed."""

    operation: OperationRef = param("Operation that was applied.", positional=True, completes="operations")

    def plan(self, ledger: LedgerReads, compute: ComputeReads) -> Plan:
        record = ledger.operation(self.operation.id)
        done = record.plan
        if done is None or record.state != "applied":
            raise UserError(f"`{record.id}` changed nothing that could be put back: it is {record.state}.")
        now = compute.service(done.target)
        left_at = [one.version for one in ledger.effects(record.id) if one.ending == "succeeded"]
        if now.version != left_at[-1]:
            raise UserError(
                f"{done.target} was changed again since `{record.id}`; undoing that would overwrite it."
                f" Say what you want: `rollback {done.target}` or `traffic {done.target} RELEASE=PERCENT`."
            )
        undos = tuple(step.undo.called(f"undo: {step.title}") for step in reversed(done.steps) if step.undo)
        before: Traffic = {name: int(share) for name, share in undos[-1].args["traffic"].items()}  # type: ignore[union-attr,arg-type]
        return Plan(
            target=done.target,
            version=now.version,
            summary=f"{done.target}: put back what {record.id} changed ({record.request.text})",
            steps=(*undos, look_serving(before)),
            hold=None if LATEST in before else Hold(traffic=before),
            lets_go=LATEST in before,
            by_hand=done.undo_by_hand,
            undo_by_hand=done.by_hand,
            facts={"undoes": record.id},
        )

    def check_serving(self, compute: ComputeReads, traffic: Traffic) -> Checked:
        """Whether the platform shows that traffic is back where it was."""
        target = self.operation.target
        assert target is not None, "only operations on a target are undone"
        return check_serving(target, compute, traffic)
