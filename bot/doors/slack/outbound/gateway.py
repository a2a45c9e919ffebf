"""The one way out to Slack. Level-triggered: it brings every message up to its operation's row, and keeps trying.

A lost edit, a restart or another process heals by the next round; nothing else of the bot waits for it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.core.errors import BotError, StoreError, Transient, Uncertain
from bot.core.staged import asks
from bot.core.system import Clock, Messages, OperationRecord, Shown
from bot.doors.slack.draw.answers import whisper
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.draw.cards import card
from bot.doors.slack.inbound import DOOR
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls, Limited, Refusal
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.pauses import Pauses
from bot.doors.slack.outbound.posts import Letter, Posts
from bot.doors.slack.outbound.replies import DETAILS, REMINDER, Replies
from bot.doors.slack.outbound.shelf import Place, Shelf, name
from bot.doors.slack.outbound.uploads import FILE, Uploads
from bot.doors.slack.outbound.whispers import Whispers, is_direct

REMEMBERED = timedelta(days=2)  # what has not moved for longer shows its outcome
REMINDERS_EVERY_S = 5.0
ANSWERED_AT_ONCE = 4  # each for one person alone, at addresses of their own
FEW = 20  # replies at a time: what cannot be shown yet is read again and again, beside everything else
log = logging.getLogger(__name__)


class Gateway:
    """Brings messages up to date. `clock` is what people see, `real` is Slack's time, `budgets` those of `calls`."""

    def __init__(
        self, calls: Calls, messages: Messages, clock: Clock, real: Clock, pace: Pace, budgets: Budgets
    ) -> None:
        self._messages, self._clock, self._pace, self._budgets = messages, clock, pace, budgets
        self._pauses = Pauses(real.monotonic)
        shelf = Shelf(messages, self._pauses, real)
        self._posts = Posts(calls, shelf, self._pauses, budgets, real, pace)
        self._replies = Replies(self._posts, shelf, clock)
        self._uploads = Uploads(calls, shelf, self._posts, budgets, pace)
        self._whispers = Whispers(calls, shelf, self._pauses, clock, pace)

    async def round(self) -> None:
        """Bring up to date what may be brought now. Never raises for what Slack or the database do.

        Usually what moved just now; now and then all that is remembered, which heals whatever was missed.
        """
        age = REMEMBERED if self._is_turn("everything", self._pace.everything_every_s) else self._pace.recent
        since = self._clock.now() - age
        await self._bring_all(lambda: self._messages.behind(DOOR, since=since))
        await self._bring_all(lambda: self._replies_behind(since))

    async def tell(self, place: Place, told: Card) -> None:
        """Show something that no row knows to one person."""
        await self._whispers.tell(place, told)

    async def _bring_all(self, read: Callable[[], Sequence[Shown]]) -> None:
        if not self._pauses.over("slack"):
            return
        try:
            behind = await asyncio.to_thread(self._looked, read)
        except StoreError as error:
            log.warning("what Slack should show cannot be read: %s", error)
            self._pauses.grow("slack")
            return
        self._pauses.tidy()
        async with asyncio.TaskGroup() as group:
            for lane in _lanes(sorted(behind, key=_urgency)):
                group.create_task(self._bring_in_turn(lane))

    async def _bring_in_turn(self, lane: Sequence[Shown]) -> None:
        for one in lane:
            if self._pauses.over("slack") and self._pauses.over(name(one)):
                await self._try(one)

    def _looked(self, read: Callable[[], Sequence[Shown]]) -> Sequence[Shown]:
        self._budgets.look()
        return read()

    def _replies_behind(self, since: datetime) -> Sequence[Shown]:
        read = self._messages.replies
        found = [one for kind in (DETAILS, FILE) for one in read(DOOR, kind, since=since, limit=FEW)]
        if self._is_turn("reminders", REMINDERS_EVERY_S):
            asked = self._clock.now() - REMEMBERED
            found += read(DOOR, REMINDER, since=asked, states=("waiting",))
            found += self._messages.undecided(DOOR, since=asked)
        return found

    def _is_turn(self, what: str, every_s: float) -> bool:
        if not self._pauses.over(what):
            return False
        self._pauses.hold(what, every_s)
        return True

    async def _try(self, one: Shown) -> None:
        """Bring one; whatever goes wrong delays this one, and what is wrong with Slack as a whole delays all."""
        try:
            await self._bring(one)
        except Limited as limited:
            self._budgets.hold(limited.method, limited.retry_after_s)
            self._pauses.hold(name(one), limited.retry_after_s)
        except (Transient, Uncertain, StoreError) as error:
            log.warning("Slack will show %s later: %s", name(one), error)
            self._pauses.grow(name(one))
            self._pauses.grow("slack")
        except BotError as error:
            log.warning("Slack cannot show %s: %s", name(one), error)
            self._pauses.grow(name(one))
            if isinstance(error, Refusal) and not one.kind:
                await self._whispers.explain(one, error)
        except Exception:  # one row that cannot be drawn must not keep the others from being shown
            log.exception("showing %s met a bug", name(one))
            self._pauses.grow(name(one))

    async def _bring(self, one: Shown) -> None:
        if one.kind == DETAILS:
            await self._replies.details(one)
        elif one.kind == REMINDER:
            await self._replies.remind(one)
        elif one.kind == FILE:
            await self._uploads.bring(one)
        elif one.kind:
            await self._replies.ask(one)
        elif found := await self._posts.find(one):
            await self._bring_message(found)

    async def _bring_message(self, one: Shown) -> None:
        record = one.record
        if one.place.get("ts"):
            await self._posts.edit(one, _letter(one))
        elif _for_everyone(record):
            if record.state != "accepted" or self._pauses.waited(record.id, self._pace.patience_s):
                await self._posts.post(one, _letter(one))
        elif record.state != "accepted":
            await self._answer(one)

    async def _answer(self, one: Shown) -> None:
        """For the asker alone: where they wrote to us directly, as a message like any other, once."""
        place = one.record.request.address.place
        if is_direct(place) and not place.get("response_url") and not self._whispers.is_late(one.record):
            await self._posts.post(one, _letter(one))
        else:
            await self._whispers.answer(one)


