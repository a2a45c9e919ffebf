"""Undo: put back what an operation changed, if nobody has changed it since."""

from collections.abc import Iterator, Set

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.operation import Change, OperationRef, Risk, param
from bot.core.plan import Checked, Hold, Plan, Step, Verdict
from bot.core.ports import LATEST, Compute, ComputeReads, ImageReads, SecretReads, ServiceState, Sizing, Traffic
from bot.core.request import Target
from bot.core.rollout import by_name, check_serving, left_behind, look_serving, moved_pct
from bot.core.safety import can_take
from bot.core.sizing import check_sized, described, look_sized, must_serve
from bot.core.system import LedgerReads, LockReads, OperationRecord
from bot.core.traffic import describe


class OpsUndo(Change, risk=Risk.ROLLOUT, examples=("ops undo 7k3q",)):
    """Put back what an operation changed."""

    operation: OperationRef = param("Operation that was applied.", positional=True, completes="operations")

    def plan(
        self,
        ledger: LedgerReads,
        locks: LockReads,
        compute: ComputeReads,
        images: ImageReads,
        secrets: SecretReads,
        catalog: Catalog,
    ) -> Plan:
        record = ledger.operation(self.operation.id)
        done, undos = _undoable(record)
        target = done.target
        now = compute.service(target)
        if undos[-1].verb == Compute.scale.__qualname__:
            return _resized(record, done, undos, now, compute, ledger)
        releases = compute.releases(target)
        before = Hold.model_validate(undos[-1].args).traffic
        _check_possible(record, target, now, ledger, before.keys() - {LATEST} - {one.name for one in releases})
        named = by_name(before, now)
        plan = Plan(
            target=target,
            version=now.version,
            summary=f"{target}: traffic to {describe(before)}, as before {record.id} ({record.request.text})",
            steps=(*undos, look_serving(before)),
            verdict=Verdict(findings=can_take(target, named, now, releases, catalog, images, secrets)),
            hold=None if LATEST in before else _hold(before, done, ledger),
            lets_go=LATEST in before,
            unlocks=tuple(one.name for one in locks.locks() if one.operation == record.id),
            by_hand=done.undo_by_hand,
            undo_by_hand=done.by_hand,
            facts={"undoes": record.id, "traffic_moved_pct": moved_pct(named, now)},
        )
        return plan.model_copy(update={"notes": left_behind(plan, catalog)})

    def check_serving(self, compute: ComputeReads, traffic: Traffic) -> Checked:
        """Whether the platform shows that traffic is back where it was."""
        return check_serving(self._about, compute, traffic)

    def check_sized(self, compute: ComputeReads, sizing: Sizing, starts: bool) -> Checked:
        """Whether the size is back."""
        return check_sized(self._about, compute, sizing, starts=starts)

    @property
    def _about(self) -> Target:
        assert self.operation.target is not None, "only operations on a target are undone"
        return self.operation.target


def _resized(
    record: OperationRecord,
    done: Plan,
    undos: tuple[Step, ...],
    now: ServiceState,
    compute: ComputeReads,
    ledger: LedgerReads,
) -> Plan:
    """The plan that gives a service the size back that it had. Raises UserError."""
    target, back = done.target, Sizing.model_validate(undos[-1].args["sizing"])
    _check_untouched(record, target, now, ledger, f"`scale {target}`")
    if starts := compute.makes_release(target, back):
        must_serve(target, now)
    return Plan(
        target=target,
        version=now.version,
        summary=f"{target}: {described(back)}, as before {record.id} ({record.request.text})",
        steps=(*undos, look_sized(back, starts=starts)),
        by_hand=done.undo_by_hand,
        undo_by_hand=done.by_hand,
        facts={"undoes": record.id, "traffic_moved_pct": 100 if starts else 0},
    )


def _undoable(record: OperationRecord) -> tuple[Plan, tuple[Step, ...]]:
    """The plan that was applied and its undo steps, last first. Raises UserError."""
    if record.plan is None or record.state != "applied":
        state = record.state.replace("_", " ")
        raise UserError(f"Only what was applied can be undone; the state of `{record.id}` is: {state}.")
    undos = tuple(_undos(record.plan))
    if record.plan.books_only:
        instead = record.plan.undo_by_hand[0].removeprefix("aisq ")
        raise UserError(f"`{record.id}` changed nothing but our own books: `{instead}` takes it back.")
    if not undos or record.plan.others:
        lines = "`, `".join(record.plan.undo_by_hand)
        by_hand = f" By hand: `{lines}`." if lines else ""
        why = "changed several services, which cannot be undone in one" if record.plan.others else "cannot be undone"
        raise UserError(f"`{record.id}` {why} by aisq.{by_hand}")
    return record.plan, undos


def _undos(done: Plan) -> Iterator[Step]:
    """The undo steps, last first; each can be undone in its turn. Of several shifts of traffic one leads back: the
    first one's undo, from where the last one led."""
    made = [one for one in reversed(done.steps) if one.undo]
    if {one.verb for one in made} == {Compute.set_traffic.__qualname__}:
        made = [made[0].model_copy(update={"undo": made[-1].undo})]
    for one in made:
        if one.undo:
            yield one.undo.undone_by(one.model_copy(update={"undo": None})).called(f"undo: {one.title}")


def _hold(before: Traffic, done: Plan, ledger: LedgerReads) -> Hold:
    """How traffic is held then; what undid a rollback is undone together with what that rollback went away from."""
    undone = ledger.operation(str(done.facts["undoes"])).plan if "undoes" in done.facts else None
    if undone and undone.hold and undone.hold.traffic == before:
        return undone.hold
    return Hold(traffic=before)


def _check_possible(
    record: OperationRecord, target: Target, now: ServiceState, ledger: LedgerReads, gone: Set[str]
) -> None:
    """Raises UserError when somebody changed the target since, or what served before is `gone`."""
    instead = f"`rollback {target}` or `traffic {target} RELEASE=PERCENT`"
    _check_untouched(record, target, now, ledger, instead)
    if gone:
        names = " and ".join(sorted(gone))
        raise UserError(f"What served before `{record.id}` was deleted since: {names}. Say what you want: {instead}.")


def _check_untouched(
    record: OperationRecord, target: Target, now: ServiceState, ledger: LedgerReads, instead: str
) -> None:
    """Raises UserError when somebody changed the target since."""
    left_at = [one.version for one in ledger.effects(record.id) if one.ending == "succeeded"]
    if now.version not in left_at[-1:]:
        why = f"{target} was changed again since `{record.id}`; undoing that would overwrite it."
        raise UserError(f"{why} Say what you want: {instead}.")
