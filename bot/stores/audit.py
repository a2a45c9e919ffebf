"""The audit chain: append-only, each link hashed over its body and the hash before.

Writers take the row of the head first, so two of them cannot fork the chain. An edit, a deletion or a reordering
breaks a hash; a cut tail shows against a head that was noted elsewhere (each head goes to the log).
"""

import hashlib
import json
import logging
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Engine, delete, select
from sqlalchemy import event as event_api
from sqlalchemy.orm import Session, sessionmaker

from bot.core.system import AuditCheck, AuditEntry
from bot.stores.repeat import repeatable
from bot.stores.tables import AuditEndRow, AuditRow

log = logging.getLogger(__name__)
NOTHING = "0" * 64  # what stands before the first link


def append(
    session: Session, at: datetime, event: str, operation: str, actor: str, body: dict[str, JsonValue] | None = None
) -> str:
    """Add a link in the caller's transaction; returns the new head."""
    head = session.get(AuditEndRow, "head", with_for_update=True)
    if head is None:
        head = AuditEndRow(name="head", seq=0, hash=NOTHING)
        session.add_all([head, AuditEndRow(name="root", seq=0, hash=NOTHING)])
    seq = head.seq + 1
    text = canonical(seq, at, event, operation, actor, body or {})
    new = head.hash = link(head.hash, text)
    head.seq = seq
    session.add(AuditRow(seq=seq, at=at, event=event, operation=operation, actor=actor, body=text, hash=head.hash))
    session.flush()
    event_api.listen(session, "after_commit", lambda _: log.info("audit head %s %s", seq, new), once=True)
    return new


def canonical(seq: int, at: datetime, event: str, operation: str, actor: str, body: dict[str, JsonValue]) -> str:
    """The text that is hashed: JSON with sorted keys and no spaces."""
    whole = {"seq": seq, "at": at.isoformat(), "event": event, "operation": operation, "actor": actor, "body": body}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def link(previous: str, text: str) -> str:
    """SHA-256 over the hash before and the body."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


@repeatable
class SqlAudit:
    """Reading and checking the chain, and cutting off what retention lets go."""

    def __init__(self, engine: Engine) -> None:
        self._transaction = sessionmaker(engine).begin

    def entries(self, *, operation: str = "", limit: int = 20) -> tuple[AuditEntry, ...]:
        """Newest first."""
        rows = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
        if operation:
            rows = rows.where(AuditRow.operation == operation)
        with self._transaction() as session:
            return tuple(_entry(row) for row in session.scalars(rows))

    def head(self) -> str:
        with self._transaction() as session:
            row = session.get(AuditEndRow, "head")
            return row.hash if row else NOTHING

    def verify(self, head: str = "") -> AuditCheck:
        with self._transaction() as session:
            return _walk(session, head.strip().lower())

    def purge(self, before: datetime, now: datetime) -> int:
        """Let go of the oldest links; the root keeps the hash that the rest hangs on. Returns how many."""
        with self._transaction() as session:
            last = session.scalars(
                select(AuditRow).where(AuditRow.at < before).order_by(AuditRow.seq.desc()).limit(1)
            ).one_or_none()
            if last is None:
                return 0
            root = session.get_one(AuditEndRow, "root", with_for_update=True)
            gone = last.seq - root.seq
            append(session, now, "audit purged", "", "aisq", {"up to": last.seq, "hash": last.hash})
            root.seq, root.hash = last.seq, last.hash
            session.execute(delete(AuditRow).where(AuditRow.seq <= last.seq))
            return gone


def _entry(row: AuditRow) -> AuditEntry:
    body = json.loads(row.body)["body"]
    return AuditEntry(
        seq=row.seq, at=row.at, event=row.event, operation=row.operation, actor=row.actor, body=body, hash=row.hash
    )


def _walk(session: Session, wanted: str) -> AuditCheck:
    root, end = session.get(AuditEndRow, "root"), session.get(AuditEndRow, "head")
    if root is None or end is None:
        return AuditCheck(entries=0, head=NOTHING, problem="there is no audit yet" if wanted else "")
    seq, previous, seen = root.seq, root.hash, wanted in ("", root.hash)
    for row in session.scalars(select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)):
        if problem := _broken(row, seq + 1, previous):
            return AuditCheck(entries=seq - root.seq, head=previous, problem=problem)
        seq, previous = row.seq, row.hash
        seen = seen or previous.startswith(wanted)
    checked = AuditCheck(entries=seq - root.seq, head=previous)
    if (seq, previous) != (end.seq, end.hash):
        return checked.model_copy(update={"problem": f"entries after {seq} are gone: the head is at {end.seq}"})
    if not seen:
        return checked.model_copy(update={"problem": f"head {wanted[:12]} is not in the chain: its tail was cut"})
    return checked


def _broken(row: AuditRow, seq: int, previous: str) -> str:
    if row.seq != seq:
        return f"entry {seq} is missing; the next one is {row.seq}"
    if link(previous, row.body) != row.hash:
        return f"entry {seq} was changed, or what stood before it was"
    told = json.loads(row.body)
    columns = {"seq": row.seq, "at": row.at.isoformat(), "event": row.event, "operation": row.operation}
    if any(told[name] != value for name, value in columns.items()) or told["actor"] != row.actor:
        return f"entry {seq} says one thing in its body and another in its columns"
    return ""
