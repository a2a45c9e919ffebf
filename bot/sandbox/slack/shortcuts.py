"""Shortcuts: on a message (the way in from a thread) and global ones."""

from bot.sandbox.slack import result
from bot.sandbox.slack.commands import channel_named, person_named
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.handles import new_hook
from bot.sandbox.slack.interactions import common, seen
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Hook, Workspace
from bot.sandbox.slack.wire import described


async def on_message(
    workspace: Workspace, courier: Courier, user: str, channel: str, ts: str, callback_id: str
) -> Result:
    """A person picks a message shortcut from a message's menu; an ephemeral message has none."""
    person, where = person_named(workspace, user), channel_named(workspace, channel)
    message = seen(workspace, user, channel, ts)
    payload = common(workspace, "message_action", person) | {
        "callback_id": callback_id,
        "message_ts": message.ts,
        "action_ts": workspace.new_ts(),
        "channel": {"id": where.id, "name": "directmessage" if where.is_im else where.name},
        "message": described(workspace, message),
        "response_url": new_hook(workspace, Hook(workspace.now(), user, channel)),
    }
    return result.of(await courier.interaction(payload), "The shortcut")


async def anywhere(workspace: Workspace, courier: Courier, user: str, callback_id: str) -> Result:
    """A person picks a global shortcut; there is no channel and no response_url."""
    payload = common(workspace, "shortcut", person_named(workspace, user)) | {
        "callback_id": callback_id,
        "action_ts": workspace.new_ts(),
    }
    return result.of(await courier.interaction(payload), "The shortcut")
