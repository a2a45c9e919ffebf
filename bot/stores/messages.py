"""What a chat shows of each operation, in SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Engine, Row, Select, String, and_, cast, func, literal, or_, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.request import State
from bot.core.system import FINAL, OperationRecord, Shown
from bot.stores import records
from bot.stores.database import reading
from bot.stores.repeat import repeatable
from bot.stores.tables import MessageRow, OperationRow, ReplyRow, StageRow

Rows = TypeVarTuple("Rows")
UNDECIDED = "undecided "  # how the kind of a reply begins that is about the stage at the position that follows
ACKNOWLEDGED = 1  # the revision that a door shows by acknowledging
FOUND = (OperationRow.id, OperationRow.revision)


@repeatable
class SqlMessages:
    """What `Messages` promises."""

    def __init__(self, engine: Engine) -> None:
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin
        self._reading = sessionmaker(reading(engine)).begin
        self._seen: dict[str, Mapping[str, OperationRecord]] = {}  # by the look that found it

    def behind(self, door: str, *, since: datetime, limit: int = 200) -> tuple[Shown, ...]:
        never_posted = and_(OperationRow.state == "accepted", func.coalesce(MessageRow.shown, 0) == 0)
        owed = or_(OperationRow.revision > func.coalesce(MessageRow.shown, ACKNOWLEDGED), never_posted)
        rows = select(*FOUND, MessageRow).outerjoin(MessageRow, MessageRow.operation == OperationRow.id)
        with self._reading() as session:
            found = _found(session, _asked(rows.where(owed), door, since), limit)
            seen = self._records(session, door, {id: revision for id, revision, _ in found})
            return tuple(_shown(session, seen[id], at) for id, _, at in found if id in seen)

    def replies(
        self, door: str, kind: str, *, since: datetime, states: tuple[State, ...] = (), limit: int = 200
    ) -> tuple[Shown, ...]:
        of_this_kind = and_(ReplyRow.operation == OperationRow.id, ReplyRow.kind == kind)
        owed = and_(
            OperationRow.revision > func.coalesce(ReplyRow.shown, 0),
            OperationRow.digest != "",
            MessageRow.place["ts"].as_string().is_not(None),
        )
        rows = select(*FOUND, MessageRow, ReplyRow, literal(kind))
        rows = rows.join(MessageRow, MessageRow.operation == OperationRow.id)
        rows = rows.outerjoin(ReplyRow, of_this_kind).where(owed)
        if states:
            rows = rows.where(OperationRow.state.in_(states))
        return self._replies(_asked(rows, door, since), f"{door} {kind}", limit)

    def undecided(self, door: str, *, since: datetime, limit: int = 200) -> tuple[Shown, ...]:
        kind = literal(UNDECIDED) + cast(StageRow.position, String)
        held = and_(StageRow.operation == OperationRow.id, StageRow.state == "held")
        owed = and_(
            OperationRow.state == "running",
            OperationRow.cancel_by == "",
            func.coalesce(ReplyRow.shown, 0) < FINAL,
            MessageRow.place["ts"].as_string().is_not(None),
        )
        rows = select(*FOUND, MessageRow, ReplyRow, kind).join(StageRow, held)
        rows = rows.join(MessageRow, MessageRow.operation == OperationRow.id)
        rows = rows.outerjoin(ReplyRow, and_(ReplyRow.operation == OperationRow.id, ReplyRow.kind == kind)).where(owed)
        return self._replies(_asked(rows, door, since), f"{door} {UNDECIDED}", limit)

    def trying(self, seen: Shown, place: dict[str, str], at: datetime) -> bool:
        with self._transaction() as session:
            row = _row(session, seen.record.id, seen.kind)
            if row is None:
                session.add(_new(seen.record.id, seen.kind, place, at))
                return seen.tried_at is None
            if (row.tried_at, row.shown, row.place) != (seen.tried_at, seen.revision, seen.place):
                return False
            row.place, row.tried_at = dict(place), at
            return True

    def untried(self, operation: str, kind: str = "") -> None:
        with self._transaction() as session:
            if row := _row(session, operation, kind):
                row.place, row.tried_at = {}, None

    def showing(self, operation: str, revision: int, place: dict[str, str], kind: str = "") -> None:
        with self._transaction() as session:
            row = _row(session, operation, kind)
            if row is None:
                row = _new(operation, kind, place, None)
                session.add(row)
            row.place, row.tried_at = dict(place), None
            row.shown = 0 if row.shown > revision else revision

    def _replies(self, rows: Select[str, int, MessageRow, ReplyRow, str], look: str, limit: int) -> tuple[Shown, ...]:
        with self._reading() as session:
            found = _found(session, rows, limit)
            seen = self._records(session, look, {id: revision for id, revision, *_ in found})
            return tuple(_reply(session, seen[id], at, reply, kind) for id, _, at, reply, kind in found if id in seen)

    def _records(self, session: Session, look: str, found: Mapping[str, int]) -> Mapping[str, OperationRecord]:
        """By id. Slack takes one message a second, so that what it is owed is looked at again and again: what has not
        moved since the last such look is not read again."""
        same = {id: one for id, one in self._seen.get(look, {}).items() if found.get(id) == one.revision}
        moved = found.keys() - same.keys()
        rows = session.scalars(select(OperationRow).where(OperationRow.id.in_(moved))) if moved else ()
        seen = self._seen[look] = {**same, **{row.id: records.operation(session, row) for row in rows}}
        return seen


def _asked(rows: Select[*Rows], door: str, since: datetime) -> Select[*Rows]:
    """What was asked through the door, by the index of what moved last."""
    asked: ColumnElement[bool] = OperationRow.request["address"]["door"].as_string() == door
    return rows.where(OperationRow.updated_at >= since, asked)


def _found(session: Session, rows: Select[*Rows], limit: int) -> list[Row[*Rows]]:
    """The `limit` that moved last; if there are more, also as many of those that have waited longest: what cannot be
    shown for now stands in nobody's way for ever, at whichever end it is."""
    newest = [*session.execute(rows.order_by(OperationRow.updated_at.desc(), OperationRow.id).limit(limit))]
    if len(newest) < limit:
        return newest
    oldest = session.execute(rows.order_by(OperationRow.updated_at, OperationRow.id.desc()).limit(limit))
    return [*dict.fromkeys((*newest, *reversed([*oldest])))]


def _row(session: Session, operation: str, kind: str) -> MessageRow | ReplyRow | None:
    if kind:
        return session.get(ReplyRow, (operation, kind), with_for_update=True)
    return session.get(MessageRow, operation, with_for_update=True)


def _new(operation: str, kind: str, place: dict[str, str], at: datetime | None) -> MessageRow | ReplyRow:
    if kind:
        return ReplyRow(operation=operation, kind=kind, place=dict(place), shown=0, tried_at=at)
    return MessageRow(operation=operation, place=dict(place), shown=0, tried_at=at)


def _shown(session: Session, record: OperationRecord, at: MessageRow | ReplyRow | None, **more: Any) -> Shown:
    if record.plan and record.plan.asking:
        more["stages"] = records.stages(session, record.id)
    if at is None:
        return Shown(record=record, **more)
    return Shown(record=record, place=_place(at), revision=at.shown, tried_at=at.tried_at, **more)


def _reply(session: Session, record: OperationRecord, message: MessageRow, reply: ReplyRow | None, kind: str) -> Shown:
    effects = records.effects(session, record.id)
    return _shown(session, record, reply, kind=kind, parent=_place(message), effects=effects)


def _place(row: MessageRow | ReplyRow) -> dict[str, str]:
    return {name: str(value) for name, value in row.place.items()}
