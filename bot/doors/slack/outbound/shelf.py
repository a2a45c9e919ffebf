"""What the gateway remembers of each message, through `Messages`: who is at it, where it is, what it shows."""

import asyncio
from datetime import datetime

from bot.core.system import Clock, Messages, Shown
from bot.doors.slack.outbound.pauses import Pauses

Place = dict[str, str]


def name(one: Shown) -> str:
    """Of a message, or of a reply in its thread."""
    return f"{one.record.id} {one.kind}".strip()


class Shelf:
    """`real` is Slack's time. A try that this process began is its own to repeat; another one's is left to it."""

    def __init__(self, messages: Messages, pauses: Pauses, real: Clock) -> None:
        self._messages, self._pauses, self._real = messages, pauses, real
        self._mine: dict[str, datetime] = {}

    def is_anothers(self, one: Shown, takeover_s: float) -> bool:
        """Whether another process may be at it: it began less than `takeover_s` ago, by whichever clock."""
        if one.tried_at is None or self._mine.get(name(one)) == one.tried_at:
            return False
        return abs((self._real.now() - one.tried_at).total_seconds()) < takeover_s

    async def begin(self, one: Shown, place: Place, takeover_s: float) -> Shown | None:
        """Take a post or an edit for this process, and how it stands then; None while another one may be at it."""
        if self.is_anothers(one, takeover_s):
            return None
        now = self._real.now()
        noted = place if place.get("ts") else {**place, "since": one.place.get("since") or str(now.timestamp())}
        if not await asyncio.to_thread(self._messages.trying, one, noted, now):
            return None
        self._mine[name(one)] = now
        if (self._real.now() - now).total_seconds() > takeover_s / 2:
            return None  # this process stood still, and another one may be at it by the time that Slack is called
        return one.model_copy(update={"place": noted, "tried_at": now})

    async def drop(self, one: Shown) -> None:
        """It certainly is not there."""
        await asyncio.to_thread(self._messages.untried, one.record.id, one.kind)
        self._mine.pop(name(one), None)

    async def note(self, one: Shown, revision: int, place: Place) -> Shown:
        """It is at that place and shows that revision, 0 when nobody knows which; and how it stands then."""
        await asyncio.to_thread(self._messages.showing, one.record.id, revision, place, one.kind)
        self._mine.pop(name(one), None)
        return one.model_copy(update={"place": place, "revision": revision, "tried_at": None})

    async def keep(self, one: Shown, revision: int, place: Place) -> None:
        """The same, and so Slack is well again."""
        await self.note(one, revision, place)
        self._pauses.calm(name(one))
        self._pauses.calm("slack")
