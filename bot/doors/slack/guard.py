"""What stands before Bolt: lets through only what Slack signed just now, and says nothing to anybody else.

Bolt alone answers 500 to a timestamp that is no number and to a body that is no UTF-8, answers an unsigned
`ssl_check=1`, and reads bodies of any size. How Slack signs: docs.slack.dev, "Verifying requests from Slack".
"""

import hashlib
import hmac
from collections import Counter
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.core.system import Clock

LONGEST_BODY = 1_000_000  # bytes
WINDOW_S = 300
REFUSED = b"refused\n"

Why = Literal["too large", "headers", "host", "timestamp", "signature", "encoding", "another workspace", "heard before"]
Refusals = Counter[Why]  # how many requests were refused, by reason


class Refused(Exception):
    """A request that does not come from Slack, or came too late."""

    def __init__(self, why: Why, status: int) -> None:
        super().__init__(why)
        self.why: Why = why
        self.status = status


class Guard:
    """ASGI middleware. Behind it `scope["state"]["signature"]` is the verified signature of the whole body.

    `clock` is real time: signatures age by Slack's clock, whatever people see. `host` is the one name under which
    Slack reaches us; empty: any. A signature does not cover it, and nothing here believes it.
    """

    def __init__(self, app: ASGIApp, signing_secret: str, clock: Clock, refusals: Refusals, *, host: str = "") -> None:
        self._app, self._key, self._clock, self._refusals = app, signing_secret.encode(), clock, refusals
        self._host = host.lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, signature = await self._verified(dict(scope["headers"]), receive)
        except Refused as refused:
            self._refusals[refused.why] += 1
            return await _refuse(send, refused.status)
        scope.setdefault("state", {})["signature"] = signature
        await self._app(scope, _Again(body, receive), send)

    async def _verified(self, headers: dict[bytes, bytes], receive: Receive) -> tuple[bytes, str]:
        """The body and its signature. Raises Refused; what is cheap to see is seen before the body is read."""
        if self._host and headers.get(b"host", b"").lower().partition(b":")[0] != self._host:
            raise Refused("host", 421)
        stamp, signature = headers.get(b"x-slack-request-timestamp"), headers.get(b"x-slack-signature")
        if not stamp or not signature:
            raise Refused("headers", 401)
        self._in_time(stamp)
        if _length(headers) > LONGEST_BODY:
            raise Refused("too large", 413)
        body = await _whole(receive)
        digest = hmac.new(self._key, b"v0:" + stamp + b":" + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(b"v0=" + digest.encode(), signature):
            raise Refused("signature", 401)
        _readable(body)
        return body, f"v0={digest}"

    def _in_time(self, stamp: bytes) -> None:
        if not (stamp.isdigit() and len(stamp) < 12):
            raise Refused("timestamp", 401)
        if abs(self._clock.now().timestamp() - int(stamp)) > WINDOW_S:
            raise Refused("timestamp", 401)


class _Again:
    """Gives the body that was read to whoever comes next, then what the server says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def _length(headers: dict[bytes, bytes]) -> int:
    said = headers.get(b"content-length", b"0")
    return int(said) if said.isdigit() and len(said) < 19 else 0


async def _whole(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused("headers", 400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LONGEST_BODY:
            raise Refused("too large", 413)
        if not message.get("more_body"):
            return b"".join(parts)


def _readable(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Refused("encoding", 400) from None


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(REFUSED)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSED})
