"""The audit chain: append-only, each link hashed over its body and the hash before.

Writers take the row of the head first, so two of them cannot fork the chain. An edit, a deletion or a reordering
breaks a hash; a cut tail shows against a head that was noted elsewhere (each head goes to the log).
"""

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple, cast

from pydantic import JsonValue
from sqlalchemy import Connection, Engine, Table, delete, func, select
from sqlalchemy import event as event_api
from sqlalchemy.orm import Session, sessionmaker

from bot.core.errors import UserError
from bot.core.system import AuditCheck, AuditEntry
from bot.stores.database import reading
from bot.stores.repeat import repeatable
from bot.stores.storable import dumps
from bot.stores.tables import AuditEndRow, AuditRow
from bot.stores.together import Together, Values, Write, added

log = logging.getLogger(__name__)
NOTHING = "0" * 64  # what stands before the first link
BEGINNING = (0, NOTHING)
PURGED = "audit purged"
LINKS, ENDS = cast(Table, AuditRow.__table__), cast(Table, AuditEndRow.__table__)
HEAD_NOW = select(ENDS.c.seq, ENDS.c.hash).where(ENDS.c.name == "head").with_for_update()
LINK_WRITES = (
    Write(ENDS, ENDS.update().where(ENDS.c.name == "head"), ("seq", "hash")),
    added(LINKS, "seq", "at", "event", "operation", "actor", "body", "hash"),
)
LINKED = Together(*LINK_WRITES)
HEAD = re.compile("[0-9a-f]{12,64}")  # fewer digits than these, and a chain of thousands has them by chance


class Head(NamedTuple):
    """The newest link."""

    seq: int
    hash: str

    def tell(self) -> None:
        """Note it elsewhere, once it is committed: a cut tail shows against it."""
        log.info("audit head %s %s", self.seq, self.hash)


def append(
    session: Session, at: datetime, event: str, operation: str, actor: str, body: dict[str, JsonValue] | None = None
) -> str:
    """Add a link in the caller's transaction, and tell its head afterwards; returns the hash."""
    session.flush()  # what it tells of comes first
    connection = session.connection()
    head, row = following(newest(connection), at, event, operation, actor, body or {})
    LINKED.write(connection, told(head, [row]))
    event_api.listen(session, "after_commit", lambda _: head.tell(), once=True)
    return head.hash


def newest(connection: Connection) -> Head:
    """The head, which nobody else moves before the caller's transaction has ended."""
    found = connection.execute(HEAD_NOW).one_or_none()
    if found is None:
        connection.execute(ENDS.insert(), [{"name": name, "seq": 0, "hash": NOTHING} for name in ("head", "root")])
    return Head(*(found or BEGINNING))


def following(
    head: Head, at: datetime, event: str, operation: str, actor: str, body: dict[str, JsonValue]
) -> tuple[Head, Values]:
    """The head after one more link, and that link as a row."""
    seq = head.seq + 1
    text = canonical(seq, at, event, operation, actor, body)
    new = Head(seq, link(head.hash, text))
    row = {"seq": seq, "at": at, "event": event, "operation": operation, "actor": actor, "body": text, "hash": new.hash}
    return new, row


def told(head: Head, links: Sequence[Values]) -> dict[str, Sequence[Values]]:
    """The rows of `LINK_WRITES` that put these links before that head."""
    return {ENDS.name: [head._asdict()], LINKS.name: links}


