"""Carries requests to the bot: over HTTP, signed, or through a connection of Socket Mode; three seconds to answer."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bot.sandbox.slack.limits import ACK_DEADLINE_S
from bot.sandbox.slack.link import Link, envelope
from bot.sandbox.slack.signing import signed
from bot.sandbox.slack.state import Json

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
TIMEOUT, FAILED = "operation_timeout", "dispatch_failed"
OK = httpx.codes.OK.value
SLASH, INTERACTIVE, EVENT = "slash_commands", "interactive", "events_api"  # what Socket Mode calls them


@dataclass(frozen=True)
class Sent:
    """A request as it went out; sending it again is a replay. `envelope` is Socket Mode's; it has no headers."""

    kind: str
    body: bytes
    headers: dict[str, str]
    envelope: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What came back: `error` is Slack's word for it, empty for a 200 in time; `reason` as in X-Slack-Retry-Reason."""

    sent: Sent
    status: int | None
    ms: float
    content: bytes = b""
    content_type: str = ""
    error: str = ""
    reason: str = ""
    stop_retries: bool = False

    @property
    def body(self) -> Json:
        """The answer as Slack reads it: JSON, or plain text as a message; {} for none or for broken JSON."""
        text = self.content.decode(errors="replace")
        if "json" not in self.content_type:
            return {"text": text} if text.strip() else {}
        try:
            parsed = json.loads(text or "{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


@dataclass
class Courier:
    """Sends to `bot_url` through one shared client, or through `link` when there is none; remembers what it sent."""

    signing_secret: str
    bot_url: str
    link: Link = field(default_factory=lambda: Link(""))
    sent: list[Sent] = field(default_factory=list)
    _client: httpx.AsyncClient | None = None

    def sign(self, body: bytes, timestamp: int | str | None = None) -> dict[str, str]:
        """The signature headers for a body."""
        return signed(self.signing_secret, body, timestamp)

    async def command(self, payload: Mapping[str, str]) -> Delivery:
        """Deliver a slash command."""
        if not self.bot_url:
            return await self._linked("slash_command", SLASH, dict(payload))
        return await self._signed("slash_command", urlencode(payload).encode(), FORM)

    async def interaction(self, payload: Json) -> Delivery:
        """Deliver a click, a submission, a shortcut or a request for options."""
        if not self.bot_url:
            return await self._linked(str(payload["type"]), INTERACTIVE, payload)
        body = urlencode({"payload": json.dumps(payload, ensure_ascii=False)}).encode()
        return await self._signed(str(payload["type"]), body, FORM)

    async def event(self, payload: Json, headers: Mapping[str, str] | None = None) -> Delivery:
        """Deliver an Events API payload once."""
        if not self.bot_url:
            retry = (int(headers["X-Slack-Retry-Num"]), headers["X-Slack-Retry-Reason"]) if headers else None
            return await self._linked("event", EVENT, payload, retry)
        body = json.dumps(payload, ensure_ascii=False).encode()
        return await self._signed("event", body, JSON_TYPE, headers)

    async def _signed(
        self, kind: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> Delivery:
        all_headers = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0", **self.sign(body)}
        return await self.send(Sent(kind, body, {**all_headers, **(headers or {})}))

    async def _linked(self, kind: str, type: str, payload: Json, retry: tuple[int, str] | None = None) -> Delivery:
        made = envelope(type, payload, retry)
        return await self.send(Sent(kind, json.dumps(made).encode(), {}, made))

    async def _carried(self, request: Sent) -> Delivery:
        """Through the connection; only an acknowledgement counts, and what it carries is the answer."""
        began = time.perf_counter()
        try:
            answer = await self.link.carry(request.envelope)
        except ConnectionError:
            return Delivery(request, None, 0.0, error=FAILED, reason="connection_failed")
        ms = (time.perf_counter() - began) * 1_000
        if answer is None:
            return Delivery(request, None, ms, error=TIMEOUT, reason="timeout")
        return Delivery(request, OK, ms, json.dumps(answer).encode(), JSON_TYPE)

    async def send(self, request: Sent) -> Delivery:
        """Send a request exactly as given and wait three seconds."""
        self.sent.append(request)
        if request.envelope:
            return await self._carried(request)
        began = time.perf_counter()

        def ms() -> float:
            return (time.perf_counter() - began) * 1_000

        try:
            async with asyncio.timeout(ACK_DEADLINE_S):
                response = await self._http().post(self.bot_url, content=request.body, headers=request.headers)
        except TimeoutError:
            return Delivery(request, None, ms(), error=TIMEOUT, reason="http_timeout")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Delivery(request, None, ms(), error=FAILED, reason="connection_failed")
        answered = response.status_code == httpx.codes.OK
        return Delivery(
            request,
            response.status_code,
            ms(),
            response.content,
            response.headers.get("content-type", ""),
            error="" if answered else FAILED,
            reason="" if answered else "http_error",
            stop_retries=response.headers.get("x-slack-no-retry") == "1",
        )

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=None, trust_env=False)  # noqa: S113 (the deadline is above)
        return self._client

    async def close(self) -> None:
        """Close the shared client; the next delivery opens another."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
