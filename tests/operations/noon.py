"""What the world of a case and its books are made from: an instant, and errors by what is said of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.errors import Forbidden, NotFound, Transient

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Data = Mapping[str, Any]


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def error_of(text: str) -> Exception:
    """ "gone", "forbidden: …", or anything else: it is away."""
    kind, _, said = text.partition(": ")
    return NotFound(said) if kind == "gone" else Forbidden(said) if kind == "forbidden" else Transient(text)
