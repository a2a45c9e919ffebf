"""Letting go of what is old: requests and their journal, serving history, audit."""

from datetime import datetime

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import sessionmaker

from bot.core.request import OPEN
from bot.stores.repeat import repeatable
from bot.stores.tables import (
    ApprovalRow,
    EffectRow,
    HeardRow,
    MessageRow,
    OperationRow,
    ReplyRow,
    ServingRow,
    StageRow,
)


@repeatable
class SqlRetention:
    """Deletes whole operations that ended before an instant; what is open or being judged stays."""

    def __init__(self, engine: Engine) -> None:
        self._transaction = sessionmaker(engine).begin

    def purge(self, before: datetime) -> int:
        """How many operations were let go."""
        old = select(OperationRow.id).where(
            OperationRow.updated_at < before, OperationRow.state.not_in(OPEN), OperationRow.judged != "pending"
        )
        with self._transaction() as session:
            ids = list(session.scalars(old.limit(1000)))
            for table in (ApprovalRow, EffectRow, StageRow, MessageRow, ReplyRow, HeardRow):
                session.execute(delete(table).where(table.operation.in_(ids)))
            session.execute(delete(OperationRow).where(OperationRow.id.in_(ids)))
            session.execute(delete(ServingRow).where(ServingRow.until < before))
            return len(ids)
