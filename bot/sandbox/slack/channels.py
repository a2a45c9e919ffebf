"""Channels as the app sees them, and the conversations.* methods that describe them."""

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.pages import page
from bot.sandbox.slack.refusals import Refusal, missing
from bot.sandbox.slack.scopes import need_scope, prefix
from bot.sandbox.slack.state import Channel, Json, Workspace


def visible(workspace: Workspace, channel_id: str) -> Channel:
    """The channel, if the app may know of it. Raises Refusal(channel_not_found)."""
    channel = workspace.channels.get(channel_id)
    if channel is None or (channel.is_private and workspace.app.user_id not in channel.members):
        raise Refusal("channel_not_found")
    return channel


def joined(workspace: Workspace, channel_id: str) -> Channel:
    """The channel, if the app is in it. Raises Refusal(channel_not_found, not_in_channel)."""
    channel = visible(workspace, channel_id)
    if workspace.app.user_id not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def writable(workspace: Workspace, channel_id: str) -> Channel:
    """The channel that a message may go to; a person's id means the direct message with them.

    Raises Refusal(channel_not_found, is_archived, not_in_channel): the last one without chat:write.public.
    """
    if not channel_id:
        raise missing("channel")
    if channel_id in workspace.people:
        return direct(workspace, channel_id)
    channel = visible(workspace, channel_id)
    if channel.is_archived:
        raise Refusal("is_archived")
    if workspace.app.user_id not in channel.members and "chat:write.public" not in workspace.app.scopes:
        raise Refusal("not_in_channel")
    return channel


def direct(workspace: Workspace, person_id: str) -> Channel:
    """The direct message with a person, opened if need be."""
    person = workspace.people.get(person_id)
    if person is None or person.deleted:
        raise Refusal("user_not_found" if person is None else "user_disabled")
    channel_id = "D" + person_id[1:]
    made = Channel(channel_id, "", [person_id, workspace.app.user_id], is_private=True, is_im=True)
    return workspace.channels.setdefault(channel_id, made)


def described(workspace: Workspace, channel: Channel) -> Json:
    """A channel as the Web API gives it."""
    if channel.is_im:
        return {"id": channel.id, "is_im": True, "is_channel": False, "user": channel.members[0]}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_member": workspace.app.user_id in channel.members,
        "num_members": len(channel.members),
        "context_team_id": workspace.team.id,
    }


def info(workspace: Workspace, args: Arguments) -> Json:
    """One channel. Raises Refusal(channel_not_found, missing_scope)."""
    channel = visible(workspace, args.need("channel"))
    need_scope(workspace, f"{prefix(channel)}:read")
    return {"channel": described(workspace, channel)}


def members(workspace: Workspace, args: Arguments) -> Json:
    """Who is in a channel, a page at a time."""
    channel = visible(workspace, args.need("channel"))
    need_scope(workspace, f"{prefix(channel)}:read")
    found, cursor = page(channel.members, args, limits.LIST_DEFAULT, limits.LIST_MAX)
    return {"members": found, **cursor}


KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


def listing(workspace: Workspace, args: Arguments) -> Json:
    """The channels that the app may know of, by `types`. Raises Refusal(invalid_types, missing_scope)."""
    kinds = args.listed("types") or ["public_channel"]
    if not set(kinds) <= KINDS.keys():
        raise Refusal("invalid_types")
    for kind in kinds:
        need_scope(workspace, f"{KINDS[kind]}:read")
    wanted = {KINDS[kind] for kind in kinds}
    found = [
        channel
        for channel in workspace.channels.values()
        if prefix(channel) in wanted
        and not (channel.is_archived and args.flag("exclude_archived"))
        and (not channel.is_private or workspace.app.user_id in channel.members)
    ]
    shown, cursor = page(found, args, limits.LIST_DEFAULT, limits.LIST_MAX)
    return {"channels": [described(workspace, channel) for channel in shown], **cursor}


def opening(workspace: Workspace, args: Arguments) -> Json:
    """The direct message with one person. Raises Refusal(users_list_not_supplied, user_not_found, user_disabled)."""
    users = args.listed("users")
    if args.text("channel"):
        return {"channel": described(workspace, visible(workspace, args.text("channel")))}
    if not users:
        raise Refusal("users_list_not_supplied")
    if len(users) > 1:
        raise Refusal("method_not_supported_for_channel_type")  # group messages are not modelled
    channel = direct(workspace, users[0])
    body = {"id": channel.id} if not args.flag("return_im") else described(workspace, channel)
    return {"channel": body}


METHODS = {
    "conversations.info": Method(info, Tier.T3, ("channels:read", "groups:read", "im:read", "mpim:read")),
    "conversations.members": Method(members, Tier.T4, ("channels:read", "groups:read", "im:read")),
    "conversations.list": Method(listing, Tier.T2, ("channels:read", "groups:read", "im:read")),
    "conversations.open": Method(opening, Tier.T3, ("im:write", "mpim:write", "channels:manage")),
}
