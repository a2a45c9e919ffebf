"""Bolt, wired to our listeners: it knows Slack's envelopes, and answers before the process may be put to sleep."""

import logging
import re
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import request_response
from starlette.types import ASGIApp

from bot.doors.slack.changes import CHANGES, Changes
from bot.doors.slack.draw.form import CALLBACK
from bot.doors.slack.draw.home import NEW
from bot.doors.slack.inbound import CLICKS
from bot.doors.slack.listeners import Listeners
from bot.doors.slack.opened import FIELD, PICK

COMMAND, SHORTCUT = "/aisq", "aisq_here"
MESSAGES, OPENED = ("app_mention", "message"), "app_home_opened"  # events
ANY_FIELD = re.compile(re.escape(FIELD))
log = logging.getLogger(__name__)


def application(
    listeners: Listeners, changes: Changes, *, bot_token: str, signing_secret: str, api_url: str
) -> AsyncApp:
    """The app. It calls nothing of Slack before it answers: one workspace, one token, no auth.test a request."""

    async def authorize(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id, bot_token=bot_token)

    app = AsyncApp(
        name="aisq",  # else it is looked up in every module's source
        client=AsyncWebClient(base_url=api_url, retry_handlers=[]),
        signing_secret=signing_secret,
        authorize=authorize,
        process_before_response=True,
    )

    async def command(ack: Any, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await listeners.command(ack, body, context["signature"])

    async def click(ack: Any, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await listeners.click(ack, body, context["signature"])

    async def submit(ack: Any, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await listeners.submit(ack, body, context["signature"])

    async def message(ack: Any, body: dict[str, Any], context: AsyncBoltContext) -> None:
        await listeners.message(ack, body, context["signature"])

    app.command(COMMAND)(command)
    for action in CLICKS:
        app.action(action)(click)
    app.view(CALLBACK)(submit)
    for kind in MESSAGES:
        app.event(kind)(message)
    _unsigned(app, listeners, changes)
    return app


def _unsigned(app: AsyncApp, listeners: Listeners, changes: Changes) -> None:
    """What writes nothing down, and so may come as often as it likes."""

    async def shortcut(ack: Any, body: dict[str, Any]) -> None:
        await listeners.shortcut(ack, body)

    async def new(ack: Any, body: dict[str, Any]) -> None:
        await listeners.new(ack, body)

    async def chosen(ack: Any, body: dict[str, Any]) -> None:
        await listeners.chosen(ack, body)

    async def suggest(ack: Any, body: dict[str, Any]) -> None:
        await listeners.suggest(ack, body)

    async def opened(ack: Any, body: dict[str, Any]) -> None:
        await listeners.opened(ack, body)

    async def changed(ack: Any, body: dict[str, Any]) -> None:
        changes.heard(body)
        await ack()

    app.message_shortcut(SHORTCUT)(shortcut)
    app.action(NEW)(new)
    app.action(PICK)(chosen)
    app.action(ANY_FIELD)(chosen)
    app.options(ANY_FIELD)(suggest)
    app.event(OPENED)(opened)
    for kind in CHANGES:
        app.event(kind)(changed)


def asgi(app: AsyncApp) -> ASGIApp:
    """The app behind the guard, which hands on the signature that it verified."""
    handler = AsyncSlackRequestHandler(app)

    async def handle(request: Request) -> Response:
        try:
            return await handler.handle(request, {"signature": request.state.signature})
        except Exception:  # Bolt trusts what is signed to have Slack's shape
            log.exception("a signed request was not understood")
            return PlainTextResponse("not understood\n", 400)

    return request_response(handle)
