"""Cursor pagination, as all list methods share it."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.refusals import Refusal
from bot.sandbox.slack.state import Json

Item = TypeVar("Item")


def page(items: Sequence[Item], args: Arguments, default: int, most: int) -> tuple[list[Item], Json]:
    """The page that `cursor` and `limit` ask for, and the response_metadata that leads on.

    Raises Refusal(invalid_cursor, invalid_limit).
    """
    size = args.number("limit", default, most)
    start = _offset(args.text("cursor"))
    if start > len(items):
        raise Refusal("invalid_cursor")
    end = start + size
    cursor = _cursor(end) if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": cursor}}


def _cursor(offset: int) -> str:
    return base64.b64encode(f"offset:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        word, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal("invalid_cursor") from None
    if word != "offset" or not number.isdigit():
        raise Refusal("invalid_cursor")
    return int(number)
