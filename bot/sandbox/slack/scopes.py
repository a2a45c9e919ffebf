"""Scopes: what the app's token may do, refused as `missing_scope` with what was needed and what is there."""

from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Channel, Workspace


def need_scope(workspace: Workspace, *any_of: str) -> None:
    """Raises Refusal(missing_scope) unless the token has one of the scopes."""
    if any_of and not workspace.app.scopes.intersection(any_of):
        provided = ",".join(sorted(workspace.app.scopes))
        raise Refusal("missing_scope", needed=",".join(any_of), provided=provided)


def prefix(channel: Channel) -> str:
    """The family of scopes that a channel falls under: channels, groups (private) or im."""
    if channel.is_im:
        return "im"
    return "groups" if channel.is_private else "channels"
