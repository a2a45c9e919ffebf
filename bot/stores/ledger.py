"""Operations, approvals, effects and mutexes in SQL.

Every method is one transaction that may be repeated, and writes its link of the audit chain in the same one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from pydantic import JsonValue
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from bot.core.answer import Answer
from bot.core.errors import UserError
from bot.core.plan import Hold, Plan, Step
from bot.core.ports import Effect
from bot.core.request import DUE, OPEN, STATES, Approval, Request, State
from bot.core.system import Accepted, Claim, Clock, EffectRecord, OperationRecord, Pin, Proposal
from bot.stores import audit, locks, mutexes, records, ways
from bot.stores.asking import Asked, Asking, is_worth_a_link
from bot.stores.mutexes import fenced, row_of
from bot.stores.repeat import repeatable
from bot.stores.stages import SqlStages
from bot.stores.tables import IS_OPEN, ApprovalRow, EffectRow, OperationRow, PinRow

SHORTEST_ID, LONGEST_ID = 4, 20  # characters of an id that people must type, and may


@repeatable
class SqlLedger(SqlStages):
    """The ledger in one database. `pin_reminder` is how long after it a pin asks to be looked at."""

    def __init__(self, engine: Engine, clock: Clock, pin_reminder: timedelta = timedelta(days=1)) -> None:
        super().__init__(engine, clock)
        self._asking, self._pin_reminder = Asking(engine), pin_reminder

    # --- looking

    def operation(self, operation: str) -> OperationRecord:
        with self._reading() as session:
            return records.operation(session, _find(session, operation))

    def operations(
        self, *, states: tuple[State, ...] = (), target: str = "", limit: int = 20
    ) -> tuple[OperationRecord, ...]:
        rows = select(OperationRow).where(OperationRow.verb == "plan").limit(limit)
        rows = rows.order_by(OperationRow.created_at.desc(), OperationRow.id)
        if states:
            rows = rows.where(IS_OPEN if states == OPEN else OperationRow.state.in_(states))
        if target:
            # Little is open, which SQLite does not know: it would rather read all of a target in their order.
            column = func.coalesce(OperationRow.target, "") if states else OperationRow.target
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
            row = row_of(session, operation)
            if row.state != "accepted":
                return  # somebody was faster
            row.plan = proposal.plan.model_dump(mode="json") if proposal.plan else None
            stopped = ways.in_the_way(session, row) if proposal.state == "queued" else []
            row.answer = proposal.answer.model_dump(mode="json") if proposal.answer else None
            row.digest, row.approvals_needed = proposal.digest, proposal.approvals_needed
            row.permitted_by, row.expires_at = proposal.permitted_by, proposal.expires_at
            self._move(
                session, row, proposal.state, proposal.detail, "aisq",
                digest=proposal.digest, needs=proposal.approvals_needed, permitted_by=proposal.permitted_by,
            )  # fmt: skip
            self._stop(session, row, stopped)

    def approve(self, operation: str, approval: Approval) -> State:
        with self._transaction() as session:
            row = row_of(session, operation)
            asked = row.state == "waiting" and approval.digest == row.digest
            if asked and session.get(ApprovalRow, (operation, approval.actor.id)) is None:
                self._count(session, row, approval)
            return _state(row)

    def _count(self, session: Session, row: OperationRow, approval: Approval) -> None:
        stopped = ways.in_the_way(session, row)
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
        self._tell(session, row, "approved", approval.actor.id, digest=approval.digest)
        if session.scalars(given).one() >= row.approvals_needed:
            self._move(session, row, "queued", f"approved by {approval.actor.name}", approval.actor.id)
            self._stop(session, row, stopped)

    def make_way(self) -> None:
        with self._reading() as session:
            waiting = ways.queued(session)
        for operation in waiting:
            with self._transaction() as session:
                row = row_of(session, operation)
                if row.state == "queued":
                    self._stop(session, row, ways.in_the_way(session, row))

    def end(self, operation: str, state: State, detail: str, by: str, *, answer: Answer | None = None) -> State:
        with self._transaction() as session:
            row = row_of(session, operation)
            if row.state in ("accepted", "waiting"):
                row.answer = answer.model_dump(mode="json") if answer else None
                self._move(session, row, state, detail, by)
            return _state(row)

    def cancel(self, operation: str, by: str) -> State:
        with self._transaction() as session:
            row = row_of(session, operation)
            if row.state in ("accepted", "waiting"):
                self._move(session, row, "cancelled", f"cancelled by {by}; nothing was done", by)
            else:
                self._ask_to_stop(session, row, by)
            return _state(row)

    def _ask_to_stop(self, session: Session, row: OperationRow, by: str) -> None:
        if row.state in DUE and not row.cancel_by:
            row.cancel_by = by
            self._tell(session, row, "cancel asked", by)

    def _stop(self, session: Session, row: OperationRow, stopped: Sequence[OperationRow]) -> None:
        """Make way for what was queued."""
        ways.noted(row, stopped)
        by = Request.model_validate(row.request).actor.name
        for one in stopped:
            self._ask_to_stop(session, one, f"{by}'s {row.operation} {row.id}")

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
        books = OperationRow.plan["books_only"].as_boolean()
        rows = select(OperationRow.id, OperationRow.target, books).where(OperationRow.state.in_(DUE))
        with self._reading() as session:
            found = session.execute(rows.order_by(OperationRow.created_at, OperationRow.id))
            return tuple((id, mutexes.named(target, books_only=bool(only))) for id, target, only in found)

    def judging(self) -> tuple[str, ...]:
        with self._reading() as session:
            return tuple(session.scalars(select(OperationRow.id).where(OperationRow.judged == "pending")))

    # --- while it runs; a token that is not the newest raises Fenced

    def claim(self, operation: str, owner: str) -> Claim:
        with self._transaction() as session:
            row = row_of(session, operation)
            if row.state not in DUE:
                return "finished"
            return mutexes.claim(session, row, owner)

    def begin(self, operation: str, token: int, detail: str, plan: Plan | None = None) -> None:
        with self._transaction() as session:
            row = fenced(session, operation, token)
            if row.state == "queued":
                row.plan = plan.model_dump(mode="json") if plan else row.plan
                self._move(session, row, "running", detail, "aisq", **({"version": plan.version} if plan else {}))

    def effect(self, key: str) -> EffectRecord | None:
        with self._reading() as session:
            row = session.get(EffectRow, key)
            return records.effect(row) if row else None

    def intend(self, operation: str, token: int, effect: Effect, call: Step) -> EffectRecord:
        with self._transaction() as session:
            row = fenced(session, operation, token)
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
            fenced(session, operation, token)
            session.get_one(EffectRow, key).cloud_operation = cloud_operation

    def settle(self, operation: str, token: int, ended: EffectRecord) -> None:
        with self._transaction() as session:
            row = fenced(session, operation, token)
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
            row = row_of(session, operation)
            if row.state not in DUE:
                return  # a previous life wrote the outcome, and its mutex may be another operation's by now
            if token is not None:
                fenced(session, operation, token)
            elif mutexes.is_held(session, row):
                return  # somebody runs it after all, and writes the outcome
            self._move(session, row, state, detail, "aisq")
            if state == "applied":
                row.applied_at, row.judged = row.updated_at, "pending" if judge else ""
                self._keep(session, row, records.operation(session, row))
            if token is not None:
                mutexes.release(session, row)

    def _keep(self, session: Session, row: OperationRow, done: OperationRecord) -> None:
        """Pins and locks, as the plan that was applied has them."""
        assert done.plan is not None, "what was applied had a plan"
        for place, one in enumerate(done.plan.targets):
            self._pin(session, done, one.target.full_name, one.hold, lets_go=done.plan.lets_go and not place)
        for event, lock in locks.moved(session, done, row.updated_at):
            self._note(session, row, event, done.request.actor.id, lock=lock.name, reason=lock.reason)

    def _pin(self, session: Session, done: OperationRecord, target: str, hold: Hold | None, *, lets_go: bool) -> None:
        now, held = self._clock.now(), session.get(PinRow, target)
        if held and (lets_go or hold):
            session.delete(held)
            session.flush()
        if hold:
            pin = Pin(
                target=target,
                traffic=hold.traffic,
                operation=done.id,
                by=done.request.actor.name,
                since=now,
                remind_at=now + self._pin_reminder,
                away_from=hold.away_from,
                reason=str(done.request.params.get("reason") or ""),
            )
            session.add(PinRow(target=pin.target, pin=pin.model_dump(mode="json")))

    def judged(self, operation: str, state: Literal["holds", "broken", "unknown"], sentence: str) -> None:
        with self._transaction() as session:
            row = row_of(session, operation)
            if row.judged == "pending":
                row.judged, row.judgement = state, sentence
                self._tell(session, row, "judged", "aisq", finding=state, sentence=sentence)

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


def _state(row: OperationRow) -> State:
    return next(state for state in STATES if state == row.state)
