"""What there is to be judged when a soak is over: the books past the bot, the cloud's log, the channel."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from bot.sandbox.books import Books
from bot.sandbox.deliveries import Delivery

Json = dict[str, Any]
OPERATIONS = (
    "select id, operation, verb, state, target, judged, detail, digest, cast(plan as text),"
    " cast(request as text) from operations order by created_at, id"
)


class Operation(NamedTuple):
    """A row."""

    id: str
    operation: str
    verb: str
    state: str
    target: str
    judged: str
    detail: str
    digest: str
    plan: Json
    request: Json


class Link(NamedTuple):
    """One link of the audit chain."""

    seq: int
    event: str
    operation: str
    body: Json


@dataclass(frozen=True)
class Evidence:
    """What there is outside the bot. `calls` are the updates of services that its replicas tried."""

    books: Books
    calls: Sequence[Json]
    messages: Sequence[Json]
    sent: Sequence[Delivery]

    @cached_property
    def operations(self) -> dict[str, Operation]:
        rows = [(*row[:8], *(json.loads(one) if one else {} for one in row[8:])) for row in self.books.ours(OPERATIONS)]
        return {row[0]: Operation(*row) for row in rows}

    @cached_property
    def audit(self) -> list[Link]:
        rows = self.books.ours("select seq, event, operation, body from audit order by seq")
        return [Link(seq, event, operation, json.loads(body)["body"]) for seq, event, operation, body in rows]

    @cached_property
    def heard(self) -> dict[str, str]:
        return dict(self.books.ours("select heard_as, operation from heard"))

    @cached_property
    def committed(self) -> list[Json]:
        """The updates that took effect, in their order."""
        return [call for call in self.calls if call["committed"]]

    def written(self) -> Iterator[Link]:
        """What the audit says that the cloud was told and had begun."""
        return (link for link in self.audit if link.event == "written" and link.body["cloud_operation"])
