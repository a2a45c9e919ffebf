"""What the gateway remembers of each message, through `Messages`: who is posting it, where it is, what it shows."""

import asyncio
from datetime import datetime

from bot.core.system import Clock, Messages, Shown
from bot.doors.slack.outbound.pauses import Pauses

Place = dict[str, str]


class Shelf:
    """`real` is Slack's time. A try that this process began is its own to repeat; another one's is left to it."""

    def __init__(self, messages: Messages, pauses: Pauses, real: Clock, takeover_s: float) -> None:
        self._messages, self._pauses, self._real, self._takeover_s = messages, pauses, real, takeover_s
        self._mine: dict[str, datetime] = {}

    async def begin(self, one: Shown, place: Place) -> bool:
        """Take the first post for this process; false while another one may be at it."""
        now, operation = self._real.now(), one.record.id
        others = one.tried_at if self._mine.get(operation) != one.tried_at else None
        if others and (now - others).total_seconds() < self._takeover_s:
            return False
        noted = {**place, "since": one.place.get("since") or str(now.timestamp())}
        if not await asyncio.to_thread(self._messages.trying, one, noted, now):
            return False
        self._mine[operation] = now
        return True

    async def drop(self, operation: str) -> None:
        """It certainly is not there."""
        await asyncio.to_thread(self._messages.untried, operation)
        self._mine.pop(operation, None)

    async def keep(self, operation: str, revision: int, place: Place) -> None:
        """It shows this revision, so Slack is well again."""
        await asyncio.to_thread(self._messages.showing, operation, revision, place)
        self._mine.pop(operation, None)
        self._pauses.calm(operation)
        self._pauses.calm("slack")
