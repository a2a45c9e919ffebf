"""What a chat shows of each operation, in SQL."""

from datetime import datetime

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.system import Shown
from bot.stores import records
from bot.stores.repeat import repeatable
from bot.stores.tables import MessageRow, OperationRow

ACKNOWLEDGED = 1  # the revision that a door shows by acknowledging


@repeatable
class SqlMessages:
    """What `Messages` promises."""

    def __init__(self, engine: Engine) -> None:
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin

    def behind(self, door: str, *, since: datetime, limit: int = 200) -> tuple[Shown, ...]:
        never_posted = and_(OperationRow.state == "accepted", func.coalesce(MessageRow.shown, 0) == 0)
        rows = (
            select(OperationRow, MessageRow)
            .outerjoin(MessageRow, MessageRow.operation == OperationRow.id)
            .where(
                OperationRow.created_at >= since,
                OperationRow.request["address"]["door"].as_string() == door,
                or_(OperationRow.revision > func.coalesce(MessageRow.shown, ACKNOWLEDGED), never_posted),
            )
            .order_by(OperationRow.updated_at.desc(), OperationRow.id)
            .limit(limit)
        )
        with self._transaction() as session:
            return tuple(_shown(session, row, message) for row, message in session.execute(rows))

    def trying(self, seen: Shown, place: dict[str, str], at: datetime) -> bool:
        operation = seen.record.id
        with self._transaction() as session:
            row = session.get(MessageRow, operation, with_for_update=True)
            if row is None:
                session.add(MessageRow(operation=operation, place=dict(place), shown=0, tried_at=at))
                return seen.tried_at is None
            if (row.tried_at, row.shown, row.place) != (seen.tried_at, seen.revision, seen.place):
                return False
            row.place, row.tried_at = dict(place), at
            return True

    def untried(self, operation: str) -> None:
        with self._transaction() as session:
            if row := session.get(MessageRow, operation, with_for_update=True):
                row.place, row.tried_at = {}, None

    def showing(self, operation: str, revision: int, place: dict[str, str]) -> None:
        with self._transaction() as session:
            row = session.get(MessageRow, operation, with_for_update=True)
            if row is None:
                row = MessageRow(operation=operation, place={}, shown=0)
                session.add(row)
            row.place, row.tried_at = dict(place), None
            row.shown = 0 if row.shown > revision else revision


def _shown(session: Session, row: OperationRow, message: MessageRow | None) -> Shown:
    record = records.operation(session, row)
    if message is None:
        return Shown(record=record)
    place = {name: str(value) for name, value in message.place.items()}
    return Shown(record=record, place=place, revision=message.shown, tried_at=message.tried_at)
