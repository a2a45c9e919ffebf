"""Turns Block Kit's problems into Slack's refusals, and completes blocks as Slack does."""

import copy
from typing import Any

from bot.sandbox.slack import limits
from bot.sandbox.slack.blockkit.schema import SCHEMA
from bot.sandbox.slack.blockkit.surface import message_problems, parts, view_problems
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json, Workspace

VISIBLE = ("text", "title", "caption", "label", "alt_text")


def checked_blocks(workspace: Workspace, raw: Any, at: str = "/blocks") -> list[Json]:
    """The blocks of a message, each with a block_id.

    Raises Refusal(invalid_blocks_format, invalid_blocks, invalid_attachments for a second table, msg_blocks_too_long).
    """
    if not isinstance(raw, list):
        raise Refusal("invalid_blocks_format")
    if problems := message_problems(raw, at):
        raise Refusal("invalid_blocks", [problem.line() for problem in problems])
    if sum(block["type"] == "table" for block in raw) > limits.TABLES:
        raise Refusal("invalid_attachments", detail="only_one_table_allowed")
    return with_ids(workspace, raw)


def checked_view(workspace: Workspace, raw: Any) -> Json:
    """A view whose blocks have ids. Raises Refusal(invalid_arguments, view_too_large)."""
    if problems := view_problems(raw):
        raise Refusal("invalid_arguments", [problem.line() for problem in problems])
    if len(str(raw).encode()) > limits.VIEW_BYTES:
        raise Refusal("view_too_large")
    return {**raw, "blocks": with_ids(workspace, raw["blocks"])}


def with_ids(workspace: Workspace, blocks: list[Json]) -> list[Json]:
    """A copy of the blocks, with the ids that Slack gives to blocks and elements which have none."""
    copied = copy.deepcopy(blocks)
    for part, _ in parts(copied, ""):
        if part.get("type") in SCHEMA.interactive and not part.get("action_id"):
            part["action_id"] = workspace.new_id("a")
    for block in copied:
        block["block_id"] = block.get("block_id") or workspace.new_id("b")
    return copied


def text_length(blocks: list[Json]) -> int:
    """Characters of everything that a reader sees in blocks."""
    return sum(len(part[name]) for part, _ in parts(blocks, "") for name in VISIBLE if isinstance(part.get(name), str))
