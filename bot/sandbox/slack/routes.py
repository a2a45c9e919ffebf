"""Where the fake Slack listens."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from bot.sandbox.slack import files, response_urls
from bot.sandbox.slack.control import Control
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.front import Front
from bot.sandbox.slack.web_api import LINK


def routes(slack: FakeSlack) -> list[BaseRoute]:
    """All routes of a fake Slack, to be mounted at the root of `slack.base_url`."""
    front, control = Front(slack.workspace, slack.faults), Control(slack)

    async def api(request: Request) -> Response:
        return await front.meet(request.path_params["method"], request, slack.api.answer)

    async def upload(request: Request) -> Response:
        return await front.meet("upload", request, partial(files.receive, slack.workspace))

    async def hook(request: Request) -> Response:
        return await front.meet("response_url", request, partial(response_urls.answer, slack.workspace))

    return [
        Route("/api/{method}", api, methods=["GET", "POST"]),
        Route("/upload/{file_id}", upload, methods=["POST"]),
        WebSocketRoute(LINK, slack.link.serve),
        Route("/hooks/{name}", hook, methods=["POST"]),
        Route("/sandbox/slack/faults", control.clear_faults, methods=["DELETE"]),
        Route("/sandbox/slack/{what}", control.look, methods=["GET"]),
        Route("/sandbox/slack/{what}", control.do, methods=["POST"]),
    ]
