"""The one message of a change: posted once, whatever happens to the answer, then edited."""

import logging

from bot.core.errors import BotError, Uncertain
from bot.core.system import Clock, OperationRecord, Shown
from bot.doors.slack.draw.cards import card
from bot.doors.slack.outbound.calls import Calls, Refusal
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.shelf import Place, Shelf

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
SKEW_S = 120.0  # by which Slack's clock and ours may differ
log = logging.getLogger(__name__)


class Posts:
    """Every method may be called again at any time; what is not due does nothing."""

    def __init__(self, calls: Calls, shelf: Shelf, pauses: Pauses, real: Clock, pace: Pace) -> None:
        self._calls, self._shelf, self._pauses, self._real, self._pace = calls, shelf, pauses, real, pace

    async def find(self, one: Shown) -> Place | None:
        """Where the message is; empty when nothing was posted; None when nobody can tell now."""
        place = one.place
        if place.get("ts") or not (place.get("since") and place.get("channel")):
            return place
        if not self._pauses.over("conversations.history"):
            return None
        ts = await self._arrived(one)
        if ts is None:
            return {}
        found = {"channel": place["channel"], "ts": ts}
        await self._shelf.keep(one.record.id, 0, found)
        return found

    async def _arrived(self, one: Shown) -> str | None:
        """The ts of a post whose answer was lost, if it arrived."""
        tried = one.tried_at or self._real.now()
        within_s = float(one.place["since"]) - SKEW_S, tried.timestamp() + SKEW_S
        try:
            return await self._calls.find(one.place["channel"], within_s, one.record.id)
        except Refusal as refused:
            log.warning("nobody can look whether %s was posted, so it is posted again: %s", one.record.id, refused)
            return None

    async def post(self, one: Shown) -> None:
        """Post it. Raises what `calls` raises."""
        record, channel = one.record, one.record.request.address.place["channel"]
        if record.state == "accepted" and not self._pauses.waited(record.id, self._pace.patience_s):
            return
        if not self._pauses.over("chat.postMessage") or not await self._shelf.begin(one, {"channel": channel}):
            return
        try:
            ts = await self._calls.post(channel, card(record), record.id)
        except Uncertain:
            raise  # it may be there
        except BotError:
            await self._shelf.drop(record.id)
            raise
        await self._shelf.keep(record.id, record.revision, {"channel": channel, "ts": ts})

    async def edit(self, record: OperationRecord, place: Place) -> None:
        """Let it show the row as it is. Raises what `calls` raises."""
        pause = f"edit {record.id}"
        if not self._pauses.over("chat.update") or not self._pauses.over(pause):
            return
        self._pauses.hold(pause, self._pace.edit_every_s)
        try:
            await self._calls.update(place["channel"], place["ts"], card(record))
        except Refusal as refused:
            if refused.error not in GONE:
                raise
            log.warning("the message of %s is gone, so it gets a new one: %s", record.id, refused)
            return await self._shelf.drop(record.id)
        await self._shelf.keep(record.id, record.revision, place)
