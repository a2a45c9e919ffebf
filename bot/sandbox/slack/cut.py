"""Cuts a connection, so that the caller never learns what became of its request."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class _Nothing(Response):
    """An answer that is never sent: the other side is gone by now."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        return


async def cut(request: Request) -> Response:
    """Abort the caller's connection. Needs uvicorn, whose `receive` belongs to the object with the transport.

    Raises ConnectionResetError under any other server, which then cuts the connection in its own way.
    """
    owner: Any = getattr(request.receive, "__self__", None)
    transport = getattr(owner, "transport", None)
    if transport is None:
        raise ConnectionResetError("the sandbox cut this connection on purpose")
    transport.abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return _Nothing()
