"""Pages of lists, with opaque tokens."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox.refusal import invalid

Item = TypeVar("Item")


def page(items: Sequence[Item], size: int, token: str, most: int) -> tuple[Sequence[Item], str]:
    """The page at `token`, and the next page's token ("" at the end). `size` 0 means `most`, and none is larger."""
    if size < 0:
        raise invalid("page_size", "page_size must not be negative.")
    start = offset(token)
    stop = start + min(size or most, most)
    return items[start:stop], token_at(stop) if stop < len(items) else ""


def token_at(place: int) -> str:
    """The token of a page that begins at a place."""
    return base64.urlsafe_b64encode(f"from {place}".encode()).decode()


def offset(token: str) -> int:
    """Where the page of a token begins. Refuses what is no token."""
    if not token:
        return 0
    try:
        word, _, place = base64.urlsafe_b64decode(token).decode().partition(" ")
        if word == "from":
            return int(place)
    except (binascii.Error, ValueError):
        pass
    raise invalid("page_token", "Invalid page token.")
