"""What stands in the bot's books while a soak goes on, read past the bot again and again."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.sandbox.books import Books

AT_WORK = ("accepted", "queued", "running")  # what somebody should be doing something about, without anybody's yes
NOT_ENDED = (*AT_WORK, "waiting")
EVERY_S = 0.2
ROWS = (
    "select h.heard_as, o.id, o.state, o.digest, o.target, o.applied_at, cast(m.place as text)"
    " from operations o left join heard h on h.operation = o.id left join messages m on m.operation = o.id"
    " order by o.created_at, o.id"
)


class Row(NamedTuple):
    """One operation; `ts` is where its message is, empty while there is none."""

    heard_as: str
    id: str
    state: str
    digest: str
    target: str
    applied_at: str
    ts: str

    @property
    def ended(self) -> bool:
        return self.state not in NOT_ENDED


@dataclass
class Recovery:
    """From a blow until all that was at work then has its outcome, or waits for people."""

    kind: str
    began: float
    left: set[str]
    took_s: float | None = None


@dataclass
class View:
    """`follow` keeps it up to date."""

    books: Books
    rows: dict[str, Row] = field(default_factory=dict)  # by how it was heard
    recoveries: list[Recovery] = field(default_factory=list)

    async def follow(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        found = [_row(*row) for row in self.books.ours(ROWS)]
        now, working = time.monotonic(), {row.id for row in found if row.state in AT_WORK}
        self.rows = {row.heard_as: row for row in found}
        for one in self.recoveries:
            one.left &= working
            if one.took_s is None and not one.left:
                one.took_s = now - one.began

    def hit(self, kind: str) -> None:
        """A blow falls now."""
        left = {row.id for row in self.rows.values() if row.state in AT_WORK}
        self.recoveries.append(Recovery(kind, time.monotonic(), left))

    def last_applied(self, target: str) -> str:
        """The id of what was last applied to a target; empty if nothing was."""
        done: Iterable[Row] = (row for row in self.rows.values() if row.target == target and row.state == "applied")
        return max(done, key=lambda row: row.applied_at, default=Row(*[""] * 7)).id

    async def until(self, heard_as: str, true: Callable[[Row], bool], patience_s: float) -> Row | None:
        """The row of what was heard so, once it is as wanted; None when that lasts too long."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if (row := self.rows.get(heard_as)) and true(row):
                return row
            await asyncio.sleep(EVERY_S / 2)
        return None


def _row(
    heard_as: str | None, id: str, state: str, digest: str, target: str, applied_at: object, place: str | None
) -> Row:
    ts = str((json.loads(place) if place else {}).get("ts", ""))
    return Row(heard_as or f"unheard {id}", id, state, digest, target, str(applied_at or ""), ts)
