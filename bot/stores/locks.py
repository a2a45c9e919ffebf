"""Locks and freezes, which the ledger sets and lifts in the transaction of an outcome."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.locks import Lock
from bot.core.request import Target
from bot.core.system import OperationRecord
from bot.stores.database import reading
from bot.stores.repeat import repeatable
from bot.stores.tables import LockRow


@repeatable
class SqlLocks:
    """Looking at them."""

    def __init__(self, engine: Engine) -> None:
        self._reading = sessionmaker(reading(engine)).begin

    def lock(self, target: Target) -> Lock | None:
        with self._reading() as session:
            row = session.get(LockRow, Lock(target=target.full_name).name)
            return Lock.model_validate(row.lock) if row else None

    def locks(self) -> tuple[Lock, ...]:
        with self._reading() as session:
            return tuple(
                Lock.model_validate(row.lock) for row in session.scalars(select(LockRow).order_by(LockRow.name))
            )


def moved(session: Session, done: OperationRecord, now: datetime) -> Iterator[tuple[str, Lock]]:
    """Do what the plan of an applied operation says of locks; yields "unlocked" and "locked" with each that it was."""
    assert done.plan is not None, "what was applied had a plan"
    for name in done.plan.unlocks:
        row = session.get(LockRow, name)
        if row and _is_meant(lifted := Lock.model_validate(row.lock), done):
            session.delete(row)
            yield "unlocked", lifted
    session.flush()
    for lock in done.plan.locks:
        reason = lock.reason or str(done.request.params.get("reason") or "")
        whole = {"by": done.request.actor.name, "since": now, "operation": done.id, "reason": reason}
        made = lock.model_copy(update=whole)
        row = session.get(LockRow, made.name)
        there = Lock.model_validate(row.lock) if row and not done.plan.books_only else None
        if there and there.stops(made.kind, made.target, now):
            made = _lasting(there, made)
        if made != there:
            session.merge(LockRow(name=made.name, lock=made.model_dump(mode="json")))
            yield "locked", made


def _is_meant(lock: Lock, done: OperationRecord) -> bool:
    """Whether it is still the lock that was to be lifted: others may have put theirs in its place meanwhile."""
    assert done.plan is not None, "what was applied had a plan"
    if "undoes" in done.plan.facts:
        return lock.operation == done.plan.facts["undoes"]
    return not done.plan.books_only or lock.operation == done.plan.version


def _lasting(there: Lock, made: Lock) -> Lock:
    """What holds when something locks beside its work: the lock that is there stays whose it is, and for as long as
    both, so that undoing the other lifts nothing of it."""
    return there.model_copy(update={"until": there.until and made.until and max(there.until, made.until)})
