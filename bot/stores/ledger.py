"""Operations, approvals, effects and mutexes in SQL.

Every method is one transaction that may be repeated, and writes its link of the audit chain in the same one.
"""

from datetime import timedelta
from typing import Any, Literal

from pydantic import JsonValue
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.answer import Answer
from bot.core.errors import Fenced, UserError
from bot.core.plan import Step
from bot.core.ports import Effect
from bot.core.request import DUE, STATES, Approval, Request, State
from bot.core.system import Accepted, Claim, Clock, EffectRecord, OperationRecord, Pin, Proposal
from bot.stores import audit, records
from bot.stores.asking import Asked, Asking, is_worth_a_link
from bot.stores.database import reading
from bot.stores.repeat import repeatable
from bot.stores.tables import IS_OPEN, ApprovalRow, EffectRow, MutexRow, OperationRow, PinRow

SHORTEST_ID, LONGEST_ID = 4, 20  # characters of an id that people must type, and may


@repeatable
class SqlLedger:
    """The ledger in one database. `pin_reminder` is how long after it a pin asks to be looked at."""

    def __init__(self, engine: Engine, clock: Clock, pin_reminder: timedelta = timedelta(days=1)) -> None:
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin
        self._reading, self._asking = sessionmaker(reading(engine)).begin, Asking(engine)
        self._clock, self._pin_reminder = clock, pin_reminder

    # --- looking

    def operation(self, operation: str) -> OperationRecord:
        with self._reading() as session:
            return records.operation(session, _find(session, operation))

    def operations(self, *, open_only: bool = False, target: str = "", limit: int = 20) -> tuple[OperationRecord, ...]:
        rows = select(OperationRow).where(OperationRow.verb == "plan").limit(limit)
        rows = rows.order_by(OperationRow.created_at.desc(), OperationRow.id)
        if open_only:
            rows = rows.where(IS_OPEN)
        if target:
            # Little is open, which SQLite does not know: it would rather read all of a target in their order.
            column = func.coalesce(OperationRow.target, "") if open_only else OperationRow.target
            rows = rows.where(column == target)
        with self._reading() as session:
            return tuple(records.operation(session, row) for row in session.scalars(rows))

    def effects(self, operation: str) -> tuple[EffectRecord, ...]:
        with self._reading() as session:
            return records.effects(session, operation)

    # --- before it begins

    def accept(self, request: Request, *, heard_as: str, signature: str, state: State, detail: str) -> Accepted:
        return self._asking.soon(Asked(request, heard_as, signature, state, detail, self._clock.now()))

    def propose(self, operation: str, proposal: Proposal) -> None:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.state != "accepted":
                return  # somebody was faster
            row.plan = proposal.plan.model_dump(mode="json") if proposal.plan else None
            row.answer = proposal.answer.model_dump(mode="json") if proposal.answer else None
            row.digest, row.approvals_needed = proposal.digest, proposal.approvals_needed
            row.permitted_by, row.expires_at = proposal.permitted_by, proposal.expires_at
            self._move(
                session, row, proposal.state, proposal.detail, "aisq",
                digest=proposal.digest, needs=proposal.approvals_needed, permitted_by=proposal.permitted_by,
            )  # fmt: skip

    def approve(self, operation: str, approval: Approval) -> State:
        with self._transaction() as session:
            row = _get(session, operation)
            asked = row.state == "waiting" and approval.digest == row.digest
            if asked and session.get(ApprovalRow, (operation, approval.actor.id)) is None:
                self._count(session, row, approval)
            return _state(row)

    def _count(self, session: Session, row: OperationRow, approval: Approval) -> None:
        session.add(
            ApprovalRow(
                operation=row.id,
                approver=approval.actor.id,
                digest=approval.digest,
                actor=approval.actor.model_dump(mode="json"),
                at=approval.given_at,
            )
        )
        session.flush()
        given = select(func.count()).where(ApprovalRow.operation == row.id, ApprovalRow.digest == row.digest)
        row.revision, row.updated_at = row.revision + 1, self._clock.now()
        self._note(session, row, "approved", approval.actor.id, digest=approval.digest)
        if session.scalars(given).one() >= row.approvals_needed:
            self._move(session, row, "queued", f"approved by {approval.actor.name}", approval.actor.id)

    def end(self, operation: str, state: State, detail: str, by: str, *, answer: Answer | None = None) -> State:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.state in ("accepted", "waiting"):
                row.answer = answer.model_dump(mode="json") if answer else None
                self._move(session, row, state, detail, by)
            return _state(row)

    def cancel(self, operation: str, by: str) -> State:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.state in ("accepted", "waiting"):
                self._move(session, row, "cancelled", f"cancelled by {by}; nothing was done", by)
            elif row.state in DUE and not row.cancel_by:
                row.cancel_by, row.revision, row.updated_at = by, row.revision + 1, self._clock.now()
                self._note(session, row, "cancel asked", by)
            return _state(row)

    def expire(self) -> int:
        """Waiting operations whose time has passed; how many there were."""
        now = self._clock.now()
        late = select(OperationRow).where(OperationRow.state == "waiting", OperationRow.expires_at < now)
        with self._transaction() as session:
            rows = list(session.scalars(late.order_by(OperationRow.id).with_for_update()))  # in one order everywhere
            for row in rows:
                self._move(session, row, "expired", "nobody approved it in time; nothing was done", "aisq")
            return len(rows)

    # --- what the sweep reads

    def accepted(self, *, older_than_s: float) -> tuple[str, ...]:
        before = self._clock.now() - timedelta(seconds=older_than_s)
        rows = select(OperationRow.id).where(OperationRow.state == "accepted", OperationRow.created_at < before)
        with self._reading() as session:
            return tuple(session.scalars(rows))

    def due(self) -> tuple[tuple[str, str], ...]:
        rows = select(OperationRow.id, OperationRow.target).where(OperationRow.state.in_(DUE))
        with self._reading() as session:
            return tuple((row.id, row.target) for row in session.execute(rows.order_by(OperationRow.created_at)))

    def judging(self) -> tuple[str, ...]:
        with self._reading() as session:
            return tuple(session.scalars(select(OperationRow.id).where(OperationRow.judged == "pending")))

    # --- while it runs; a token that is not the newest raises Fenced

    def claim(self, operation: str, owner: str) -> Claim:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.state not in DUE:
                return "finished"
            mutex = session.get(MutexRow, row.target, with_for_update=True)
            if mutex is None:
                mutex = MutexRow(target=row.target, holder=None, token=0)
                session.add(mutex)
            if mutex.holder not in (None, operation):
                return "busy"
            mutex.holder, mutex.owner, mutex.token = operation, owner, mutex.token + 1
            return mutex.token

    def begin(self, operation: str, token: int, detail: str) -> None:
        with self._transaction() as session:
            row = _fenced(session, operation, token)
            if row.state == "queued":
                self._move(session, row, "running", detail, "aisq")

    def effect(self, key: str) -> EffectRecord | None:
        with self._reading() as session:
            row = session.get(EffectRow, key)
            return records.effect(row) if row else None

    def intend(self, operation: str, token: int, effect: Effect, call: Step) -> EffectRecord:
        with self._transaction() as session:
            row = _fenced(session, operation, token)
            if known := session.get(EffectRow, effect.key):
                return records.effect(known)
            made = EffectRow(
                key=effect.key,
                operation=operation,
                call=call.model_dump(mode="json", exclude={"undo"}),
                version_before=effect.version,
                at=self._clock.now(),
            )
            session.add(made)
            row.doing, row.revision, row.updated_at = row.doing + 1, row.revision + 1, made.at
            self._note(session, row, "writing", "aisq", key=effect.key, version=effect.version, verb=call.verb)
            session.flush()
            return records.effect(made)

    def issued(self, operation: str, token: int, key: str, cloud_operation: str) -> None:
        with self._transaction() as session:
            _fenced(session, operation, token)
            session.get_one(EffectRow, key).cloud_operation = cloud_operation

    def settle(self, operation: str, token: int, ended: EffectRecord) -> None:
        with self._transaction() as session:
            row = _fenced(session, operation, token)
            made = session.get_one(EffectRow, ended.effect.key)
            if made.ending:
                return
            made.ending, made.version_after, made.detail = ended.ending, ended.version, ended.detail
            row.revision, row.updated_at = row.revision + 1, self._clock.now()
            self._note(
                session, row, "written", "aisq",
                key=ended.effect.key, ending=ended.ending, version=ended.version, detail=ended.detail,
                cloud_operation=made.cloud_operation,
            )  # fmt: skip

    def finish(self, operation: str, token: int | None, state: State, detail: str, *, judge: bool) -> None:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.state not in DUE:
                return  # a previous life wrote the outcome, and its mutex may be another operation's by now
            if token is not None:
                _fenced(session, operation, token)
            elif _is_held(session, row):
                return  # somebody runs it after all, and writes the outcome
            self._move(session, row, state, detail, "aisq")
            if state == "applied":
                row.applied_at, row.judged = row.updated_at, "pending" if judge else ""
                self._pin(session, records.operation(session, row))
            if token is not None:
                session.get_one(MutexRow, row.target).holder = None

    def _pin(self, session: Session, done: OperationRecord) -> None:
        plan, now = done.plan, self._clock.now()
        assert plan is not None, "what was applied had a plan"
        held = session.get(PinRow, plan.target.full_name)
        if held and (plan.lets_go or plan.hold):
            session.delete(held)
            session.flush()
        if plan.hold:
            pin = Pin(
                target=plan.target.full_name,
                traffic=plan.hold.traffic,
                operation=done.id,
                by=done.request.actor.name,
                since=now,
                remind_at=now + self._pin_reminder,
                away_from=plan.hold.away_from,
                reason=str(done.request.params.get("reason") or ""),
            )
            session.add(PinRow(target=pin.target, pin=pin.model_dump(mode="json")))

    def judged(self, operation: str, state: Literal["holds", "broken", "unknown"], sentence: str) -> None:
        with self._transaction() as session:
            row = _get(session, operation)
            if row.judged == "pending":
                row.judged, row.judgement = state, sentence
                row.revision, row.updated_at = row.revision + 1, self._clock.now()
                self._note(session, row, "judged", "aisq", finding=state, sentence=sentence)

    # --- shared

    def _move(self, session: Session, row: OperationRow, state: State, detail: str, by: str, **more: Any) -> None:
        row.state, row.detail, row.updated_at = state, detail, self._clock.now()
        row.revision = (row.revision or 0) + 1
        self._note(session, row, state, by, detail=detail, **more)

    def _note(self, session: Session, row: OperationRow, event: str, by: str, **body: JsonValue) -> None:
        if is_worth_a_link(row.verb, row.state):
            audit.append(session, self._clock.now(), event, row.id, by, {"target": row.target, **body})


