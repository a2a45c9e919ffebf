"""chat.*: how the app posts, edits and deletes messages."""

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.channels import visible, writable
from bot.sandbox.slack.content import Content, read_content
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Channel, Edit, Json, Message, Workspace
from bot.sandbox.slack.wire import described, replies_to

WRITE = ("chat:write",)


def build(workspace: Workspace, channel: Channel, content: Content, thread_ts: str = "") -> Message:
    """A message of the app, not yet in any channel."""
    return Message(
        channel.id,
        workspace.new_ts(),
        workspace.app.user_id,
        content.text or "",
        by_app=True,
        blocks=content.blocks or [],
        attachments=content.attachments or [],
        metadata=content.metadata or {},
        thread_ts=thread_ts or None,
    )


def add(workspace: Workspace, message: Message) -> Message:
    """Put a message into its channel, where everyone sees it."""
    workspace.messages.setdefault(message.channel, {})[message.ts] = message
    return message


def add_ephemeral(workspace: Workspace, message: Message, user: str) -> Message:
    """Show a message to one person only."""
    message.visible_to = user
    workspace.ephemerals.append(message)
    return message


def thread(workspace: Workspace, channel: Channel, args: Arguments) -> str:
    """The thread that a call names, "" for none.

    A reply to a reply lands in the same thread; to a message that is not there in none (Slack posts it so).
    """
    parent = workspace.find_message(channel.id, args.text("thread_ts"))
    return (parent.thread_ts or parent.ts) if parent else ""


def post_message(workspace: Workspace, args: Arguments) -> Json:
    """A new message. Raises what `writable` and `read_content` raise."""
    channel = writable(workspace, args.text("channel"))
    message = build(workspace, channel, read_content(workspace, args), thread(workspace, channel, args))
    message.broadcast = bool(message.thread_ts) and args.flag("reply_broadcast")
    message.links_names = args.flag("link_names") or args.text("parse") == "full"
    add(workspace, message)
    answer: Json = {"channel": channel.id, "ts": message.ts, "message": described(workspace, message)}
    return answer | advice(args)


def advice(args: Arguments) -> Json:
    """Slack's warning when blocks come without a text for notifications and screen readers."""
    if "text" in args or "blocks" not in args:
        return {}
    word = "missing_text_in_message"
    return {"warning": word, "response_metadata": {"warnings": [word]}}


def post_ephemeral(workspace: Workspace, args: Arguments) -> Json:
    """A message that one member sees until they reload. Raises Refusal(user_not_in_channel, …)."""
    channel = writable(workspace, args.text("channel"))
    user = args.need("user")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    message = build(workspace, channel, read_content(workspace, args), thread(workspace, channel, args))
    if message.thread_ts and not replies_to(workspace, channel.id, message.thread_ts):
        return {"message_ts": message.ts}  # "only shown if there is already an active thread"
    return {"message_ts": add_ephemeral(workspace, message, user).ts}


def _own(workspace: Workspace, args: Arguments, refusal: str) -> Message:
    """The app's own message that a call names; an ephemeral cannot be found this way, as in Slack."""
    channel = visible(workspace, args.need("channel"))
    message = workspace.find_message(channel.id, args.need("ts"))
    if message is None:
        raise Refusal("message_not_found")
    if not message.by_app:
        raise Refusal(refusal)
    return message


def edit(message: Message, content: Content, at: float) -> None:
    """Replace what a message says: text without blocks removes the blocks, attachments stay unless sent."""
    message.edits.append(Edit(at, message.text, message.blocks))
    if content.blocks is not None or content.text is not None:
        message.blocks = content.blocks or []
    if content.text is not None:
        message.text = content.text
    if content.attachments is not None:
        message.attachments = content.attachments
    if content.metadata is not None:
        message.metadata = content.metadata
    if not content.blocks:
        message.edited_at = at


def update(workspace: Workspace, args: Arguments) -> Json:
    """Edit an own message. Raises Refusal(message_not_found, cant_update_message, is_inactive, msg_too_long, …)."""
    message = _own(workspace, args, "cant_update_message")
    if workspace.channels[message.channel].is_archived:
        raise Refusal("is_inactive")
    edit(message, read_content(workspace, args, limits.EDIT_TEXT), workspace.now())
    shown = described(workspace, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown} | advice(args)


def delete(workspace: Workspace, args: Arguments) -> Json:
    """Delete an own message. Raises Refusal(message_not_found, cant_delete_message)."""
    message = _own(workspace, args, "cant_delete_message")
    remove(workspace, message)
    return {"channel": message.channel, "ts": message.ts}


def remove(workspace: Workspace, message: Message) -> None:
    """Take a message out of its channel; it is kept aside for whoever looks at the sandbox."""
    workspace.deleted.append(workspace.messages[message.channel].pop(message.ts))


def get_permalink(workspace: Workspace, args: Arguments) -> Json:
    """The address of a message. Raises Refusal(message_not_found)."""
    channel = visible(workspace, args.need("channel"))
    message = workspace.find_message(channel.id, args.need("message_ts"))
    if message is None:
        raise Refusal("message_not_found")
    address = f"https://{workspace.team.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        address += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


METHODS = {
    "chat.postMessage": Method(post_message, Tier.SPECIAL, WRITE),
    "chat.postEphemeral": Method(post_ephemeral, Tier.T4, WRITE),
    "chat.update": Method(update, Tier.T3, WRITE),
    "chat.delete": Method(delete, Tier.T3, WRITE),
    "chat.getPermalink": Method(get_permalink, Tier.SPECIAL),
}
