"""What Slack sends, as requests: payloads in, `Ask`s out. Nothing here talks to anybody."""

import re
from collections.abc import Mapping
from typing import Any

from bot.core.request import Address, Ask
from bot.doors.slack.draw.cards import APPROVE

DOOR = "slack"
Payload = Mapping[str, Any]
_REFERENCE = re.compile(r"<([@#!])(?:subteam\^)?([^<>|]+)(?:\|([^<>]*))?>")  # a person, a channel, a group
_LINK = re.compile(r"<((?:https?|mailto):[^<>|]*)(?:\|([^<>]*))?>")


def from_command(payload: Payload, signature: str) -> Ask:
    """A slash command; a bare one asks for help."""
    channel = str(payload["channel_id"])
    return Ask(
        actor=f"{DOOR}:{payload['user_id']}",
        text=typed(str(payload.get("text") or "")) or "help",
        address=_address(channel, str(payload["user_id"]), payload, str(payload.get("team_id", ""))),
        heard_as=f"{DOOR}:command:{payload['trigger_id']}",
        signature=signature,
        channel=channel,
    )


def from_click(payload: Payload, signature: str) -> Ask:
    """A button of a card; its value is what `cards` wrote: the operation, and for Approve the plan's digest."""
    action, channel, user = payload["actions"][0], str(payload["channel"]["id"]), str(payload["user"]["id"])
    operation, _, digest = str(action["value"]).partition(" ")
    approves = action["action_id"] == APPROVE
    message = payload.get("container", {}).get("message_ts", "")
    return Ask(
        actor=f"{DOOR}:{user}",
        text=f"approve {operation} --digest {digest}" if approves else f"deny {operation}",
        address=_address(channel, user, payload, _team(payload)),
        heard_as=f"{DOOR}:click:{message}:{action['action_ts']}:{user}:{action['action_id']}",
        signature=signature,
        channel=channel,
    )


def is_foreign(payload: Payload, team_id: str) -> bool:
    """Whether somebody of another workspace asks; with no `team_id` set, every workspace that is signed for is ours."""
    user = payload.get("user")
    teams = {str(payload.get("team_id") or _team(payload))}
    if isinstance(user, Mapping) and user.get("team_id"):
        teams.add(str(user["team_id"]))
    return bool(team_id) and teams != {team_id}


def typed(text: str) -> str:
    """What the person typed: Slack's entities undone, references as names, links as they were written.

    With `should_escape` a mention arrives as <@U0BEN|ben>, a channel as <#C0OPS|ops>, a link as <https://…>
    (docs.slack.dev, "Implementing slash commands").
    """
    linked = _LINK.sub(lambda found: found[2] or found[1], text)
    named = _REFERENCE.sub(_name, linked)
    return named.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _name(found: re.Match[str]) -> str:
    sign, id, label = found.groups()
    return f"{'#' if sign == '#' else '@'}{(label or id).removeprefix('@')}"


def _team(payload: Payload) -> str:
    return str((payload.get("team") or {}).get("id", ""))


def _address(channel: str, user: str, payload: Payload, team: str) -> Address:
    place = {"channel": channel, "user": user, "team": team, "response_url": str(payload.get("response_url") or "")}
    return Address(door=DOOR, place=place)
