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
        if row := session.get(LockRow, name):
            session.delete(row)
            yield "unlocked", Lock.model_validate(row.lock)
    session.flush()
    for lock in done.plan.locks:
        reason = lock.reason or str(done.request.params.get("reason") or "")
        whole = {"by": done.request.actor.name, "since": now, "operation": done.id, "reason": reason}
        made = lock.model_copy(update=whole)
        session.merge(LockRow(name=made.name, lock=made.model_dump(mode="json")))
        yield "locked", made
