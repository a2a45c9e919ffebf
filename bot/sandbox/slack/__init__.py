"""A Slack workspace on this machine: Web API, signed delivery to the bot, and a control door for rehearsals."""

from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.routes import routes

__all__ = ["FakeSlack", "routes"]
