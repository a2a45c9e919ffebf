"""The one way out to Slack. Level-triggered: it brings every message up to its operation's row, and keeps trying.

A lost edit, a restart or another process heals by the next round; nothing else of the bot waits for it.
"""

import asyncio
import logging
from datetime import timedelta

from bot.core.errors import BotError, StoreError, Transient, Uncertain
from bot.core.system import Clock, Messages, OperationRecord, Shown
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.inbound import DOOR
from bot.doors.slack.outbound.calls import Calls, Limited, Refusal
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.posts import Posts
from bot.doors.slack.outbound.shelf import Place, Shelf
from bot.doors.slack.outbound.whispers import Whispers

REMEMBERED = timedelta(days=2)  # an operation that is older has its outcome; every round looks at all that are younger
log = logging.getLogger(__name__)


class Gateway:
    """Brings messages up to date. `clock` is what people see, `real` is Slack's time."""

    def __init__(self, calls: Calls, messages: Messages, clock: Clock, real: Clock, pace: Pace) -> None:
        self._messages, self._clock = messages, clock
        self._pauses = Pauses(real.monotonic)
        shelf = Shelf(messages, self._pauses, real, pace.takeover_s)
        self._posts = Posts(calls, shelf, self._pauses, real, pace)
        self._whispers = Whispers(calls, shelf, self._pauses, clock, pace)

    async def round(self) -> None:
        """Bring up to date what may be brought now. Never raises for what Slack or the database do."""
        if not self._pauses.over("slack"):
            return
        try:
            since = self._clock.now() - REMEMBERED
            behind = await asyncio.to_thread(self._messages.behind, DOOR, since=since)
        except StoreError as error:
            log.warning("what Slack should show cannot be read: %s", error)
            self._pauses.grow("slack")
            return
        self._pauses.tidy()
        for one in sorted(behind, key=_urgency):
            if self._pauses.over("slack") and self._pauses.over(one.record.id):
                await self._try(one)

    async def tell(self, place: Place, told: Card) -> None:
        """Show something that no row knows to one person."""
        await self._whispers.tell(place, told)

    async def _try(self, one: Shown) -> None:
        """Bring one; whatever goes wrong delays this one, and what is wrong with Slack as a whole delays all."""
        operation = one.record.id
        try:
            await self._bring(one)
        except Limited as limited:
            self._pauses.hold(limited.method, limited.retry_after_s)
            self._pauses.hold(operation, limited.retry_after_s)
        except (Transient, Uncertain, StoreError) as error:
            log.warning("Slack will show %s later: %s", operation, error)
            self._pauses.grow(operation)
            self._pauses.grow("slack")
        except BotError as error:
            log.warning("Slack cannot show %s: %s", operation, error)
            self._pauses.grow(operation)
            if isinstance(error, Refusal):
                await self._whispers.explain(one, error)
        except Exception:  # one row that cannot be drawn must not keep the others from being shown
            log.exception("showing %s met a bug", operation)
            self._pauses.grow(operation)

    async def _bring(self, one: Shown) -> None:
        record, place = one.record, await self._posts.find(one)
        if place is None:
            return
        if place.get("ts"):
            await self._posts.edit(record, place)
        elif _for_everyone(record):
            await self._posts.post(one)
        elif record.state != "accepted":
            await self._whispers.answer(one)


def _for_everyone(record: OperationRecord) -> bool:
    """Changes that can happen, or happened; what was refused or only looked at is for the asker."""
    happens = bool(record.digest) and record.state != "planned"
    return record.request.verb == "plan" and (happens or record.state == "accepted")


def _urgency(one: Shown) -> tuple[bool, float]:
    """Plans to approve and outcomes before progress; then what has waited longest."""
    return one.record.state in ("accepted", "queued", "running"), one.record.updated_at.timestamp()
