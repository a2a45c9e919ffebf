"""files.*: the three steps of an upload."""

from typing import Any

from starlette.requests import Request

from bot.sandbox.slack import limits, messages
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blocks import checked_blocks
from bot.sandbox.slack.channels import joined
from bot.sandbox.slack.content import Content
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import Refusal, missing
from bot.sandbox.slack.reply import Reply
from bot.sandbox.slack.state import Json, Upload, Workspace

WRITE = ("files:write",)


def get_upload_url(workspace: Workspace, args: Arguments) -> Json:
    """Step one: a name and the exact length, for an address that takes the bytes once."""
    name, length = args.need("filename"), args.text("length")
    if not length.isdigit() or int(length) == 0:
        raise Refusal("missing_argument" if length in ("", "0") else "invalid_arguments")
    if int(length) > limits.UPLOAD_BYTES:
        raise Refusal("file_upload_size_restricted")
    if len(args.text("alt_txt")) > limits.ALT_TEXT:
        raise Refusal("alt_txt_too_large")
    upload = Upload(workspace.new_id("F"), name, int(length))
    workspace.uploads[upload.id] = upload
    return {"upload_url": f"{workspace.base_url}/upload/{upload.id}", "file_id": upload.id}


async def receive(workspace: Workspace, request: Request) -> Reply:
    """Step two: the raw bytes, exactly as many as were announced."""
    upload = workspace.uploads.get(request.path_params["file_id"])
    if upload is None or upload.state != "pending":
        return Reply(404, "file_not_found", error="file_not_found")
    upload.data = await request.body()
    args = {"file_id": upload.id, "bytes": len(upload.data)}
    if len(upload.data) != upload.length:
        told = f"expected {upload.length} bytes, got {len(upload.data)}"
        return Reply(400, told, args=args, error="invalid_length")
    upload.state = "uploaded"
    return Reply(200, f"OK - {upload.length}", args=args)


def complete_upload(workspace: Workspace, args: Arguments) -> Json:
    """Step three: share what was uploaded, in a message of its own."""
    uploads = _uploaded(workspace, args.document("files", "invalid_arguments"))
    channels = [joined(workspace, channel) for channel in _targets(args)]
    shown = [_described(upload) for upload in uploads]
    raw = args.document("blocks", "invalid_blocks")
    content = Content(args.text("initial_comment"), None if raw is None else checked_blocks(workspace, raw))
    for channel in channels:
        message = messages.build(workspace, channel, content, messages.thread(workspace, channel, args))
        message.files = shown
        messages.add(workspace, message)
    for upload in uploads:
        upload.state = "complete"
    return {"files": [{"id": upload.id, "title": upload.title} for upload in uploads]}


def _targets(args: Arguments) -> list[str]:
    return [args.text("channel_id")] if args.text("channel_id") else args.listed("channels")


def _uploaded(workspace: Workspace, raw: Any) -> list[Upload]:
    if not isinstance(raw, list) or not raw or not all(isinstance(item, dict) and item.get("id") for item in raw):
        raise missing("files")
    found = []
    for item in raw:
        upload = workspace.uploads.get(item["id"])
        if upload is None or upload.state != "uploaded":
            raise Refusal("file_not_found")
        upload.title = item.get("title") or upload.name
        found.append(upload)
    return found


def _described(upload: Upload) -> Json:
    return {"id": upload.id, "name": upload.name, "title": upload.title, "size": upload.length, "mode": "hosted"}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, Tier.T4, WRITE),
    "files.completeUploadExternal": Method(complete_upload, Tier.T4, WRITE),
}
