"""Foreign text: whatever people, clouds or alerts wrote, made safe to show. Everything shown goes through `clean`.

Blocks show it in plain_text and rich_text objects, where nothing is markup. Only the text that stands in for the
blocks (notifications, screen readers) is read as mrkdwn by Slack; that one goes through `escape` as well.
"""

import re
import unicodedata

_ORDER = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # turns the reading direction of what follows
_SPACES = re.compile(r"\s+")
_RIGHT_TO_LEFT = ("R", "AL")


def clean(text: str, most: int) -> str:
    """One line of at most `most` characters, without control characters and without tricks of direction.

    Right-to-left text stays, closed in on itself, so that it cannot reorder its neighbours.
    """
    line = _SPACES.sub(" ", _ORDER.sub("", text)).strip()
    line = "".join(_visible(char) for char in line)
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line):
        return f"\u2068{cut(line, most - 2)}\u2069"
    return cut(line, most)


def cut(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def escape(text: str) -> str:
    """Cleaned text as mrkdwn that says just that: no mention, no link (docs.slack.dev, "Formatting message text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    return "" if category == "Cc" else "\ufffd" if category == "Cs" else char
