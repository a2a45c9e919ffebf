"""Slash commands: what a person types, how Slack escapes it, and what it shows of the answer."""

import re

from bot.sandbox.slack import result
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.content import read_content
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.handles import new_hook, new_trigger
from bot.sandbox.slack.messages import add, add_ephemeral, build
from bot.sandbox.slack.refusals import Refusal, Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Channel, Hook, Json, Person, Workspace

REFERENCE = re.compile(r"(?<![\w@#])([@#])([\w.\-]+\w|\w)")
LINK = re.compile(r"https?://[^\s<>|]+")
BROADCASTS = ("here", "channel", "everyone")


def escaped(workspace: Workspace, text: str) -> str:
    """The text as `should_escape: true` delivers it.

    & < > become entities, names that Slack knows become <@U…|name>, <#C…|name>, <!subteam^S…|@handle>, links <https://…>
    (docs.slack.dev, Implementing slash commands: "Escape channels, users, and links").
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    linked = LINK.sub(lambda found: f"<{found[0]}>", safe)
    return REFERENCE.sub(lambda found: _reference(workspace, found[1], found[2]) or found[0], linked)


def _reference(workspace: Workspace, sign: str, name: str) -> str:
    if sign == "#":
        channel = next((c for c in workspace.channels.values() if c.name == name), None)
        return f"<#{channel.id}|{channel.name}>" if channel else ""
    if name in BROADCASTS:
        return f"<!{name}>"
    person = next((p for p in workspace.people.values() if p.name == name), None)
    if person:
        return f"<@{person.id}|{person.name}>"
    group = next((g for g in workspace.groups.values() if g.handle == name), None)
    return f"<!subteam^{group.id}|@{group.handle}>" if group else ""


def person_named(workspace: Workspace, user: str) -> Person:
    """Someone of the workspace. Raises Unusable."""
    if user not in workspace.people:
        raise Unusable(f"there is no person {user!r}; use one of {', '.join(workspace.people)}")
    return workspace.people[user]


def channel_named(workspace: Workspace, channel: str) -> Channel:
    """A channel by id. Raises Unusable."""
    if channel not in workspace.channels:
        raise Unusable(f"there is no channel {channel!r}; use one of {', '.join(workspace.channels)}")
    return workspace.channels[channel]


async def slash(
    workspace: Workspace, courier: Courier, user: str, channel: str, text: str, command: str = ""
) -> Result:
    """A person types `command text` in a channel."""
    person, where = person_named(workspace, user), channel_named(workspace, channel)
    command = command or workspace.app.command
    payload = {
        "token": "legacy",
        "team_id": person.team_id,
        "team_domain": workspace.team.domain,
        "channel_id": where.id,
        "channel_name": "directmessage" if where.is_im else where.name,
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": escaped(workspace, text),
        "api_app_id": workspace.app.id,
        "is_enterprise_install": "false",
        "response_url": new_hook(workspace, Hook(workspace.now(), user, channel)),
        "trigger_id": new_trigger(workspace, user),
    }
    delivery = await courier.command(payload)
    outcome = result.of(delivery, command)
    if outcome.ok:
        _show(workspace, outcome, where, user, command)
    return outcome


def _show(workspace: Workspace, outcome: Result, channel: Channel, user: str, command: str) -> None:
    """Show the body of the bot's 200: to the person alone unless it says in_channel."""
    body: Json = outcome.delivery.body if outcome.delivery else {}
    if not any(body.get(name) for name in ("text", "blocks", "attachments")):
        return
    try:
        message = build(workspace, channel, read_content(workspace, Arguments(body), has_budget=False))
    except Refusal as refusal:
        outcome.error = "invalid_command_response"
        outcome.note = f'{command} failed with the error "invalid_command_response" ({refusal.error}).'
        return
    in_channel = body.get("response_type") == "in_channel"
    outcome.shown.append(add(workspace, message) if in_channel else add_ephemeral(workspace, message, user))