def _find(session: Session, operation: str) -> OperationRow:
    wanted = operation.strip().lower()
    if row := session.get(OperationRow, wanted):
        return row
    # A range, because an index serves no LIKE; of letters and digits alone, which every collation orders alike.
    begin = select(OperationRow).where(OperationRow.id.between(wanted, wanted + LONGEST_ID * "z")).limit(2)
    found = list(session.scalars(begin)) if len(wanted) >= SHORTEST_ID and wanted.isalnum() else []
    if len(found) == 1:
        return found[0]
    why = "several operations begin with" if found else "there is no operation"
    raise UserError(f"{why} `{wanted[:40]}`; `ops` lists them.")


def _get(session: Session, operation: str) -> OperationRow:
    row = session.get(OperationRow, operation, with_for_update=True)
    if row is None:
        raise UserError(f"there is no operation `{operation}`; `ops` lists them.")
    return row


def _state(row: OperationRow) -> State:
    return next(state for state in STATES if state == row.state)


def _is_held(session: Session, row: OperationRow) -> bool:
    mutex = session.get(MutexRow, row.target, with_for_update=True)
    return mutex is not None and mutex.holder == row.id


def _fenced(session: Session, operation: str, token: int) -> OperationRow:
    """The operation, if the caller still holds its target's mutex; the mutex row stays locked until commit."""
    row = _get(session, operation)
    mutex = session.get(MutexRow, row.target, with_for_update=True)
    if mutex is None or (mutex.holder, mutex.token) != (operation, token):
        raise Fenced(f"{operation} was taken over by another process")
    return row
