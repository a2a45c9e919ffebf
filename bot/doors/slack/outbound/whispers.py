"""What one person alone is shown: answers, refusals, explanations. They vanish, so they are never the record."""

import asyncio
import logging

from bot.core.errors import BotError, Transient
from bot.core.system import Clock, OperationRecord, Shown
from bot.doors.slack.draw.answers import said, whisper
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.outbound.calls import Calls, Refusal
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.shelf import Place, Shelf

AGAIN_S = (1.0, 3.0, 10.0)
SHUT = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})  # channels, for us
log = logging.getLogger(__name__)


class Whispers:
    """`clock` is the time that people see."""

    def __init__(self, calls: Calls, shelf: Shelf, pauses: Pauses, clock: Clock, pace: Pace) -> None:
        self._calls, self._shelf, self._pauses, self._clock, self._pace = calls, shelf, pauses, clock, pace

    async def answer(self, one: Shown) -> None:
        """Show what became of a request to whoever asked; given up when it is late or Slack refuses."""
        record = one.record
        if not self.is_late(record):
            if not await self._shelf.begin(one, {}, self._pace.takeover_s):
                return
            try:
                await self._send(record.request.address.place, whisper(record))
            except Refusal as refused:
                log.warning("the answer of %s was given up: %s", record.id, refused)
        await self._shelf.keep(one, record.revision, {})

    def is_late(self, record: OperationRecord) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._clock.now() - record.updated_at > self._pace.answers_for

    async def tell(self, place: Place, told: Card) -> None:
        """Show what no row knows; given up when Slack cannot be reached for a while. Never raises a BotError."""
        for again_s in AGAIN_S:
            try:
                return await self._send(place, told)
            except Transient as error:
                await asyncio.sleep(max(again_s, error.retry_after_s))
            except BotError as error:
                log.warning("an answer was not shown: %s", error)
                return
        log.warning("an answer was given up: Slack could not be reached")

    async def explain(self, one: Shown, refused: Refusal) -> None:
        """Tell the asker, once, why nobody sees the message; later tries to post it go on."""
        operation = one.record.id
        if refused.error not in SHUT or not self._pauses.first(f"explain {operation}"):
            return
        sentence = (
            f"I cannot write in this channel ({refused.error}), so nobody sees the plan of `{operation}`."
            f" Invite me with `/invite @aisq`; meanwhile `ops show {operation}` shows it."
        )
        try:
            await self._send(one.record.request.address.place, said(sentence))
        except BotError as error:
            log.warning("nobody was told why %s is not shown: %s", operation, error)

    async def _send(self, place: Place, told: Card) -> None:
        """To one person: by the address that came with what they asked, else where they asked it.

        What only one person sees in a thread is seen only if the thread is there already. In a direct message
        everything is for one person.
        """
        channel = place["channel"]
        thread = place.get("thread_ts", "") if place.get("in_thread") or is_direct(place) else ""
        if await self._responded(place.get("response_url", ""), told):
            return
        if is_direct(place):
            return await self._calls.say(channel, told, thread)
        try:
            await self._calls.whisper(channel, place["user"], told, thread)
        except Refusal as refused:
            if refused.error not in SHUT or not await self._responded(place.get("spare_url", ""), told):
                raise

    async def _responded(self, url: str, told: Card) -> bool:
        try:
            if url:
                await self._calls.respond(url, told)
        except Refusal as refused:
            log.info("%s", refused)  # used up, or older than half an hour
            return False
        return bool(url)


def is_direct(place: Place) -> bool:
    """Whether somebody wrote to us directly (docs.slack.dev, "Conversations API": such ids begin with D)."""
    return place.get("channel", "").startswith("D")
