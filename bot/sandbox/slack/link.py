"""Socket Mode's side of Slack: connections that the app opens, envelopes down, acknowledgements up.

docs.slack.dev, "Using Socket Mode": apps.connections.open gives an address that is good once; then hello, envelopes of
type slash_commands, interactive and events_api, and a disconnect before Slack closes a connection itself.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.sandbox.slack.limits import ACK_DEADLINE_S, CONNECTIONS
from bot.sandbox.slack.state import Json

POLICY_VIOLATION = 1008


@dataclass
class Link:
    """The connections of one app; envelopes go to them in turn."""

    app_id: str
    tickets: set[str] = field(default_factory=set)
    open: list[WebSocket] = field(default_factory=list)
    waiting: dict[str, "asyncio.Future[Json]"] = field(default_factory=dict)

    def ticket(self) -> str:
        """One that opens a connection, once."""
        made = secrets.token_hex(16)
        self.tickets.add(made)
        return made

    async def serve(self, socket: WebSocket) -> None:
        """One connection, as long as it lasts."""
        if socket.query_params.get("ticket", "") not in self.tickets or len(self.open) >= CONNECTIONS:
            await socket.close(POLICY_VIOLATION)
            return
        self.tickets.discard(socket.query_params["ticket"])
        await socket.accept()
        self.open.append(socket)
        try:
            await self._converse(socket)
        except WebSocketDisconnect:
            pass
        finally:
            if socket in self.open:
                self.open.remove(socket)

    async def _converse(self, socket: WebSocket) -> None:
        hello = {"type": "hello", "num_connections": len(self.open), "connection_info": {"app_id": self.app_id}}
        await socket.send_json(hello)
        while True:
            said = json.loads(await socket.receive_text())
            if waiting := self.waiting.pop(str(said.get("envelope_id", "")), None):
                waiting.set_result(said.get("payload") or {})

    async def carry(self, envelope: Json) -> Json | None:
        """Send an envelope and wait three seconds for its acknowledgement: its payload; None when none came.

        Raises ConnectionError when there is no connection.
        """
        if not self.open:
            raise ConnectionError("the app has no connection")
        socket = self.open.pop(0)
        self.open.append(socket)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.waiting[envelope["envelope_id"]] = answer
        try:
            async with asyncio.timeout(ACK_DEADLINE_S):
                await socket.send_json(envelope)
                return await answer
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return None
        finally:
            self.waiting.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: str) -> int:
        """Tell every connection that it ends, as Slack does when it refreshes them, and end it; how many there were."""
        ending, self.open = self.open, []
        for socket in ending:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
            await socket.close()
        return len(ending)


def envelope(kind: str, payload: Json, retry: Any = None) -> Json:
    """What goes down the connection; `retry` is (number, reason) of an event that was not acknowledged."""
    made = {
        "type": kind,
        "envelope_id": secrets.token_hex(16),
        "accepts_response_payload": kind != "events_api",
        "payload": payload,
    }
    return made | ({"retry_attempt": retry[0], "retry_reason": retry[1]} if retry else {})
