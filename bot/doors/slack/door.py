"""The Slack door: one route in, one gateway out."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from starlette.routing import Route

from bot.core.system import Clock, Messages
from bot.doors.slack.bolt import application, asgi
from bot.doors.slack.changes import Changes, Known, Nobody
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.forms import Forms
from bot.doors.slack.guard import Guard, Refusals
from bot.doors.slack.home import EVERY_S as HOMES_EVERY_S
from bot.doors.slack.home import Homes
from bot.doors.slack.listeners import Listeners
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls
from bot.doors.slack.outbound.gateway import Gateway
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.outbound.views import Views
from bot.doors.slack.socket import Socket
from bot.engine.clock import SystemClock
from bot.engine.front import Front

PATH = "/slack/events"
GRACE_S = 0.7  # for calls in progress when the process ends; whoever stops us gives one second
log = logging.getLogger(__name__)


class SlackDoor:
    """Construct it, serve `routes()`, and keep the gateway running between `start()` and `stop()`.

    With an `app_token` it opens a connection to Slack and serves no route; `signing_secret` is of no use then. `people`
    is told when what it remembers of somebody may have changed; `host` is the guard's. `clock` is the time that people
    see; `share` is this process's part of Slack's rates (1: all), and may take long to say. `refusals` counts what was
    turned away.
    """

    def __init__(
        self,
        front: Front,
        messages: Messages,
        clock: Clock,
        *,
        bot_token: str,
        signing_secret: str,
        api_url: str,
        app_token: str = "",
        team_id: str = "",
        host: str = "",
        people: Known | None = None,
        pace: Pace | None = None,
        share: Callable[[], float] = lambda: 1.0,
    ) -> None:
        real = SystemClock()
        self._pace = pace or Pace()
        budgets = Budgets(real.monotonic, share)
        self._front, self._calls, self.refusals = front, Calls(bot_token, api_url, budgets), Refusals()
        self._gateway = Gateway(self._calls, messages, clock, real, self._pace, budgets)
        views = Views(self._calls)
        self._homes, self._seen = Homes(front, views, real.monotonic), asyncio.Event()
        forms = Forms(front, views, self._tell, self._keep)
        listeners = Listeners(front, forms, self._homes, team_id, self.refusals, self._tell, self._seen.set)
        changes = Changes(people or Nobody(), team_id, self.refusals, self._doubt)
        app = application(listeners, changes, bot_token=bot_token, signing_secret=signing_secret, api_url=api_url)
        self._app = Guard(asgi(app), signing_secret, real, self.refusals, host=host)
        self._socket = Socket(app, app_token) if app_token else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._due, self._stopping = asyncio.Event(), False

    def routes(self) -> list[Route]:
        """Where Slack's requests arrive: commands, clicks, forms and events alike; nowhere in Socket Mode."""
        return [] if self._socket else [Route(PATH, self._app, methods=["POST"])]

    def connected(self) -> bool | None:
        """Whether the connection that we opened to Slack is there; None over HTTP, where Slack opens its own."""
        return self._socket.connected if self._socket else None

    async def start(self) -> None:
        """Begin to bring messages up to date; also those that another process, or an earlier life, left behind."""
        loop = asyncio.get_running_loop()
        self._calls.open()
        self._keep(self._rounds("gateway", lambda: self._gateway.round(), self._due, self._pace.poll_s))
        self._keep(self._rounds("Home", lambda: self._homes.round(), self._seen, HOMES_EVERY_S))
        if self._socket:
            self._keep(self._socket.run())
        for due in (self._due, self._seen):
            self._front.on_change(partial(_wake, loop, due))

    async def stop(self) -> None:
        """Finish the call in progress, whose fate nobody would know else; leave the rest to the next process."""
        self._stopping = True
        if self._socket:
            self._socket.stop()
        self._due.set()
        self._seen.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._calls.close()

    async def _rounds(
        self, what: str, round: Callable[[], Awaitable[None]], due: asyncio.Event, every_s: float
    ) -> None:
        """Again and again, at once when it is due."""
        while not self._stopping:
            try:
                await round()
            except Exception:  # the only way out must outlive any one bad round
                log.exception("the %s met a bug", what)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await due.wait()
            due.clear()

    def _doubt(self) -> None:
        """Somebody may be somebody else now, who sees something else."""
        self._homes.doubt()
        self._seen.set()

    def _tell(self, place: dict[str, str], card: Card) -> None:
        self._keep(self._gateway.tell(place, card))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the background, held by us: asyncio itself holds tasks only weakly."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _wake(loop: asyncio.AbstractEventLoop, due: asyncio.Event) -> None:
    """From any thread, also while the loop ends."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(due.set)