def _letter(one: Shown) -> Letter:
    place = one.record.request.address.place
    is_answer = is_direct(place) and not _for_everyone(one.record)
    return Letter(
        draw=partial(whisper, one.record) if is_answer else partial(card, one.record, one.stages),
        revision=one.record.revision,
        channel=place["channel"],
        thread_ts=place.get("thread_ts", ""),
        is_spare=_is_spare(one),
    )


def _lanes(owed: Sequence[Shown]) -> Sequence[Sequence[Shown]]:
    """What everybody sees, one after the other; beside it, so that no plan or outcome waits for them, the answers."""
    for_all = [one for one in owed if not _is_answer(one)]
    answers = [one for one in owed if _is_answer(one)]
    return [for_all, *(answers[first::ANSWERED_AT_ONCE] for first in range(ANSWERED_AT_ONCE))]


def _is_answer(one: Shown) -> bool:
    return not (one.kind or one.place.get("ts") or _for_everyone(one.record))


def _for_everyone(record: OperationRecord) -> bool:
    """Changes that can happen, or happened; what was refused or only looked at is for the asker."""
    happens = bool(record.digest) and record.state != "planned"
    return record.request.verb == "plan" and (happens or record.state == "accepted")


def _is_spare(one: Shown) -> bool:
    """Whether nobody waits for it as they do for plans to approve, reminders of them, and outcomes."""
    moves = one.record.state in ("accepted", "queued", "running") and not asks(one.record, one.stages)
    return one.kind in (DETAILS, FILE) or moves


def _urgency(one: Shown) -> tuple[bool, float]:
    """What people wait for first; then what has waited longest."""
    return _is_spare(one), one.record.updated_at.timestamp()
