"""conversations.history and .replies: what the app may read back."""

import re

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.channels import joined
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.pages import page
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.scopes import need_scope, prefix
from bot.sandbox.slack.state import Channel, Json, Message, Workspace
from bot.sandbox.slack.wire import described, replies_to

ANY_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


def _instant(args: Arguments, name: str) -> tuple[int, int] | None:
    """A bound as (seconds, microseconds), exact where a float would not be."""
    value = args.text(name)
    if value in ("", "0", "now"):
        return None
    if not (found := re.fullmatch(r"(\d{1,12})(?:\.(\d{1,6})\d*)?", value)):
        raise Refusal(f"invalid_ts_{name}")
    return int(found[1]), int((found[2] or "").ljust(6, "0"))


def _within(messages: list[Message], args: Arguments) -> list[Message]:
    """The messages between `oldest` and `latest`; the bounds belong to it only with `inclusive`."""
    oldest, latest, inclusive = _instant(args, "oldest"), _instant(args, "latest"), args.flag("inclusive")

    def fits(message: Message) -> bool:
        seconds, _, micros = message.ts.partition(".")
        at = int(seconds), int(micros)
        if at in (oldest, latest):
            return inclusive
        return (oldest is None or at > oldest) and (latest is None or at < latest)

    return [message for message in messages if fits(message)]


def _readable(workspace: Workspace, args: Arguments) -> Channel:
    channel = joined(workspace, args.need("channel"))
    need_scope(workspace, f"{prefix(channel)}:history")
    return channel


def _page(workspace: Workspace, found: list[Message], args: Arguments) -> Json:
    shown, cursor = page(found, args, limits.HISTORY_DEFAULT, limits.HISTORY_MAX)
    metadata = args.flag("include_all_metadata")
    more = bool(cursor["response_metadata"]["next_cursor"])
    listed = [described(workspace, message, metadata) for message in shown]
    return {"messages": listed, "has_more": more, **(cursor if more else {})}


def history(workspace: Workspace, args: Arguments) -> Json:
    """A page of a channel, newest first, without replies. Raises Refusal(not_in_channel, invalid_ts_oldest, …)."""
    channel = _readable(workspace, args)
    top = [m for m in workspace.in_channel(channel.id) if not m.thread_ts or m.broadcast]
    newest_first = list(reversed(_within(top, args)))
    return {"pin_count": 0} | _page(workspace, newest_first, args)


def replies(workspace: Workspace, args: Arguments) -> Json:
    """A page of a thread, its parent first. Raises Refusal(thread_not_found, …)."""
    channel = _readable(workspace, args)
    named = workspace.find_message(channel.id, args.need("ts"))
    if named is None:
        raise Refusal("thread_not_found")
    parent = workspace.find_message(channel.id, named.thread_ts or named.ts)
    inside = _within(replies_to(workspace, channel.id, named.thread_ts or named.ts), args)
    return _page(workspace, ([parent] if parent else []) + inside, args)


METHODS = {
    "conversations.history": Method(history, Tier.T3, ANY_HISTORY),
    "conversations.replies": Method(replies, Tier.T3, ANY_HISTORY),
}
