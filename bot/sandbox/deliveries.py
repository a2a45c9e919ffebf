"""Slack's requests to several replicas behind one address: signed once, and repeated elsewhere until one answers.

Unlike the town's own courier, which knows one bot, many may be under way at once. As a load balancer does, a delivery
goes to any replica; as Slack does (docs.slack.dev, "Events API: Retries"; we repeat commands and clicks alike, to see
that a repeated delivery does no harm), what was not answered within three seconds comes again, byte for byte.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.rehearsal import TEAM
from bot.sandbox.slack.delivery import FORM
from bot.sandbox.slack.limits import ACK_DEADLINE_S
from bot.sandbox.slack.signing import signed
from bot.sandbox.town import SIGNING_SECRET
from bot.sandbox.transcript import lines

PATH = "/slack/events"
BETWEEN_S = 0.2  # from one attempt to the next
Json = dict[str, Any]


@dataclass
class Delivery:
    """One command or click. `acknowledged` once any attempt got its 200; `said` is what that had to say, if anything.

    `answered_by` are the addresses that answered, `sent_at` and `ms` the beginning of the first attempt and how long
    the attempt took that was answered first. Instants are time.monotonic's.
    """

    heard_as: str
    who: str
    text: str
    sent_at: float = 0.0
    attempts: int = 0
    answered_by: list[str] = field(default_factory=list)
    said: str = ""
    ms: float = 0.0

    @property
    def acknowledged(self) -> bool:
        return bool(self.answered_by)

    @property
    def is_click(self) -> bool:
        return self.heard_as.startswith("slack:click:")


class Slack:
    """An async context manager. `sent` is everything that was delivered, or tried to be."""

    def __init__(self, channel: str) -> None:
        self._channel, self.sent = channel, list[Delivery]()

    async def __aenter__(self) -> Self:
        waits = aiohttp.ClientTimeout(ACK_DEADLINE_S)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=waits)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def command(self, who: str, text: str, urls: Sequence[str], *, twice: bool = False) -> Delivery:
        """`/aisq TEXT`, to the first of `urls`, then to the next; `twice`: once more though it was answered."""
        trigger = uuid.uuid4().hex
        told = {
            "token": "legacy", "team_id": TEAM, "team_domain": "aisq", "channel_id": self._channel,
            "channel_name": "ops", "user_id": who, "user_name": who.lower(), "command": "/aisq", "text": text,
            "api_app_id": "A0AISQ", "is_enterprise_install": "false", "response_url": "", "trigger_id": trigger,
        }  # fmt: skip
        made = Delivery(f"slack:command:{trigger}", who, text)
        return await self._deliver(made, urlencode(told).encode(), urls, twice)

    async def click(
        self, who: str, ts: str, action: str, value: str, urls: Sequence[str], *, twice: bool = False
    ) -> Delivery:
        """A click on the button `action` of the message `ts`."""
        action_ts = f"{time.time():.6f}"
        button = {"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": action_ts}
        told = {
            "type": "block_actions", "team": {"id": TEAM, "domain": "aisq"}, "api_app_id": "A0AISQ",
            "user": {"id": who, "username": who.lower(), "name": who.lower(), "team_id": TEAM}, "token": "legacy",
            "trigger_id": uuid.uuid4().hex, "enterprise": None, "is_enterprise_install": False,
            "container": {"type": "message", "message_ts": ts, "channel_id": self._channel, "is_ephemeral": False},
            "channel": {"id": self._channel, "name": "ops"}, "message": {"ts": ts}, "actions": [button],
        }  # fmt: skip
        made = Delivery(f"slack:click:{ts}:{action_ts}:{who}:{action}", who, f"{action} {value}")
        return await self._deliver(made, urlencode({"payload": json.dumps(told)}).encode(), urls, twice)

    async def _deliver(self, made: Delivery, body: bytes, urls: Sequence[str], twice: bool) -> Delivery:
        self.sent.append(made)
        headers = {"Content-Type": FORM, **signed(SIGNING_SECRET, body)}
        made.sent_at = time.monotonic()
        for number, url in enumerate(urls):
            again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"} if number else {}
            if await self._attempt(made, url, body, {**headers, **again}) and not (twice and number == 0):
                break
            await asyncio.sleep(BETWEEN_S)
        return made

    async def _attempt(self, made: Delivery, url: str, body: bytes, headers: dict[str, str]) -> bool:
        made.attempts += 1
        began = time.monotonic()
        try:
            async with self._session.post(f"{url}{PATH}", data=body, headers=headers) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return False
        if answer.status != 200:
            return False
        if not made.acknowledged:
            made.said, made.ms = _sentence(content), (time.monotonic() - began) * 1000
        made.answered_by.append(url)
        return True


def _sentence(content: bytes) -> str:
    """What the body of an answer shows the person."""
    if not content.strip():
        return ""
    try:
        return " ".join(lines(json.loads(content)))
    except ValueError:
        return content.decode(errors="replace")
