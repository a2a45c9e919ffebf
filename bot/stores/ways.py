"""Who makes way for what is queued: what its plan stops, and what has begun on the targets of a rescue since."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.plan import Plan
from bot.core.request import DUE
from bot.stores.tables import OperationRow


def queued(session: Session) -> tuple[str, ...]:
    """Ids of rescues that are queued, the oldest first."""
    rows = select(OperationRow.id, OperationRow.plan["rescues"].as_boolean()).where(OperationRow.state == "queued")
    found = session.execute(rows.order_by(OperationRow.created_at, OperationRow.id))
    return tuple(id for id, rescues in found if rescues)


def in_the_way(session: Session, row: OperationRow) -> list[OperationRow]:
    """What an operation stops first. Taken before anything is written: whoever has the head of the chain must not wait
    for a row whose holder waits for the head."""
    plan = Plan.model_validate(row.plan) if row.plan else None
    named = {*plan.stopped, *_begun(session, row, plan)} if plan else ()
    found = [session.get(OperationRow, operation, with_for_update=True) for operation in sorted(named)]
    return [one for one in found if one]


def noted(row: OperationRow, stopped: Sequence[OperationRow]) -> None:
    """Write down what is stopped for it that its plan does not name."""
    known = Plan.model_validate(row.plan) if stopped else None
    begun = [one.id for one in stopped if known and one.id not in known.stopped and one.state in DUE]
    if known and begun:
        row.plan = {**(row.plan or {}), "stops": [*known.stops, *begun]}


def _begun(session: Session, row: OperationRow, plan: Plan) -> Iterator[str]:
    """What takes its time on the targets of a rescue, whenever that began."""
    if not plan.rescues:
        return
    targets = [one.target.full_name for one in plan.targets]
    rows = select(OperationRow).where(OperationRow.state.in_(DUE), OperationRow.target.in_(targets))
    for other in session.scalars(rows.where(OperationRow.id != row.id)):
        theirs = Plan.model_validate(other.plan) if other.plan else None
        if theirs and theirs.takes_its_time and not theirs.books_only:
            yield other.id
