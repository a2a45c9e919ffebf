"""Foreign text: whatever people, clouds or alerts wrote, made safe to show. Everything shown goes through `clean`.

Blocks show it in plain_text and rich_text objects, where nothing is markup. Only the text that stands in for the
blocks (notifications, screen readers) is read as mrkdwn by Slack; that one goes through `escape` as well.
"""

import re

_ORDER = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # turns the reading direction of what follows
_SPACES = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_HALVES = re.compile("[\ud800-\udfff]")  # of characters; alone they are none, and no UTF-8 can carry them
# The blocks whose characters are of class R or AL (unicode.org, DerivedBidiClass.txt).
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")


def clean(text: str, most: int) -> str:
    """One line of at most `most` characters, without control characters and without tricks of direction.

    Right-to-left text stays, closed in on itself, so that it cannot reorder its neighbours.
    """
    plain = _CONTROL.sub("", _SPACES.sub(" ", _ORDER.sub("", cut(text, 4 * most))))
    line = _HALVES.sub("\ufffd", _SPACES.sub(" ", plain).strip())
    if _RIGHT_TO_LEFT.search(line):
        return f"\u2068{cut(line, most - 2)}\u2069"
    return cut(line, most)


def cut(text: str, most: int) -> str:
    """At most `most` characters, with an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def escape(text: str) -> str:
    """Cleaned text as mrkdwn that says just that: no mention, no link (docs.slack.dev, "Formatting message text")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
