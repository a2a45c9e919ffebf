"""Writing requests down: whether each was heard before, the operation, its links of the audit chain; one commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast

from pydantic import JsonValue
from sqlalchemy import ColumnDefault, Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.errors import Denied
from bot.core.request import Request, State
from bot.core.system import Accepted
from bot.stores import audit
from bot.stores.database import hurried
from bot.stores.group import Group
from bot.stores.repeat import repeatable
from bot.stores.tables import HeardRow, OperationRow
from bot.stores.together import Together, Values, added

HEARD, OPERATIONS = cast(Table, HeardRow.__table__), cast(Table, OperationRow.__table__)
NEW = {  # refused by both keys at once, also when the same is just being committed
    "sqlite": sqlite.insert(HEARD).on_conflict_do_nothing().returning(HEARD.c.operation),
    "postgresql": postgresql.insert(HEARD).on_conflict_do_nothing().returning(HEARD.c.operation),
}
FRESH = {column.name: column.default.arg for column in OPERATIONS.columns if isinstance(column.default, ColumnDefault)}
ASKED = added(OPERATIONS, *FRESH, *("id", "request", "operation", "verb", "actor", "created_at", "updated_at", "state"))
ALONE, LINKED = Together(ASKED), Together(*audit.LINK_WRITES, ASKED)


class Asked(NamedTuple):
    """A request as it is written down. `detail` counts unless it is accepted."""

    request: Request
    heard_as: str
    signature: str
    state: State
    detail: str
    at: datetime

    @property
    def target(self) -> str:
        """Its full name; nothing for what has none."""
        return self.request.target.full_name if self.request.target else ""

    def heard(self) -> Values:
        """What refuses it the next time."""
        return {
            "heard_as": self.heard_as,
            "signature": self.signature or None,
            "operation": self.request.id,
            "at": self.at,
        }

    def row(self) -> Values:
        """The operation."""
        return FRESH | {
            "id": self.request.id,
            "request": self.request.model_dump(mode="json"),
            "operation": self.request.operation,
            "verb": self.request.verb,
            "actor": self.request.actor.id,
            "target": self.target,
            "created_at": self.at,
            "updated_at": self.at,
            "state": self.state,
            "detail": self.detail if self.state != "accepted" else "",
        }

    def links(self) -> list[tuple[str, str, dict[str, JsonValue]]]:
        """Of the audit chain: event, who, body."""
        told: dict[str, JsonValue] = {
            "target": self.target,
            "text": self.request.text,
            "door": self.request.address.door,
        }
        links = [("asked", self.request.actor.id, told)] if is_worth_a_link(self.request.verb, "accepted") else []
        refused: dict[str, JsonValue] = {"target": self.target, "detail": self.detail}
        return links + ([(self.state, "aisq", refused)] if self.state != "accepted" else [])


class Answer(NamedTuple):
    """The operation of a delivery, None for a signature that was used before; the newest links that were written."""

    operation: str | None
    heads: Sequence[audit.Head] = ()


@repeatable
class Asking:
    """Who comes at the same moment is written in one transaction, statement by statement: somebody waits, and a unit
    of work would take several times as long."""

    def __init__(self, engine: Engine) -> None:
        self._hurried = hurried(engine)
        self._together = Group(self._write, self.accept)

    def soon(self, asked: Asked) -> Accepted:
        """Write it down with all others that wait. Raises Denied for a replayed signature."""
        answer = self._together(asked)
        if answer.operation is None:
            raise Denied("that delivery was used before; ask again")
        for head in answer.heads:
            head.tell()
        is_new = answer.operation == asked.request.id  # also when a commit was lost: it is ours
        return Accepted(id=answer.operation, verb=asked.request.verb, new=is_new)

    def accept(self, asked: Asked) -> Answer:
        """Write it down alone."""
        return self._write([asked])[0]

    def _write(self, all_asked: Sequence[Asked]) -> list[Answer]:
        with self._hurried.begin() as connection:
            new, known = _heard(connection, all_asked)
            heads = _ask(connection, new)
        return [Answer(known.get(one.heard_as), heads.get(one.request.id, ())) for one in all_asked]


def _heard(connection: Connection, all_asked: Sequence[Asked]) -> tuple[list[Asked], dict[str, str]]:
    """Those that were not heard before, which is noted, and the operations of all deliveries but for replays."""
    in_order = sorted(all_asked, key=lambda one: one.heard_as)  # the same everywhere, so that nobody waits in a ring
    noted = set(connection.scalars(NEW[connection.dialect.name], [one.heard() for one in in_order]))
    new = [one for one in all_asked if one.request.id in noted]
    known = {one.heard_as: one.request.id for one in new}
    if others := {one.heard_as for one in all_asked} - known.keys():
        before = select(HEARD.c.heard_as, HEARD.c.operation).where(HEARD.c.heard_as.in_(others))
        known |= {row.heard_as: row.operation for row in connection.execute(before)}
    return new, known


def _ask(connection: Connection, new: Sequence[Asked]) -> dict[str, list[audit.Head]]:
    """Write operations and their links of the chain; the heads, by operation."""
    rows = {OPERATIONS.name: [one.row() for one in new]}
    links = [(asked, *link) for asked in new for link in asked.links()]
    heads, chain = dict[str, list[audit.Head]](), list[Values]()
    if new and not links:
        ALONE.write(connection, rows)
    elif links:
        head = audit.newest(connection)
        for asked, event, by, body in links:
            head, link = audit.following(head, asked.at, event, asked.request.id, by, body)
            heads.setdefault(asked.request.id, []).append(head)
            chain.append(link)
        LINKED.write(connection, rows | audit.told(head, chain))
    return heads


def is_worth_a_link(verb: str, state: str) -> bool:
    """Who looks changes nothing; only a refusal is kept."""
    return verb != "answer" or state == "denied"
