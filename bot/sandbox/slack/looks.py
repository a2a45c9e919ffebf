"""What can be seen through /sandbox/slack/…: messages with their edits, ephemerals, views, calls, faults."""

from collections.abc import Callable, Iterable
from dataclasses import asdict

from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.mentions import in_message
from bot.sandbox.slack.state import Json, Message, Workspace
from bot.sandbox.slack.wire import described

Look = Callable[[FakeSlack, dict[str, str]], Json]


def shown(workspace: Workspace, message: Message, *, brief: bool = False) -> Json:
    """A message with what Slack itself would not tell: its earlier versions, who alone sees it, whom it notifies.

    `brief` leaves the earlier versions out.
    """
    return described(workspace, message) | {
        "channel": message.channel,
        "visible_to": message.visible_to,
        "mentions": sorted(in_message(message)),
        "edit_count": len(message.edits),
        "edited_at": f"{message.edits[-1].at:.6f}" if message.edits else None,
        "edits": [] if brief else [asdict(edit) for edit in message.edits],
    }


def _all_shown(slack: FakeSlack, query: dict[str, str], messages: Iterable[Message]) -> list[Json]:
    return [shown(slack.workspace, message, brief=bool(query.get("brief"))) for message in messages]


def messages(slack: FakeSlack, query: dict[str, str]) -> Json:
    """The messages of `?channel=` (all channels without it), oldest first, replies included, and the deleted ones.

    `?after=` leaves out those up to a ts, `?brief=1` what they said before.
    """
    workspace, wanted, after = slack.workspace, query.get("channel"), query.get("after", "")
    channels = [wanted] if wanted else list(workspace.messages)
    found = [message for channel in channels for message in workspace.in_channel(channel) if message.ts > after]
    deleted = [message for message in workspace.deleted if wanted in (None, message.channel)]
    return {"messages": _all_shown(slack, query, found), "deleted": _all_shown(slack, query, deleted)}


def ephemerals(slack: FakeSlack, query: dict[str, str]) -> Json:
    """What `?user=` alone sees (everybody's without it), oldest first; `?brief=1` as for messages."""
    found = [m for m in slack.workspace.ephemerals if query.get("user") in (None, m.visible_to)]
    return {"ephemerals": _all_shown(slack, query, found)}


def views(slack: FakeSlack, query: dict[str, str]) -> Json:
    """The open modals, bottom of the stack first, with whose they are, and the App Homes, of `?user=` or of all."""
    workspace, user = slack.workspace, query.get("user")
    modals = [view.body for view in workspace.modals.values() if user in (None, view.user)]
    homes = {view.user: view.body for view in workspace.homes.values() if user in (None, view.user)}
    owners = {view.id: view.user for view in workspace.modals.values() if user in (None, view.user)}
    return {"modals": modals, "homes": homes, "owners": owners}


def calls(slack: FakeSlack, query: dict[str, str]) -> Json:
    """The calls that arrived, oldest first; `?method=` for one method."""
    found = [c for c in slack.workspace.calls if query.get("method") in (None, c.method)]
    return {"calls": [asdict(call) for call in found]}


def faults(slack: FakeSlack, query: dict[str, str]) -> Json:
    """The faults still to come."""
    return {"faults": [asdict(fault) for fault in slack.faults.pending()]}


def people(slack: FakeSlack, query: dict[str, str]) -> Json:
    """People, channels, groups, and the scopes of the token."""
    workspace = slack.workspace
    return {
        "people": [asdict(person) for person in workspace.people.values()],
        "channels": [asdict(channel) for channel in workspace.channels.values()],
        "groups": [asdict(group) for group in workspace.groups.values()],
        "scopes": sorted(workspace.app.scopes),
    }


LOOKS: dict[str, Look] = {
    "messages": messages,
    "ephemerals": ephemerals,
    "views": views,
    "calls": calls,
    "faults": faults,
    "people": people,
}
