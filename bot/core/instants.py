"""How our sentences write an instant; a door may show it in its reader's own zone."""

from datetime import UTC, datetime


def in_utc(at: datetime) -> str:
    """Such as "2026-11-20 07:41 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
