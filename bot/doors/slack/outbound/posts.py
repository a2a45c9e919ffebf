"""Messages that everybody sees: posted once, whatever happens to the answer, then edited."""

import logging
from collections.abc import Callable

from pydantic import BaseModel

from bot.core.errors import BotError, Uncertain
from bot.core.system import Clock, Shown
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.outbound import lookup
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls, Refusal
from bot.doors.slack.outbound.lookup import Lookup
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.shelf import Place, Shelf, name

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
SKEW_S = 120.0  # by which Slack's clock and ours may differ
log = logging.getLogger(__name__)


class Letter(BaseModel, frozen=True):
    """A card, drawn when there is budget for it, the revision that it shows, and where it goes.

    What is spare leaves budget for what people wait for.
    """

    draw: Callable[[], Card]
    revision: int
    channel: str
    thread_ts: str = ""
    is_broadcast: bool = False
    is_spare: bool = False

    @property
    def place(self) -> Place:
        return {"channel": self.channel, **({"thread_ts": self.thread_ts} if self.thread_ts else {})}


class Posts:
    """Every method may be called again at any time; what is not due does nothing. Raises what `calls` raises."""

    def __init__(self, calls: Calls, shelf: Shelf, pauses: Pauses, budgets: Budgets, real: Clock, pace: Pace) -> None:
        self._calls, self._shelf, self._pauses, self._budgets = calls, shelf, pauses, budgets
        self._lookup, self._real, self._pace = Lookup(calls), real, pace

    async def bring(self, one: Shown, letter: Letter) -> bool:
        """Post it, or edit what was posted; whether it shows the letter now."""
        found = await self.find(one)
        if found is None:
            return False
        return await (self.edit if found.place.get("ts") else self.post)(found, letter)

    async def find(self, one: Shown) -> Shown | None:
        """The same, with the place where it is; without a `ts` when it was not posted; None: nobody can tell now."""
        place = one.place
        if place.get("ts") or not (place.get("since") and place.get("channel")):
            return one
        looks = lookup.method(place.get("thread_ts", ""))
        if self._shelf.is_anothers(one, self._pace.edit_takeover_s) or not self._budgets.allows(looks):
            return None
        ts = await self._arrived(one)
        if ts is None:
            return one
        found = {part: value for part, value in place.items() if part != "since"} | {"ts": ts}
        return await self._shelf.note(one, 0, found)

    async def _arrived(self, one: Shown) -> str | None:
        """The ts of a post whose answer was lost, if it arrived."""
        place = one.place
        try:
            return await self._lookup.message(
                place["channel"], place.get("thread_ts", ""), self.span(one), one.record.id, one.kind
            )
        except Refusal as refused:
            log.warning("nobody can look whether %s was posted, so it is posted again: %s", name(one), refused)
            return None

    def span(self, one: Shown) -> lookup.Span:
        """When it may have arrived, by Slack's clock."""
        tried = one.tried_at or self._real.now()
        return float(one.place["since"]) - SKEW_S, tried.timestamp() + SKEW_S

    async def post(self, one: Shown, letter: Letter) -> bool:
        """Post it; whether it is there."""
        if not self._budgets.allows("chat.postMessage", letter.channel, spare=letter.is_spare):
            return False
        card = letter.draw()
        begun = await self._shelf.begin(one, letter.place, self._pace.takeover_s)
        if begun is None:
            return False
        more = {"thread_ts": letter.thread_ts} | ({"reply_broadcast": True} if letter.is_broadcast else {})
        try:
            ts = await self._calls.post(letter.channel, card, lookup.metadata(one.record.id, one.kind), **more)
        except Uncertain:
            raise  # it may be there
        except BotError:
            await self._shelf.drop(one)
            raise
        await self._shelf.keep(one, letter.revision, {**letter.place, "ts": ts})
        return True

    async def edit(self, one: Shown, letter: Letter) -> bool:
        """Let it show the row as it is; whether it does."""
        if not self._budgets.allows("chat.update", spare=letter.is_spare) or not self._has_rested(one):
            return False
        card = letter.draw()
        begun = await self._shelf.begin(one, one.place, self._pace.edit_takeover_s)
        if begun is None:
            return False
        self._pauses.hold(f"edit {name(one)}", self._pace.edit_every_s)
        try:
            await self._calls.update(one.place["channel"], one.place["ts"], card)
        except Refusal as refused:
            return await self._refused(one, refused)
        except Uncertain:
            await self._shelf.note(one, 0, self._edited(one))
            raise
        except BotError:
            await self._shelf.note(one, one.revision, one.place)
            raise
        await self._shelf.keep(one, letter.revision, self._edited(one))
        return True

    async def _refused(self, one: Shown, refused: Refusal) -> bool:
        if refused.error not in GONE:
            await self._shelf.note(one, one.revision, one.place)
            raise refused
        log.warning("the message of %s is gone, so it gets a new one: %s", name(one), refused)
        await self._shelf.drop(one)
        return False

    def _has_rested(self, one: Shown) -> bool:
        """Nobody edited it just now: not this process, by its own clock, and no other one, by whichever clock."""
        edited_s = float(one.place.get("edited", "-inf"))
        since_s = abs(self._real.now().timestamp() - edited_s)
        return self._pauses.over(f"edit {name(one)}") and since_s >= self._pace.edit_every_s

    def _edited(self, one: Shown) -> Place:
        return {**one.place, "edited": f"{self._real.now().timestamp():.3f}"}
