"""Locks: what people, or a rollback, keep from being done somewhere until somebody lifts it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from bot.core.places import covers

Kind = Literal["deploys", "freeze"]


class Lock(BaseModel, frozen=True):
    """No deploys to a target, or a freeze of rollouts. A plan says what and why, the outcome fills in the rest.

    `target` is a full name; that of a freeze may stop early, such as "ai-square/prod", or have `*` and `?`.
    """

    target: str
    kind: Kind = "deploys"
    reason: str = ""
    until: datetime | None = None  # by itself; None: until somebody lifts it
    by: str = ""
    since: datetime | None = None
    operation: str = ""

    @property
    def name(self) -> str:
        """What `Plan.unlocks` calls it: the target's name, or "freeze ai-square/prod". There is one of each name."""
        return self.target if self.kind == "deploys" else f"{self.kind} {self.target}"

    def stops(self, kind: Kind, target: str, now: datetime) -> bool:
        """Whether it is one of this kind, in force for the full name `target`."""
        return self.kind == kind and (self.until is None or now < self.until) and covers(self.target, target)
