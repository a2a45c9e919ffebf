"""Where the fake Slack listens."""

from starlette.routing import BaseRoute, Route

from bot.sandbox.slack.control import Control
from bot.sandbox.slack.fake import FakeSlack


def routes(slack: FakeSlack) -> list[BaseRoute]:
    """All routes of a fake Slack, to be mounted at the root of `slack.base_url`."""
    control = Control(slack)
    return [
        Route("/api/{method}", slack.api.__call__, methods=["GET", "POST"]),
        Route("/sandbox/slack/{what}", control.do, methods=["POST"]),
        Route("/sandbox/slack/{what}", control.look, methods=["GET"]),
        Route("/sandbox/slack/faults", control.clear_faults, methods=["DELETE"]),
    ]
