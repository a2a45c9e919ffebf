"""What served when, and where traffic is held."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.ports import Traffic
from bot.core.request import Target
from bot.core.system import Clock, Pin, Serving
from bot.stores.database import reading
from bot.stores.repeat import repeatable
from bot.stores.tables import PinRow, ServingRow

LONGEST_GAP = timedelta(minutes=5)  # between two looks that may still be one span when the version did not move
A_MOMENT = timedelta(seconds=30)  # for so long a look that found nothing new need not be written down


@repeatable
class SqlHistory:
    """Spans of serving, extended at each look."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._transaction, self._reading = sessionmaker(engine).begin, sessionmaker(reading(engine)).begin
        self._clock = clock

    def served(self, target: Target) -> tuple[Serving, ...]:
        """Newest first."""
        rows = select(ServingRow).where(ServingRow.target == target.full_name).order_by(ServingRow.since.desc())
        with self._reading() as session:
            return tuple(_serving(row) for row in session.scalars(rows.limit(200)))

    def observed(self, target: Target, split: Traffic, version: str) -> None:
        """Extend the newest span, or begin one: also after a gap in which nobody looked and somebody changed it.

        The end of a span may be half a minute older than the last look.
        """
        now = self._clock.now()
        if self._is_known(target, split, version, now):
            return
        with self._transaction() as session:
            if last := _newest(session, target):
                last = _newest(session, target)  # whoever held that row may have begun another span meanwhile
            same = last is not None and last.split == split and last.version == version
            if last is not None and now <= last.until:
                return  # a look that was overtaken by a later one
            if last is not None and (same or (last.split == split and now - last.until <= LONGEST_GAP)):
                last.until, last.version = now, version
            else:
                span = ServingRow(target=target.full_name, since=now, until=now, split=dict(split), version=version)
                session.add(span)

    def _is_known(self, target: Target, split: Traffic, version: str, now: datetime) -> bool:
        """Whether that was seen a moment ago; asked without keeping anybody from writing."""
        rows = select(ServingRow).where(ServingRow.target == target.full_name).order_by(ServingRow.since.desc())
        with self._reading() as session:
            last = session.scalars(rows.limit(1)).one_or_none()
            same = last is not None and last.split == split and last.version == version
            return last is not None and same and timedelta(0) <= now - last.until < A_MOMENT

    def counted(self, target: Target, since: datetime, total: int, errors: int, until: datetime) -> None:
        """Add what monitoring counted in the span that began at `since`, up to `until`; counts nothing twice."""
        with self._transaction() as session:
            row = session.get(ServingRow, (target.full_name, since), with_for_update=True)
            if row is not None and (row.counted_until is None or row.counted_until < until):
                row.total, row.errors, row.counted_until = row.total + total, row.errors + errors, until


@repeatable
class SqlPins:
    """Where operations of ours hold traffic; written by the ledger in the transaction of the outcome."""

    def __init__(self, engine: Engine) -> None:
        self._reading = sessionmaker(reading(engine)).begin

    def pin(self, target: Target) -> Pin | None:
        with self._reading() as session:
            row = session.get(PinRow, target.full_name)
            return Pin.model_validate(row.pin) if row else None

    def pins(self) -> tuple[Pin, ...]:
        with self._reading() as session:
            return tuple(Pin.model_validate(row.pin) for row in session.scalars(select(PinRow).order_by(PinRow.target)))


def _newest(session: Session, target: Target) -> ServingRow | None:
    rows = select(ServingRow).where(ServingRow.target == target.full_name).order_by(ServingRow.since.desc())
    return session.scalars(rows.limit(1).with_for_update()).one_or_none()


def _serving(row: ServingRow) -> Serving:
    return Serving.model_validate(row, from_attributes=True)
