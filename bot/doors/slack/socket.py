"""Socket Mode: the same requests through a connection that we open, for machines that Slack cannot reach.

Nothing is signed here: the connection is ours, and its address is given out once against the app's own token. Whatever
Slack delivers again is known by what it says, as over HTTP (docs.slack.dev, "Using Socket Mode").
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

PING_S = 5.0  # one that stays unanswered shows that the connection died in silence
PATIENCE_S = 30.0  # until a client that does not get connected is replaced by a new one
LOOK_S, DRAIN_S = 0.5, 0.02
CLOSE_S = 0.3
log = logging.getLogger(__name__)


class Socket:
    """Keeps a connection as long as `run` runs. All times are real seconds."""

    def __init__(
        self, app: AsyncApp, app_token: str, *, ping_s: float = PING_S, patience_s: float = PATIENCE_S
    ) -> None:
        self._app, self._app_token, self._ping_s, self._patience_s = app, app_token, ping_s, patience_s
        self._stopping, self._busy = asyncio.Event(), set[str]()
        self.connected = False

    async def run(self) -> None:
        """Until `stop`: a client reconnects by itself; one that cannot for long is given up for a new one."""
        while not self._stopping.is_set():
            client = SocketModeClient(self._app_token, log, self._app.client, ping_interval=self._ping_s)
            client.socket_mode_request_listeners.append(self._hear)  # type: ignore[arg-type]  # any client will do
            try:
                async with asyncio.timeout(self._patience_s):
                    await self._unless_stopped(client.connect())  # type: ignore[no-untyped-call]
                await self._watch(client)
            except TimeoutError:
                log.warning("no connection to Slack within %s s", self._patience_s)
            finally:
                self.connected = False
                await _closed(client)

    def stop(self) -> None:
        """Hear nothing new, finish what was begun, then close. What was not acknowledged Slack gives to another."""
        self._stopping.set()

    async def _hear(self, client: SocketModeClient, heard: SocketModeRequest) -> None:
        if self._stopping.is_set():
            return
        self._busy.add(heard.envelope_id)
        try:
            context, headers = {"signature": ""}, build_headers(heard)
            request = AsyncBoltRequest(mode="socket_mode", body=heard.payload, headers=headers, context=context)
            await send_async_response(client, heard, await self._app.async_dispatch(request), 0.0)
        finally:
            self._busy.discard(heard.envelope_id)

    async def _watch(self, client: SocketModeClient) -> None:
        """Return when it is time to close, or to try with a new client."""
        now = asyncio.get_running_loop().time
        alive_at = now()
        while not self._stopping.is_set():
            self.connected = await client.is_connected()
            if self.connected:
                alive_at = now()
            elif now() - alive_at > self._patience_s:
                log.warning("the connection to Slack was lost and did not come back")
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._stopping.wait()
        while self._busy:
            await asyncio.sleep(DRAIN_S)

    async def _unless_stopped(self, connecting: Coroutine[Any, Any, None]) -> None:
        connected, stopped = asyncio.ensure_future(connecting), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((connected, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (connected, stopped):
                task.cancel()
            await asyncio.gather(connected, stopped, return_exceptions=True)


async def _closed(client: SocketModeClient) -> None:
    """Close it, also when its peer is dead and never says goodbye."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()  # type: ignore[no-untyped-call]
    tasks = [
        task for task in (client.message_processor, client.message_receiver, client.current_session_monitor) if task
    ]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aiohttp_client_session.close()
