"""From an accepted request to an approved one: plan or answer, authorise, propose; and review before it is applied."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from bot.core.answer import Answer
from bot.core.errors import CloudError, Denied, StoreError, UserError
from bot.core.operation import Change, Operation
from bot.core.plan import Moment, Plan
from bot.core.request import Actor, Request
from bot.core.system import Clock, Directory, Ledger, OperationRecord, Proposal, Replicas
from bot.engine.bind import Binder
from bot.engine.doable import check_carried, check_doable, check_free
from bot.engine.gate import Gate
from bot.engine.left import left_at
from bot.engine.logs import about
from bot.engine.registry import Registry
from bot.engine.steps import Done

log = logging.getLogger(__name__)


class Engine:
    """What becomes of an accepted request. `approval_for` is how long people have to approve."""

    def __init__(
        self,
        registry: Registry,
        binder: Binder,
        gate: Gate,
        directory: Directory,
        ledger: Ledger,
        replicas: Replicas,
        clock: Clock,
        approval_for: timedelta,
    ) -> None:
        self._registry, self._binder, self._gate = registry, binder, gate
        self._directory, self._ledger, self._replicas, self._clock = directory, ledger, replicas, clock
        self._approval_for = approval_for

    def proceed(self, operation: str) -> OperationRecord:
        """Plan, answer or act. Safe to call again, from anywhere: who comes second changes nothing."""
        with about(operation):
            record = self._ledger.operation(operation)
            if record.state == "accepted":
                self._ledger.propose(operation, self._proposal(record))
            return self._ledger.operation(operation)

    def _proposal(self, record: OperationRecord) -> Proposal:
        try:
            made = self._registry.load(record.request)
            if isinstance(made, Change):
                return self._planned(record, made)
            self._gate.permit(record.request.actor, made)
            return Proposal(state="answered", detail="", answer=self._answer(record, made))
        except UserError as error:
            return Proposal(state="rejected", detail=str(error))
        except Denied as error:
            return Proposal(state="denied", detail=str(error), permitted_by=error.policy)
        except (CloudError, StoreError) as error:
            return Proposal(state="failed", detail=f"nothing done: {error}")
        except Exception as bug:  # nothing was changed; left "accepted", it would be planned for ever
            log.exception("operation %s met a bug while it was planned", record.id)
            return Proposal(state="failed", detail=f"nothing done: a bug in aisq ({type(bug).__name__})")

    def _answer(self, record: OperationRecord, made: Operation) -> Answer:
        given = self._binder.arguments(made, "", record.request, record.request.actor, self._moment())
        answer = getattr(made, made.verb)(**given)
        assert isinstance(answer, Answer), f"{made.command()} must return an Answer"
        return answer

    def _planned(self, record: OperationRecord, made: Change) -> Proposal:
        plan = self._plan(record.request, made)
        if plan.is_nothing:
            return Proposal(state="nothing_to_do", detail=plan.why, plan=plan)
        actor = record.request.actor
        try:
            permit = self._gate.permit(actor, made, plan=plan)
        except Denied as error:
            return Proposal(state="denied", detail=str(error), permitted_by=error.policy, plan=plan)
        if made.dry_run:
            detail = f"{plan.summary}. {self._would(actor, made, plan)}"
            return Proposal(state="planned", detail=detail, plan=plan, digest=_digest(record, plan))
        self._check_beginning(plan)
        proposal = Proposal(
            state="waiting",
            detail=plan.summary,
            plan=plan,
            digest=_digest(record, plan),
            approvals_needed=permit.approvals,
            permitted_by=permit.by,
            expires_at=self._clock.now() + self._approval_for,
        )
        return proposal if permit.approvals else proposal.model_copy(update={"state": "queued", "expires_at": None})

    def _would(self, actor: Actor, made: Change, plan: Plan) -> str:
        """What it would take to run what was only planned."""
        try:
            permit = self._gate.permit(actor, made.model_copy(update={"dry_run": False}), plan=plan)
        except Denied as denied:
            return f"You could not run it: {denied}"
        return f"Without --dry-run you may, {permit.how}."

    def review(self, record: OperationRecord) -> Done | Plan:
        """Just before acting: does the world still give the approved plan, and do the facts still permit it?"""
        try:
            made, approved = self._registry.load(record.request), record.plan
            assert isinstance(made, Change) and approved, "only changes are applied, and they have a plan"
            fresh = _since(approved, self._plan(record.request, made.model_copy(update=approved.chosen)))
            if fresh.is_nothing:
                return Done(state="nothing_to_do", detail=f"nothing done: {fresh.why}")
            moved = self._moved(approved, fresh)
            if moved or not _is_approved(approved, record, fresh):
                return Done(state="failed", detail=_what_changed(approved, fresh, moved))
            check_carried(fresh, self._replicas)
            requester = self._now(record.request.actor)
            self._gate.permit(requester, made, plan=fresh, approvals=self._standing(record))
        except Denied as error:
            return Done(state="denied", detail=f"nothing done: {error}")
        except (UserError, CloudError) as error:
            return Done(state="failed", detail=f"nothing done: {error}")
        return fresh if approved.stopped else approved

    def _moved(self, approved: Plan, fresh: Plan) -> list[str]:
        """Which targets somebody has changed since; how operations that were stopped for it left them is no news."""
        left = [self._left_at(one) for one in approved.stopped]
        were = {one.target.full_name: one.version for one in approved.targets}
        are = {one.target.full_name: one.version for one in fresh.targets}
        changed = [name for name, version in are.items() if version != were.get(name, version)]
        return [name for name in changed if not any(one.get(name, "") in (are[name], None) for one in left)]

    def _left_at(self, operation: str) -> dict[str, str | None]:
        plan = self._ledger.operation(operation).plan
        return left_at(plan, self._ledger.effects(operation)) if plan else {}

    def standing(self, record: OperationRecord, actor: Actor) -> None:
        """Raises Denied unless the requester could still run it, were `actor` to approve it too; UserError when it
        could not begin now."""
        made = self._registry.load(record.request)
        assert record.plan, "what waits for approval has a plan"
        self._check_beginning(record.plan)
        count = self._standing(record) + 1
        permit = self._gate.permit(self._now(record.request.actor), made, plan=record.plan)
        if permit.approvals > max(count, record.approvals_needed):
            raise Denied(f"policy now asks for {permit.approvals} approvals; ask for it again")

    def _check_beginning(self, plan: Plan) -> None:
        check_free(plan, self._ledger)
        check_carried(plan, self._replicas)

    def _standing(self, record: OperationRecord) -> int:
        """Approvals by people who still may approve it."""
        approve = self._registry.command("approve").model_validate({"operation": subject(record)})
        given = [one for one in record.approvals if one.digest == record.digest]
        return sum(self._gate.refusal(self._now(one.actor), approve) is None for one in given)

    def _now(self, actor: Actor) -> Actor:
        """The person as known now; when nobody can be asked, as they were when they asked or approved."""
        now = self._directory.actor(actor.id)
        return actor if now.active is None else now

    def _plan(self, request: Request, made: Change) -> Plan:
        given = self._binder.arguments(made, "", request, request.actor, self._moment())
        plan = made.plan(**given)  # type: ignore[attr-defined]
        assert isinstance(plan, Plan), f"{made.command()} must return a Plan"
        check_doable(made, plan, self._binder.providers)
        return plan

    def _moment(self) -> Moment:
        now = self._clock.now()
        return Moment(started_at=now, now=now)


def subject(record: OperationRecord) -> dict[str, object]:
    """An operation as another operation's parameter names it."""
    request = record.request
    target = request.target.model_dump() if request.target else None
    return {"id": record.id, "operation": request.operation, "requester": request.actor.id, "target": target}


