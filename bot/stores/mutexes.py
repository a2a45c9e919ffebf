"""Who may change a target: one operation at a time, with a token that grows with every claim.

An operation that has several targets holds the mutexes of all of them or of none. Their rows are taken in the order of
their names everywhere, so that nobody waits for somebody who waits for them.
"""

from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from bot.core.errors import Fenced, UserError
from bot.core.plan import Versioned
from bot.stores.tables import MutexRow, OperationRow

OTHERS = TypeAdapter(tuple[Versioned, ...])


def named(target: str, *, books_only: bool) -> str:
    """The mutex of a target. What only writes to our own books has one of its own: it does not wait for what changes
    the target."""
    return f"books of {target}" if books_only else target


def row_of(session: Session, operation: str) -> OperationRow:
    """An operation, locked until commit. Raises UserError when there is none."""
    row = session.get(OperationRow, operation, with_for_update=True)
    if row is None:
        raise UserError(f"there is no operation `{operation}`; `ops` lists them.")
    return row


def claim(session: Session, row: OperationRow, owner: str) -> int | Literal["busy"]:
    """Take all mutexes of an operation anew; the token, which is the same for all."""
    found = _mutexes(session, row)
    if any(one and one.holder not in (None, row.id) for one in found.values()):
        return "busy"
    token = max(one.token if one else 0 for one in found.values()) + 1
    for target, one in found.items():
        mutex = one or MutexRow(target=target)
        session.add(mutex)
        mutex.holder, mutex.owner, mutex.token = row.id, owner, token
    return token


def fenced(session: Session, operation: str, token: int) -> OperationRow:
    """The operation, if the caller still holds its mutexes, which stay locked until commit. Raises Fenced."""
    row = row_of(session, operation)
    for mutex in _mutexes(session, row).values():
        if mutex is None or (mutex.holder, mutex.token) != (operation, token):
            raise Fenced(f"{operation} was taken over by another process")
    return row


def is_held(session: Session, row: OperationRow) -> bool:
    """Whether somebody runs the operation."""
    return any(mutex and mutex.holder == row.id for mutex in _mutexes(session, row).values())


def release(session: Session, row: OperationRow) -> None:
    """Let others have the targets."""
    for mutex in _mutexes(session, row).values():
        assert mutex is not None, "only what is held is let go"
        mutex.holder = None


def _mutexes(session: Session, row: OperationRow) -> dict[str, MutexRow | None]:
    """Of all targets, in order, locked until commit; None where nobody ever had one."""
    plan = row.plan or {}
    others = OTHERS.validate_python(plan.get("others", ()))
    own = named(row.target, books_only=bool(plan.get("books_only")))
    names = sorted({own, *(one.target.full_name for one in others)})
    return {name: session.get(MutexRow, name, with_for_update=True) for name in names}
