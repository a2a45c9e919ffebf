"""The whole sandbox in one process: the clouds, and the fake Slack on the same HTTP side.

python -m bot.sandbox.town takes the arguments of bot.sandbox.server.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from bot.sandbox import server
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.routes import routes
from bot.sandbox.world import World

SIGNING_SECRET, BOT_TOKEN = "sandbox-signing-secret", "xoxb-sandbox"


def slack(_: World, http: str) -> Sequence[BaseRoute]:
    """The fake Slack's routes; who is to hear it is told later, over its control."""
    return routes(FakeSlack(SIGNING_SECRET, BOT_TOKEN, http))


if __name__ == "__main__":
    server.main(rooms=[slack])
