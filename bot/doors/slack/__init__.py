"""Slack: signed requests in, one message for each change and quiet answers out."""

from bot.doors.slack.door import SlackDoor
from bot.doors.slack.people import SlackPeople

__all__ = ["SlackDoor", "SlackPeople"]
