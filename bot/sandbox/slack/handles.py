"""Handles that go out with a payload and come back later: trigger ids and response_urls."""

import secrets

from bot.sandbox.slack.limits import TRIGGER_LIFE_S
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Hook, Trigger, Workspace


def new_trigger(workspace: Workspace, user: str, view_id: str | None = None) -> str:
    """A trigger id of Slack's form; it opens one view within three seconds."""
    name = f"{workspace.new_id('')}.{int(workspace.now())}.{secrets.token_hex(16)}"
    workspace.triggers[name] = Trigger(workspace.now(), user, view_id)
    return name


def use_trigger(workspace: Workspace, name: str) -> Trigger:
    """Exchange a trigger. Raises Refusal(invalid_trigger_id, exchanged_trigger_id, expired_trigger_id)."""
    trigger = workspace.triggers.get(name)
    if trigger is None:
        raise Refusal("invalid_trigger_id")
    if trigger.used:
        raise Refusal("exchanged_trigger_id")
    if workspace.now() - trigger.at > TRIGGER_LIFE_S:
        raise Refusal("expired_trigger_id")
    trigger.used = True
    return trigger


def new_hook(workspace: Workspace, hook: Hook) -> str:
    """A response_url for a payload."""
    name = secrets.token_hex(12)
    workspace.hooks[name] = hook
    return f"{workspace.base_url}/hooks/{name}"
