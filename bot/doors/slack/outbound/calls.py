"""The calls to Slack that the gateway makes, and what their failures mean. Nothing is repeated here.

* Limited: not done; there is no budget left, or Slack asks to wait
* Refusal: not done, and another try will not help until somebody changes something
* Transient: not done; Slack was not reached
* Uncertain: no answer: done or not, nobody here knows
"""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.core.errors import Permanent, Transient, Uncertain
from bot.doors.slack.draw.blocks import EMPTY, Block, Card
from bot.doors.slack.draw.foreign import clean
from bot.doors.slack.outbound.budgets import Budgets

TIMEOUT_S = 10.0
OURS = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})  # "may have succeeded"
UNSHOWABLE = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"})
T = TypeVar("T")
log = logging.getLogger(__name__)


class Limited(Transient):
    """`method` may be called no sooner than `retry_after_s` from now."""

    def __init__(self, method: str, retry_after_s: float) -> None:
        super().__init__(f"{method} has to wait {retry_after_s:g} s", retry_after_s=retry_after_s)
        self.method = method


class Refusal(Permanent):
    """Slack refused; `error` is its word, such as not_in_channel."""

    def __init__(self, method: str, error: str, detail: str = "") -> None:
        super().__init__(f"Slack refused {method}: {error}{detail}")
        self.error = error


class Calls:
    """One bot's calls, over one session that lives from `open` to `close`. Raises what is listed above."""

    def __init__(self, bot_token: str, api_url: str, budgets: Budgets, timeout_s: float = TIMEOUT_S) -> None:
        self._token, self._api_url, self._budgets, self._timeout_s = bot_token, api_url, budgets, timeout_s
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        self._web = AsyncWebClient(self._token, self._api_url, session=self._session, retry_handlers=[])

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def post(self, channel: str, card: Card, metadata: dict[str, Any], **more: Any) -> str:
        """A new message; its ts. `more` is what Slack takes beside it: thread_ts, reply_broadcast."""
        fixed = {"channel": channel, "metadata": metadata, "unfurl_links": False, "unfurl_media": False, **more}
        answer = await self._write("chat.postMessage", card, fixed)
        return str(answer["ts"])

    async def update(self, channel: str, ts: str, card: Card) -> None:
        await self._write("chat.update", card, {"channel": channel, "ts": ts})

    async def whisper(self, channel: str, user: str, card: Card, thread_ts: str = "") -> None:
        """Show something to one person only."""
        await self._write("chat.postEphemeral", card, {"channel": channel, "user": user, "thread_ts": thread_ts})

    async def say(self, channel: str, card: Card, thread_ts: str = "") -> None:
        """Say something that is never changed, to everybody there."""
        fixed = {"channel": channel, "thread_ts": thread_ts, "unfurl_links": False, "unfurl_media": False}
        await self._write("chat.postMessage", card, fixed)

    async def respond(self, response_url: str, card: Card) -> None:
        """The same, through the address that came with their request; good for half an hour and five uses."""
        body = {"response_type": "ephemeral", "replace_original": False, "text": card.text, "blocks": list(card.blocks)}
        hook = AsyncWebhookClient(response_url, session=self._session, retry_handlers=[])
        answer = await _answered("response_url", lambda: hook.send_dict(body))
        outcome = {"ok": answer.status_code == 200, "error": clean(answer.body, 80)}
        _check("response_url", answer.status_code, answer.headers, outcome)

    async def send(self, upload_url: str, data: bytes) -> None:
        """The bytes of a file, to where Slack said that they go."""
        session = self._session
        assert session is not None, "calls are made between open and close"

        async def sent() -> tuple[int, Any]:
            async with session.post(upload_url, data=data) as answer:
                return answer.status, answer.headers

        status, headers = await _answered("upload", sent)
        _check("upload", status, headers, {"ok": status == 200})

    async def call(self, method: str, **body: Any) -> dict[str, Any]:
        """One call with JSON; what is empty is left out."""
        given = {name: value for name, value in body.items() if value != ""}
        return await self._called(method, str(body.get("channel", "")), json=given)

    async def ask(self, method: str, **form: str | int) -> dict[str, Any]:
        """One call with a form, which every method takes; what is empty is left out."""
        given = {name: str(value) for name, value in form.items() if value != ""}
        return await self._called(method, str(form.get("channel", "")), data=given)

    async def _write(self, method: str, card: Card, fixed: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self.call(method, **fixed, text=card.text, blocks=list(card.blocks))
        except Refusal as refused:
            if refused.error not in UNSHOWABLE:
                raise
            log.error("a card was not taken, so its text is shown instead: %s", refused)
        return await self.call(method, **fixed, text=card.text, blocks=_bare(card))

    async def _called(self, method: str, channel: str, **given: Any) -> dict[str, Any]:
        if wait_s := self._budgets.wait_s(method, channel):
            raise Limited(method, wait_s)
        self._budgets.spend(method, channel)
        try:
            answer = await _answered(method, lambda: self._web.api_call(method, **given))
        except SlackApiError as error:
            answer = error.response
        data = answer.data if isinstance(answer.data, dict) else {}
        _check(method, answer.status_code, answer.headers, data)
        return data


def _check(method: str, status: int, headers: Any, data: dict[str, Any]) -> None:
    if status == 429 or data.get("error") == "ratelimited":
        said_s = str(headers.get("Retry-After", ""))
        log.warning("Slack asks to wait %s s with %s", said_s or "some", method)
        raise Limited(method, float(said_s) if said_s.isdigit() else 1.0)
    if status >= 500 or data.get("error") in OURS:
        raise Uncertain(f"Slack answered {method} with {status} {data.get('error', '')}".strip())
    if not data.get("ok"):
        detail = json.dumps((data.get("response_metadata") or {}).get("messages") or "")
        raise Refusal(method, str(data.get("error", status)), f" {detail}" if len(detail) > 2 else "")


async def _answered(method: str, call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except aiohttp.ClientConnectorError as error:
        raise Transient(f"Slack was not reached for {method}: {error}") from error
    except SlackApiError:
        raise
    except (aiohttp.ClientError, TimeoutError, SlackClientError) as error:
        raise Uncertain(f"Slack did not answer {method}: {type(error).__name__}") from error


def _bare(card: Card) -> list[Block]:
    """The text and the buttons, in blocks that Slack has always taken."""
    buttons = [block for block in card.blocks if block["type"] == "actions"]
    return [{"type": "section", "text": {"type": "mrkdwn", "text": card.text[:3000] or EMPTY}}, *buttons]