def canonical(seq: int, at: datetime, event: str, operation: str, actor: str, body: dict[str, JsonValue]) -> str:
    """The text that is hashed: JSON with sorted keys and no spaces, of what can be stored."""
    whole: JsonValue = {
        "seq": seq, "at": _written(at), "event": event, "operation": operation, "actor": actor, "body": body
    }  # fmt: skip
    return dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def link(previous: str, text: str) -> str:
    """SHA-256 over the hash before and the body."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


@repeatable
class SqlAudit:
    """Reading and checking the chain, and cutting off what retention lets go."""

    def __init__(self, engine: Engine) -> None:
        self._transaction, self._reading = sessionmaker(engine).begin, sessionmaker(reading(engine)).begin

    def entries(self, *, operation: str = "", limit: int = 20) -> tuple[AuditEntry, ...]:
        """Newest first."""
        rows = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
        if operation:
            rows = rows.where(AuditRow.operation == operation)
        with self._reading() as session:
            return tuple(_entry(row) for row in session.scalars(rows))

    def head(self) -> str:
        with self._reading() as session:
            row = session.get(AuditEndRow, "head")
            return row.hash if row else NOTHING

    def verify(self, head: str = "") -> AuditCheck:
        wanted = head.strip().lower()
        if wanted and not HEAD.fullmatch(wanted):
            raise UserError(
                "A head is the 12 to 64 hexadecimal digits that the log shows as `audit head NUMBER DIGITS`."
            )
        with self._reading() as session:
            return _walk(session, wanted)

    def purge(self, before: datetime, now: datetime) -> int:
        """Let go of the oldest links, up to the first that is kept; the root keeps the hash that the rest hangs on.

        Returns how many. What a wrong clock dated too late is kept too long, never the other way round.
        """
        kept = select(func.min(AuditRow.seq)).where(AuditRow.at >= before).scalar_subquery()
        old = select(AuditRow).where(AuditRow.seq < func.coalesce(kept, AuditRow.seq + 1))
        with self._transaction() as session:
            root = session.get(AuditEndRow, "root", with_for_update=True)  # first: one purge at a time
            last = session.scalars(old.order_by(AuditRow.seq.desc()).limit(1)).one_or_none()
            if root is None or last is None:
                return 0
            gone = last.seq - root.seq
            append(session, now, PURGED, "", "aisq", {"up to": last.seq, "hash": last.hash})
            root.seq, root.hash = last.seq, last.hash
            session.execute(delete(AuditRow).where(AuditRow.seq <= last.seq))
            return gone


def _entry(row: AuditRow) -> AuditEntry:
    body = json.loads(row.body)["body"]
    return AuditEntry(
        seq=row.seq, at=row.at, event=row.event, operation=row.operation, actor=row.actor, body=body, hash=row.hash
    )


def _walk(session: Session, wanted: str) -> AuditCheck:
    ends = {row.name: (row.seq, row.hash) for row in session.scalars(select(AuditEndRow))}
    root, head = ends.get("root", BEGINNING), ends.get("head", BEGINNING)
    (seq, previous), seen, let_go = root, root[1].startswith(wanted), root == BEGINNING
    rows = select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)
    with closing(session.scalars(rows)) as entries:
        for row in entries:
            if problem := _broken(row, seq + 1, previous):
                return AuditCheck(entries=seq - root[0], head=previous, problem=problem)
            seq, previous = row.seq, row.hash
            seen = seen or previous.startswith(wanted)
            let_go = let_go or _lets_go(row, root)
    problem = ""
    if (seq, previous) != head:
        problem = f"the chain ends at {seq} ({previous[:12]}), but its head was {head[0]} ({head[1][:12]})"
    elif not let_go:
        problem = f"the entries up to {root[0]} are gone, and none of the rest says that they were let go"
    elif not seen:
        older = f", unless it is older than entry {root[0]}, up to which entries were let go" if root[0] else ""
        problem = f"head {wanted[:12]} is not in the chain: its tail was cut{older}"
    return AuditCheck(entries=seq - root[0], head=previous, problem=problem)


def _lets_go(row: AuditRow, root: tuple[int, str]) -> bool:
    return row.event == PURGED and json.loads(row.body)["body"] == {"up to": root[0], "hash": root[1]}


def _broken(row: AuditRow, seq: int, previous: str) -> str:
    if row.seq != seq:
        return f"entry {seq} is missing; the next one is {row.seq}"
    if link(previous, row.body) != row.hash:
        return f"entry {seq} was changed, or what stood before it was"
    told = json.loads(row.body)
    columns = {"seq": row.seq, "at": _written(row.at), "event": row.event, "operation": row.operation}
    if any(told[name] != value for name, value in columns.items()) or told["actor"] != row.actor:
        return f"entry {seq} says one thing in its body and another in its columns"
    return ""
