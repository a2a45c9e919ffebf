"""response_url: five answers within half an hour, without a token."""

import json

from starlette.requests import Request

from bot.sandbox.slack import limits, messages
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.content import Content, read_content
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.reply import Reply
from bot.sandbox.slack.state import Hook, Message, Workspace


async def answer(workspace: Workspace, request: Request) -> Reply:
    """POST to a response_url. 404 for one that is unknown, used up or too old, 400 for what cannot be shown."""
    hook = workspace.hooks.get(request.path_params["name"])
    if hook is None:
        return Reply(404, "no_service", error="no_service")
    if spent := _spent(workspace, hook):
        return Reply(404, {"ok": False, "error": spent}, error=spent)
    try:
        args = Arguments(json.loads(await request.body()))
    except ValueError:
        return Reply(400, "invalid_payload", error="invalid_payload")
    hook.uses += 1
    try:
        _apply(workspace, hook, args)
    except Refusal as refused:
        return Reply.refused(refused, args.raw, 400)
    return Reply(200, "ok", args=args.raw)


def _spent(workspace: Workspace, hook: Hook) -> str:
    if workspace.now() - hook.at > limits.HOOK_LIFE_S:
        return "expired_url"
    return "used_url" if hook.uses >= limits.HOOK_USES else ""


def _original(workspace: Workspace, hook: Hook) -> Message | None:
    ts = hook.message_ts or ""
    return workspace.find_message(hook.channel, ts) or workspace.find_ephemeral(hook.channel, ts)


def _apply(workspace: Workspace, hook: Hook, args: Arguments) -> None:
    original = _original(workspace, hook)
    if args.flag("delete_original"):
        if original is not None:
            _delete(workspace, original)
        return
    content = read_content(workspace, args, has_budget=False)
    if args.flag("replace_original") and original is not None:
        messages.edit(original, content, workspace.now())
        return
    _say(workspace, hook, args, content)


def _delete(workspace: Workspace, message: Message) -> None:
    if message.visible_to is None:
        messages.remove(workspace, message)
    else:
        workspace.ephemerals.remove(message)
        workspace.deleted.append(message)


def _say(workspace: Workspace, hook: Hook, args: Arguments, content: Content) -> None:
    channel = workspace.channels[hook.channel]
    message = messages.build(workspace, channel, content, messages.thread(workspace, channel, args))
    if args.text("response_type") == "in_channel":
        messages.add(workspace, message)
    else:
        messages.add_ephemeral(workspace, message, hook.user)
