"""What Slack sends, as requests: payloads in, `Ask`s out. Nothing here talks to anybody."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bot.core.request import Address, Ask, Form
from bot.doors.slack.draw.cards import APPROVE, DENY
from bot.doors.slack.draw.rollout import ADVANCE, BACK, HOLD
from bot.doors.slack.opened import YES, Opened, metadata

DOOR = "slack"
CLICKS = {  # what a button stands for: the plan or the stage that was seen, so that a late click means no other
    APPROVE: "approve {operation} --digest {seen}",
    DENY: "deny {operation}",
    ADVANCE: "ops advance {operation} --stage {seen}",
    HOLD: "ops hold {operation} --stage {seen}",
    BACK: "ops cancel {operation}",
}
HELP = "help"  # for whoever says nothing where no form can be opened
Payload = Mapping[str, Any]
Place = dict[str, str]
_REFERENCE = re.compile(r"<([@#!])(?:subteam\^)?([^<>|]+)(?:\|([^<>]*))?>")  # a person, a channel, a group
_LINK = re.compile(r"<((?:https?|mailto):[^<>|]*)(?:\|([^<>]*))?>")


def from_command(payload: Payload, signature: str) -> Ask:
    """A slash command."""
    channel, user = str(payload["channel_id"]), str(payload["user_id"])
    return Ask(
        actor=f"{DOOR}:{user}",
        text=typed(str(payload.get("text") or "")) or HELP,
        address=Address(door=DOOR, place=of_command(payload)),
        heard_as=f"{DOOR}:command:{payload['trigger_id']}",
        signature=signature,
        channel=channel,
    )


def from_click(payload: Payload, signature: str) -> Ask:
    """A button of a card; its value is what the card wrote: the operation, and what of it was shown."""
    action, place = payload["actions"][0], of_click(payload)
    operation, _, seen = str(action["value"]).partition(" ")
    container = payload.get("container") or {}
    where = container.get("message_ts") or container.get("view_id") or ""
    return Ask(
        actor=f"{DOOR}:{place['user']}",
        text=CLICKS[action["action_id"]].format(operation=operation, seen=seen),
        address=Address(door=DOOR, place=place),
        heard_as=f"{DOOR}:click:{where}:{action['action_ts']}:{place['user']}:{action['action_id']}",
        signature=signature,
        channel=place["channel"],
    )


def from_submission(payload: Payload, signature: str, form: Form) -> Ask:
    """A form. The same one twice is one request; one that was changed after an answer was lost is another."""
    view, user = payload["view"], str(payload["user"]["id"])
    place = {**Opened.of(view).place, "user": user, "team": _team(payload)}
    place = {**place, "channel": place.get("channel") or user}
    content = hashlib.sha256(form.model_dump_json().encode()).hexdigest()[:16]
    return Ask(
        actor=f"{DOOR}:{user}",
        form=form,
        address=Address(door=DOOR, place=place),
        heard_as=f"{DOOR}:submit:{view['id']}:{view['hash']}:{content}",
        signature=signature,
        channel=place["channel"],
    )


def from_message(payload: Payload, signature: str) -> Ask:
    """A mention in a channel, or a direct message. Delivered again, by an event id, it is the same request."""
    place = of_message(payload)
    return Ask(
        actor=f"{DOOR}:{place['user']}",
        text=_said_to_us(payload) or HELP,
        address=Address(door=DOOR, place=place),
        heard_as=f"{DOOR}:event:{payload['event_id']}",
        signature=signature,
        channel=place["channel"],
    )


def is_for_us(payload: Payload) -> bool:
    """Whether a person says it to us now: no bot, not ourselves, no edit, no notice about a message."""
    event = payload.get("event") or {}
    is_by_program = bool(event.get("bot_id") or event.get("bot_profile") or event.get("app_id"))
    is_notice = bool(event.get("subtype") or event.get("hidden") or event.get("edited"))
    is_direct = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    user = str(event.get("user") or "")
    return is_direct and bool(user) and user != _ourselves(payload) and not (is_by_program or is_notice)


def is_foreign(payload: Payload, team_id: str) -> bool:
    """Whether somebody of another workspace asks; with no `team_id` set, every workspace that is signed for is ours."""
    user, event = payload.get("user"), payload.get("event") or {}
    teams = {str(payload.get("team_id") or _team(payload))}
    if isinstance(user, Mapping) and user.get("team_id"):
        teams.add(str(user["team_id"]))
    teams |= {str(event[name]) for name in ("team", "user_team") if event.get(name)}
    return bool(team_id) and teams != {team_id}


# --- where the answer goes
#
# `thread_ts`: the thread of posts, empty for the channel itself. `in_thread`: it is there already, so that what one
# person alone is shown in it is seen (docs.slack.dev, chat.postEphemeral). `spare_url` is used when nothing else works.


def of_command(payload: Payload) -> Place:
    """Where a command was typed."""
    return _place(
        str(payload.get("channel_id") or ""),
        str(payload.get("user_id") or ""),
        str(payload.get("team_id") or ""),
        response_url=str(payload.get("response_url") or ""),
    )


def of_click(payload: Payload) -> Place:
    """Where a button stands: in a channel, in a thread, or in an App Home, whose owner is written to directly."""
    user, container = str(payload["user"]["id"]), payload.get("container") or {}
    channel = str(
        (payload.get("channel") or {}).get("id") or metadata(payload.get("view") or {}).get("channel") or user
    )
    thread, url = str(container.get("thread_ts") or ""), str(payload.get("response_url") or "")
    if thread and thread != container.get("message_ts"):  # what begins a thread stands in the channel
        return _place(channel, user, _team(payload), thread_ts=thread, in_thread=YES, spare_url=url)
    return _place(channel, user, _team(payload), response_url=url)


def of_shortcut(payload: Payload) -> Place:
    """The thread of the message that a shortcut was used on, or the one that begins with it."""
    message, channel = payload["message"], str(payload["channel"]["id"])
    thread = str(message.get("thread_ts") or "")
    return _place(
        channel,
        str(payload["user"]["id"]),
        _team(payload),
        thread_ts=thread or str(payload.get("message_ts") or message["ts"]),
        in_thread=YES if thread else "",
        spare_url=str(payload.get("response_url") or ""),
    )


def of_message(payload: Payload) -> Place:
    """The thread of a message; one that begins with a mention; of a direct message, the conversation itself."""
    event = payload["event"]
    thread = str(event.get("thread_ts") or "")
    starts = "" if event.get("channel_type") == "im" else str(event["ts"])
    return _place(
        str(event["channel"]),
        str(event["user"]),
        str(payload.get("team_id") or ""),
        thread_ts=thread or starts,
        in_thread=YES if thread else "",
    )


def _place(channel: str, user: str, team: str, **more: str) -> Place:
    return {"channel": channel, "user": user, "team": team, "response_url": "", "thread_ts": "", **more}


# --- what was said


def _said_to_us(payload: Payload) -> str:
    """What follows our name; what stands before it when nothing does."""
    us = re.compile(rf"<@{re.escape(_ourselves(payload))}(?:\|[^<>]*)?>")
    before, *after = us.split(str(payload["event"].get("text") or ""), maxsplit=1)
    follows = typed(us.sub(" ", " ".join(after))).lstrip(":,; ")
    return (follows or typed(before)).removeprefix("/aisq").strip()


def _ourselves(payload: Payload) -> str:
    """Our own id as a user, which every event names."""
    given = payload.get("authorizations") or [{}]
    return str(given[0].get("user_id") or "")


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
