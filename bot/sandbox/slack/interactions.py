"""The fields that every interaction shares, and clicks on messages and views (block_actions)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack import result
from bot.sandbox.slack.commands import channel_named, person_named
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.elements import Element, interactive
from bot.sandbox.slack.handles import new_hook, new_trigger
from bot.sandbox.slack.inputs import FIELDS, entered
from bot.sandbox.slack.refusals import Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Channel, Hook, Json, Message, Person, View, Workspace
from bot.sandbox.slack.wire import described


@dataclass(frozen=True)
class Use:
    """What a person uses: an element by action_id, and where several share it by the button's value or by block_id.

    `value` is also what they choose in a menu; `confirmed` is their answer to the element's confirm dialog. `entries`
    is what is entered elsewhere on the surface, by block_id: the plain value, or Slack's own {action_id: state}.
    """

    action_id: str
    value: Any = None
    block_id: str | None = None
    confirmed: bool = True
    entries: Json = field(default_factory=dict)


def common(workspace: Workspace, kind: str, person: Person, view_id: str | None = None) -> Json:
    """Type, person, team and a fresh trigger: the start of every interaction payload."""
    return {
        "type": kind,
        "team": {"id": workspace.team.id, "domain": workspace.team.domain},
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
        "api_app_id": workspace.app.id,
        "token": "legacy",
        "trigger_id": new_trigger(workspace, person.id, view_id),
        "enterprise": None,
        "is_enterprise_install": False,
    }


def seen(workspace: Workspace, user: str, channel: str, ts: str) -> Message:
    """The message that a person has before them. Raises Unusable, also for what is shown to somebody else."""
    message = workspace.find_message(channel, ts) or workspace.find_ephemeral(channel, ts)
    if message is None:
        raise Unusable(f"there is no message {ts} in {channel}; GET messages lists them")
    if message.visible_to not in (None, user):
        raise Unusable(f"the message {ts} is shown to {message.visible_to} only; {user} cannot click on it")
    return message


def pick(blocks: list[Json], use: Use) -> Element:
    """The element to use. Raises Unusable when there is none."""
    found = [e for e in interactive(blocks) if e.action_id == use.action_id and use.block_id in (None, e.block_id)]
    if not found:
        known = ", ".join(sorted({e.action_id for e in interactive(blocks)})) or "none"
        raise Unusable(f"there is nothing with action_id {use.action_id!r} here; there is: {known}")
    return next((e for e in found if use.value is not None and e.body.get("value") == use.value), found[0])


def action(workspace: Workspace, element: Element, value: Any) -> Json:
    """One entry of `actions`. A button carries its own value; a menu what was chosen."""
    body: Json = {"action_id": element.action_id, "block_id": element.block_id, "type": element.kind}
    if element.kind in FIELDS:
        body |= entered(element.body, value)
    else:
        body |= {name: element.body[name] for name in ("text", "value", "style") if name in element.body}
    return body | {"action_ts": workspace.new_ts()}


def values(blocks: list[Json], used: Element | None = None, value: Any = None, entries: Json | None = None) -> Json:
    """`state.values` of a surface: what is entered everywhere, the element just used included."""
    state: Json = {}
    for element in interactive(blocks):
        if element.kind in FIELDS and element.kind != "overflow":
            is_used = used is not None and element.body is used.body
            said = value if is_used else (entries or {}).get(element.block_id)
            state.setdefault(element.block_id, {})[element.action_id] = entry(element, said)
    return state


def kept(before: Json, fresh: Json, anew: Collection[str] = ()) -> Json:
    """`fresh` state with what stood `before` in the same elements, but for the blocks that are entered anew."""
    for block_id, elements in fresh.items():
        for action_id, now in elements.items():
            old = before.get(block_id, {}).get(action_id, {})
            if block_id not in anew and old.get("type") == now["type"]:
                elements[action_id] = old
    return fresh


def entry(element: Element, said: Any) -> Json:
    """The state of one element: of a plain value, or Slack's own {action_id: state}."""
    if isinstance(said, dict) and element.action_id in said:
        return {"type": element.kind, **said[element.action_id]}
    return entered(element.body, said)


async def click(workspace: Workspace, courier: Courier, user: str, channel: str, ts: str, use: Use) -> Result:
    """A person uses an element of a message."""
    person, where = person_named(workspace, user), channel_named(workspace, channel)
    message = seen(workspace, user, channel, ts)
    element = pick(message.blocks, use)
    if refused := _declined(element, use):
        return refused
    payload = common(workspace, "block_actions", person) | _on_message(workspace, where, message)
    payload |= {
        "actions": [action(workspace, element, use.value)],
        "state": {"values": values(message.blocks, element, use.value)},
        "response_url": new_hook(workspace, Hook(workspace.now(), user, channel, ts)),
    }
    return result.of(await courier.interaction(payload), "The button")


def _declined(element: Element, use: Use) -> Result | None:
    """The person reads the confirm dialog and says no."""
    confirm = element.body.get("confirm")
    if not confirm or use.confirmed:
        return None
    return Result(None, note=f"{confirm['title']['text']}: answered {confirm['deny']['text']!r}, nothing was sent.")


def _on_message(workspace: Workspace, channel: Channel, message: Message) -> Json:
    is_ephemeral = message.visible_to is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    shown: Json = {"type": "message", "ts": message.ts, "user": message.user} if is_ephemeral else {}
    return {
        "container": container,
        "channel": {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name},
        "message": shown or described(workspace, message),
    }


async def click_view(workspace: Workspace, courier: Courier, user: str, view: View, use: Use) -> Result:
    """A person uses an element of a modal or of the App Home."""
    person = person_named(workspace, user)
    element = pick(view.body["blocks"], use)
    if refused := _declined(element, use):
        return refused
    fresh = values(view.body["blocks"], element, use.value, use.entries)
    view.body["state"] = {"values": kept(view.body["state"]["values"], fresh, {element.block_id, *use.entries})}
    payload = common(workspace, "block_actions", person, view.id) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view.body,
        "actions": [action(workspace, element, use.value)],
    }
    return result.of(await courier.interaction(payload), "The button")
