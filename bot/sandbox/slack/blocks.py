"""Block Kit as Slack checks it."""

from typing import Any

from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json


def checked_blocks(raw: Any, most: int, at: str = "/blocks") -> list[Json]:
    """The blocks, each with a block_id. Raises Refusal(invalid_blocks, invalid_blocks_format)."""
    if not isinstance(raw, list):
        raise Refusal("invalid_blocks_format")
    if len(raw) > most:
        raise Refusal("invalid_blocks", [f"[ERROR] no more than {most} items allowed [json-pointer:{at}]"])
    for number, block in enumerate(raw):
        block.setdefault("block_id", f"b{number}")
    return raw


def text_length(value: Any) -> int:
    """Characters of all visible texts in blocks."""
    if isinstance(value, list):
        return sum(text_length(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = len(value["text"]) if isinstance(value.get("text"), str) else 0
    return own + sum(text_length(item) for item in value.values())
