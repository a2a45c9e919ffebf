"""The one way out to Slack. Level-triggered: it brings every message up to its operation's row, and keeps trying.

A lost edit, a restart or another process heals by the next round; nothing else of the bot waits for it.
"""

import asyncio
import logging
from datetime import timedelta

from pydantic import BaseModel

from bot.core.errors import BotError, StoreError, Transient, Uncertain
from bot.core.system import Clock, Messages, OperationRecord, Shown
from bot.doors.slack.answers import said, whisper
from bot.doors.slack.blocks import Card
from bot.doors.slack.calls import Calls, Limited, Refusal
from bot.doors.slack.cards import card
from bot.doors.slack.inbound import DOOR
from bot.doors.slack.pauses import Pauses

REMEMBERED = timedelta(days=2)  # an operation that is older has its outcome; every round looks at all that are younger
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
TELL_AGAIN_S = (1.0, 3.0, 10.0)
SKEW_S = 120.0  # by which Slack's clock may be behind ours
log = logging.getLogger(__name__)


class Pace(BaseModel, frozen=True):
    """How fast, in real seconds; `answers_for` is in the time that people see."""

    poll_s: float = 0.5
    edit_every_s: float = 1.0  # of one message; what comes faster is left out
    patience_s: float = 2.0  # until a plan that takes long gets a message that says so
    takeover_s: float = 30.0  # until a post that another process began counts as lost
    answers_for: timedelta = timedelta(minutes=5)


class Gateway:
    """Brings messages up to date. `clock` is what people see, `real` is Slack's time."""

    def __init__(self, calls: Calls, messages: Messages, clock: Clock, real: Clock, pace: Pace) -> None:
        self._calls, self._messages = calls, messages
        self._clock, self._real, self._pace = clock, real, pace
        self._pauses = Pauses(real.monotonic)
        self._tried: dict[str, object] = {}  # posts that this process began and that may have arrived

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

    async def tell(self, place: dict[str, str], told: Card) -> None:
        """Show something that no row knows to one person; given up when Slack still cannot be reached after a while."""
        for wait_s in (*TELL_AGAIN_S, None):
            try:
                return await self._whisper(place, told)
            except Transient as error:
                if wait_s is not None:
                    await asyncio.sleep(max(wait_s, error.retry_after_s))
                    continue
                log.warning("an answer was given up: %s", error)
            except BotError as error:
                return log.warning("an answer was not shown: %s", error)

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
        except Exception:  # one row that cannot be drawn must not keep the others from being shown
            log.exception("showing %s met a bug", operation)
            self._pauses.grow(operation)

    async def _bring(self, one: Shown) -> None:
        record = one.record
        place = one.place
        if place.get("since") and not place.get("ts"):
            place = await self._looked_up(one)
        if place.get("ts"):
            await self._edit(record, place)
        elif _for_everyone(record):
            await self._post(one)
        elif record.state != "accepted":
            await self._answer(one)

    # --- the one message of a change

    async def _post(self, one: Shown) -> None:
        record, channel = one.record, one.record.request.address.place["channel"]
        if record.state == "accepted" and not self._pauses.waited(record.id, self._pace.patience_s):
            return
        if not self._pauses.over("chat.postMessage") or not await self._began(one, {"channel": channel}):
            return
        try:
            ts = await self._calls.post(channel, card(record), record.id)
        except Uncertain:
            raise
        except BotError as error:
            await self._untried(record.id)
            if isinstance(error, Refusal):
                await self._explain(record, error)
            raise
        await self._showing(record.id, record.revision, {"channel": channel, "ts": ts})

    async def _edit(self, record: OperationRecord, place: dict[str, str]) -> None:
        if not self._pauses.over("chat.update") or not self._pauses.over(f"edit {record.id}"):
            return
        self._pauses.hold(f"edit {record.id}", self._pace.edit_every_s)
        try:
            await self._calls.update(place["channel"], place["ts"], card(record))
        except Refusal as refused:
            if refused.error not in GONE:
                raise
            log.warning("the message of %s is gone, so it gets a new one: %s", record.id, refused)
            return await self._untried(record.id)
        await self._showing(record.id, record.revision, place)

    async def _began(self, one: Shown, place: dict[str, str]) -> bool:
        """Take the first post for this process; false while another one may be at it."""
        now, operation = self._real.now(), one.record.id
        mine = one.tried_at is None or self._tried.get(operation) == one.tried_at
        if not mine and one.tried_at and (now - one.tried_at).total_seconds() < self._pace.takeover_s:
            return False
        noted = {**place, "since": one.place.get("since") or str(now.timestamp())}
        if not await asyncio.to_thread(self._messages.trying, operation, noted, now, seen=one.tried_at):
            return False
        self._tried[operation] = now
        return True

    async def _looked_up(self, one: Shown) -> dict[str, str]:
        """Whether a post whose answer was lost arrived; where it did."""
        channel, operation = one.place.get("channel", ""), one.record.id
        if not channel or not self._pauses.over("conversations.history"):
            return one.place
        try:
            ts = await self._calls.find(channel, float(one.place["since"]) - SKEW_S, operation)
        except Refusal as refused:
            log.warning("nobody can look whether %s was posted, so it is posted again: %s", operation, refused)
            ts = None
        if ts is None:
            return one.place
        place = {"channel": channel, "ts": ts}
        await self._showing(operation, 0, place)
        return place

    # --- what one person is told

    async def _answer(self, one: Shown) -> None:
        record = one.record
        late = self._clock.now() - record.updated_at > self._pace.answers_for
        if not late:
            if not await self._began(one, {}):
                return
            try:
                await self._whisper(record.request.address.place, whisper(record))
            except Refusal as refused:
                log.warning("the answer of %s was given up: %s", record.id, refused)
        await self._showing(record.id, record.revision, {})

    async def _whisper(self, place: dict[str, str], told: Card) -> None:
        if url := place.get("response_url"):
            try:
                return await self._calls.respond(url, told)
            except Refusal as refused:
                log.info("%s", refused)  # used up or too old
        await self._calls.whisper(place["channel"], place["user"], told)

    async def _explain(self, record: OperationRecord, refused: Refusal) -> None:
        """Tell the asker, once, why nobody sees the message."""
        if self._pauses.first(f"explain {record.id}"):
            sentence = (
                f"I cannot write in this channel ({refused.error}), so nobody sees the plan of `{record.id}`."
                f" Invite me with `/invite @aisq`; meanwhile `ops show {record.id}` shows it."
            )
            await self.tell(record.request.address.place, said(sentence))

    async def _showing(self, operation: str, revision: int, place: dict[str, str]) -> None:
        await asyncio.to_thread(self._messages.showing, operation, revision, place)
        self._tried.pop(operation, None)
        self._pauses.calm(operation)
        self._pauses.calm("slack")

    async def _untried(self, operation: str) -> None:
        await asyncio.to_thread(self._messages.untried, operation)
        self._tried.pop(operation, None)


def _for_everyone(record: OperationRecord) -> bool:
    """Changes that can happen, or happened; what was refused or only looked at is for the asker."""
    happens = bool(record.digest) and record.state != "planned"
    return record.request.verb == "plan" and (happens or record.state == "accepted")


def _urgency(one: Shown) -> tuple[bool, float]:
    """Plans to approve and outcomes before progress; then what has waited longest."""
    return one.record.state in ("accepted", "queued", "running"), one.record.updated_at.timestamp()
