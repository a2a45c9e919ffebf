"""App Homes: shown when they are opened, and kept right for as long as somebody may be looking."""

import logging
from collections.abc import Callable

from pydantic import BaseModel

from bot.core.errors import BotError, StoreError
from bot.core.home import Home
from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.draw.home import home
from bot.doors.slack.inbound import DOOR
from bot.doors.slack.outbound.calls import Refusal
from bot.doors.slack.outbound.views import Views, is_conflict
from bot.engine.front import Front

OPEN_FOR_S = 900.0  # real seconds after which nobody counts as looking
EVERY_S = 3.0  # between two changes of one Home
ANYHOW_S = 60.0  # after which it is read again though nothing moved: what expires does not move
MOST = 100  # people who look at once; the others see theirs change when they open it again
log = logging.getLogger(__name__)


class Shown(BaseModel):
    """What somebody sees: what was true at `stamp`. All times are monotonic; `view` is empty before it is known."""

    channel: str
    hash: str
    opened_at: float
    at: float = float("-inf")
    read_at: float = float("-inf")
    stamp: int = -1
    view: Block = {}


class Homes:
    """Level-triggered: a round shows what is true now. `monotonic` is real time."""

    def __init__(self, front: Front, views: Views, monotonic: Callable[[], float]) -> None:
        self._front, self._views, self._now = front, views, monotonic
        self._shown: dict[str, Shown] = {}

    def opened(self, user: str, channel: str, hash: str) -> None:
        """Somebody looks at theirs; `hash` is of the one that they see, empty for none."""
        self._shown.pop(user, None)
        self._shown[user] = Shown(channel=channel, hash=hash, opened_at=self._now())
        while len(self._shown) > MOST:
            del self._shown[next(iter(self._shown))]

    def doubt(self) -> None:
        """Read all of them again, though no operation may have moved: who looks may be allowed something else."""
        for one in self._shown.values():
            one.read_at = float("-inf")

    async def round(self) -> None:
        """Bring every Home that may be looked at up to date. Never raises for what Slack or the database do."""
        now = self._now()
        self._shown = {user: one for user, one in self._shown.items() if now - one.opened_at < OPEN_FOR_S}
        stamp = await self._stamp() if self._shown else 0
        for user, one in list(self._shown.items()):
            is_old = stamp != one.stamp or now - one.read_at >= ANYHOW_S
            if is_old and now - one.at >= EVERY_S:
                await self._bring(user, one, stamp)

    async def _bring(self, user: str, one: Shown, stamp: int) -> None:
        try:
            if not await self._publish(user, one):
                one.hash = ""  # another process was faster, with what it read; this reads again
                await self._publish(user, one)
            one.stamp = stamp
        except Refusal as refused:
            log.warning("the Home of %s is not shown: %s", user, refused)
            self._shown.pop(user, None)
        except BotError as error:
            log.warning("the Home of %s is shown later: %s", user, error)

    async def _publish(self, user: str, one: Shown) -> bool:
        """False when it is no longer what was shown."""
        view, one.read_at = home(await self._read(user), one.channel), self._now()
        if view == one.view:
            return True
        try:
            published = await self._views.publish(user, view, one.hash)
        except Refusal as refused:
            if not is_conflict(refused):
                raise
            return False
        one.hash, one.view, one.at = published.hash, view, self._now()
        return True

    async def _stamp(self) -> int:
        """-1 when it cannot be known."""
        try:
            return await self._front.look(self._front.overview.stamp)
        except StoreError:
            return -1

    async def _read(self, user: str) -> Home:
        try:
            return await self._front.look(self._front.overview.of, f"{DOOR}:{user}")
        except StoreError as error:
            return Home(refused=str(error))
