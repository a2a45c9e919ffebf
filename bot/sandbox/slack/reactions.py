"""reactions.add and .remove."""

import re

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.channels import joined
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json, Message, Workspace

WRITE = ("reactions:write",)
EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def _named(workspace: Workspace, args: Arguments) -> tuple[Message, str]:
    name = args.need("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise Refusal("invalid_name")
    if not args.text("channel") or not args.text("timestamp"):
        raise Refusal("no_item_specified")
    channel = joined(workspace, args.text("channel"))
    if channel.is_archived:
        raise Refusal("is_archived")
    if not re.fullmatch(r"\d+\.\d+", args.text("timestamp")):
        raise Refusal("bad_timestamp")
    message = workspace.find_message(channel.id, args.text("timestamp"))
    if message is None:
        raise Refusal("message_not_found")
    return message, name


def add(workspace: Workspace, args: Arguments) -> Json:
    """React to a message. Raises Refusal(already_reacted, too_many_reactions, message_not_found, …)."""
    message, name = _named(workspace, args)
    me, users = workspace.app.user_id, message.reactions.get(name, [])
    if me in users:
        raise Refusal("already_reacted")
    if sum(me in others for others in message.reactions.values()) >= limits.REACTIONS_BY_ONE:
        raise Refusal("too_many_reactions")
    message.reactions[name] = [*users, me]
    return {}


def remove(workspace: Workspace, args: Arguments) -> Json:
    """Take a reaction back. Raises Refusal(no_reaction, message_not_found, …)."""
    message, name = _named(workspace, args)
    me, users = workspace.app.user_id, message.reactions.get(name, [])
    if me not in users:
        raise Refusal("no_reaction")
    users.remove(me)
    if not users:
        del message.reactions[name]
    return {}


METHODS = {
    "reactions.add": Method(add, Tier.T3, WRITE),
    "reactions.remove": Method(remove, Tier.T2, WRITE),
}
