"""What a message says: text, blocks, attachments, metadata, read from a call and checked."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import limits
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.blocks import checked_blocks, text_length
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json, Workspace


@dataclass(frozen=True)
class Content:
    """None means "was not sent", which an edit tells apart from empty."""

    text: str | None = None
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    metadata: Json | None = None

    @property
    def is_empty(self) -> bool:
        """True if nobody would see anything."""
        return not (self.text or self.blocks or self.attachments)


def read_content(
    workspace: Workspace, args: Arguments, longest_text: int = limits.MESSAGE_TEXT, has_budget: bool = True
) -> Content:
    """The content of a call; a `markdown_text` becomes the text. `has_budget`: all blocks together are limited.

    Raises Refusal(no_text, msg_too_long, invalid_blocks, invalid_blocks_format, invalid_attachments,
    msg_blocks_too_long, metadata_too_large, markdown_text_conflict, …).
    """
    content = Content(
        _text(args, longest_text),
        _blocks(workspace, args.document("blocks", "invalid_blocks_format"), has_budget),
        _attachments(workspace, args.document("attachments", "invalid_attachments")),
        _metadata(args.document("metadata", "invalid_metadata_format")),
    )
    if content.is_empty:
        raise Refusal("no_text")
    return content


def _text(args: Arguments, longest: int) -> str | None:
    if "markdown_text" in args:
        if "text" in args or "blocks" in args:
            raise Refusal("markdown_text_conflict")
        longest = min(longest, limits.MARKDOWN_TOTAL)
    text = args.text("markdown_text") or (args.text("text") if "text" in args else None)
    if len(text or "") > longest:
        raise Refusal("msg_too_long")
    return text


def _blocks(workspace: Workspace, raw: Any, has_budget: bool) -> list[Json] | None:
    if raw is None:
        return None
    blocks = checked_blocks(workspace, raw)
    if has_budget and text_length(blocks) > limits.MESSAGE_BLOCKS_TEXT:
        raise Refusal("msg_blocks_too_long")
    return blocks


def _attachments(workspace: Workspace, raw: Any) -> list[Json] | None:
    if raw is None:
        return None
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise Refusal("invalid_attachments")
    if len(raw) > limits.ATTACHMENTS:
        raise Refusal("too_many_attachments")
    for number, item in enumerate(raw):
        if "blocks" in item:
            checked_blocks(workspace, item["blocks"], f"/attachments/{number}/blocks")
    return raw


def _metadata(raw: Any) -> Json | None:
    if raw is None:
        return None
    if raw == {}:
        return {}
    if not isinstance(raw, dict):
        raise Refusal("invalid_metadata_format")
    if not isinstance(raw.get("event_type"), str) or not isinstance(raw.get("event_payload"), dict):
        raise Refusal("invalid_metadata_schema")
    if len(str(raw).encode()) > limits.METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return raw