def _digest(record: OperationRecord, plan: Plan) -> str:
    request = record.request
    return plan.digest(actor=request.actor.id, operation=request.operation, params=request.params)


def _since(approved: Plan, fresh: Plan) -> Plan:
    """The plan made again. What its verdict could not read any more stands as it was approved; what plans had not yet
    when it was approved, it still has not; and of what it preempted this is what is left to do."""
    later = {
        name: field.get_default() for name, field in Plan.model_fields.items() if name not in approved.model_fields_set
    }
    fresh = fresh.model_copy(update=later)
    if approved.stopped:
        fresh = _left(approved, fresh)
    if not (fresh.verdict and approved.verdict):
        return fresh
    return fresh.model_copy(update={"verdict": fresh.verdict.since(approved.verdict)})


def _left(approved: Plan, fresh: Plan) -> Plan:
    """After others were stopped, of which each may have put back by itself what it changed."""
    return approved.left_by(fresh) if fresh.is_part_of(approved) else fresh


def _is_approved(approved: Plan, record: OperationRecord, fresh: Plan) -> bool:
    """Whether people approved this: the same plan, with a verdict that is no worse; less of it when it preempted."""
    if fresh.verdict and approved.verdict and not fresh.verdict.is_worse_than(approved.verdict):
        fresh = fresh.model_copy(update={"verdict": approved.verdict})
    if approved.stopped and fresh.is_part_of(approved):  # part of what was approved was approved
        same = ("steps", "afterwards", "version", "others", "preempts")
        fresh = fresh.model_copy(update={name: getattr(approved, name) for name in same})
    return _digest(record, fresh) == record.digest


def _what_changed(approved: Plan, fresh: Plan, moved: Sequence[str]) -> str:
    verdict, were = (one.verdict.level if one.verdict else "none" for one in (fresh, approved))
    if fresh.summary != approved.summary:
        now = f"now it would be: {fresh.summary}"
    elif moved:
        now = f"somebody changed {', '.join(moved)} since"
    elif verdict != were:
        now = f"the verdict is now {verdict}"
    else:
        now = "it has other steps now"
    return f"nothing done: the plan changed since it was approved ({now}); ask again to see the new one"
