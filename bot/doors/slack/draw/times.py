"""Instants, which Slack shows in each reader's own zone; UTC stands in where it cannot.

Markup: docs.slack.dev, "Formatting message text"; the element of rich text: docs.slack.dev, "Date element". Headers,
buttons, tasks, charts and preformatted lines take neither, so they keep what they were given.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.core.instants import in_utc

FORMAT = "{date_short_pretty} {time}"
LATEST_S = 9_999_999_999  # what no Slack is known to have refused
_SPOKEN = re.compile(r"(\b\d{4}-\d\d-\d\d \d\d:\d\d UTC\b)", re.ASCII)  # how our sentences write an instant


def element(at: datetime) -> dict[str, object]:
    """An instant within a line of rich text."""
    seconds = int(at.timestamp())
    if not 0 <= seconds <= LATEST_S:
        return {"type": "text", "text": in_utc(at)}
    return {"type": "date", "timestamp": seconds, "format": FORMAT, "fallback": in_utc(at)}


def markup(at: datetime, spoken: str = "") -> str:
    """An instant within mrkdwn; `spoken` is what stands in for it."""
    seconds, stands_in = int(at.timestamp()), spoken or in_utc(at)
    return f"<!date^{seconds}^{FORMAT}|{stands_in}>" if 0 <= seconds <= LATEST_S else stands_in


def parts(text: str) -> Iterator[str | datetime]:
    """The text in pieces, with the instants that it spells out as instants."""
    for at, piece in enumerate(_SPOKEN.split(text)):
        instant = _instant(piece) if at % 2 else None
        if instant or piece:
            yield instant or piece


def marked(text: str) -> str:
    """Mrkdwn that spells instants out, with each as markup; what it said stands in."""
    return _SPOKEN.sub(lambda found: markup(at, found[1]) if (at := _instant(found[1])) else found[1], text)


def _instant(spoken: str) -> datetime | None:
    try:
        return datetime.fromisoformat(spoken.removesuffix(" UTC")).replace(tzinfo=UTC)
    except ValueError:  # a 40th of some month
        return None
