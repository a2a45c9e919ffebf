"""A message as Slack's JSON."""

from bot.sandbox.slack.state import Json, Message, Workspace


def described(workspace: Workspace, message: Message, with_metadata: bool = True) -> Json:
    """A message as history, events and interactions carry it."""
    body: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": person.team_id if (person := workspace.people.get(message.user)) else workspace.team.id,
    }
    if message.by_app:
        body |= {"bot_id": workspace.app.bot_id, "app_id": workspace.app.id}
    for name in ("blocks", "attachments", "files", "thread_ts"):
        if value := getattr(message, name):
            body[name] = value
    if with_metadata and message.metadata:
        body["metadata"] = message.metadata
    if message.edited_at is not None:
        body["edited"] = {"user": message.user, "ts": f"{message.edited_at:.6f}"}
    if message.reactions:
        body["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    return body | _thread(workspace, message)


def _thread(workspace: Workspace, message: Message) -> Json:
    if message.thread_ts:
        return {"subtype": "thread_broadcast"} if message.broadcast else {}
    replies = replies_to(workspace, message.channel, message.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
    }


def replies_to(workspace: Workspace, channel: str, ts: str) -> list[Message]:
    """The replies in a thread, oldest first."""
    return [message for message in workspace.in_channel(channel) if message.thread_ts == ts]
