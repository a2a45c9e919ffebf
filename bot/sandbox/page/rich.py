"""Slack's rich text as HTML: all its parts and elements; one that is not known is shown as JSON."""

import json
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from bot.sandbox.page.html import element, join, lines
from bot.sandbox.page.mrkdwn import mrkdwn
from bot.sandbox.page.reader import Reader, emoji, link

Json = dict[str, Any]
_STYLES = (("code", "code"), ("bold", "strong"), ("italic", "em"), ("strike", "s"), ("underline", "u"))


def rich_text(block: Json, reader: Reader) -> Markup:
    """A block of rich text, or what else has such parts as its elements."""
    return join(_part(part, reader) for part in block.get("elements") or [])


def folded(part: Any) -> Markup:
    """What the page cannot draw, as JSON that can be unfolded."""
    name = part.get("type", "something") if isinstance(part, dict) else "something"
    shown = element("pre", json.dumps(part, indent=2, ensure_ascii=False, default=str))
    return element("details", element("summary", f"{name}: not drawn here"), shown, class_="unknown")


def _part(part: Json, reader: Reader) -> Markup:
    kind = part.get("type")
    if kind == "rich_text_list":
        return _list(part, reader)
    inside = join(_inline(one, reader) for one in part.get("elements") or [])
    tags = {"rich_text_section": "p", "rich_text_quote": "blockquote", "rich_text_preformatted": "pre"}
    return element(tags[kind], inside) if kind in tags else folded(part)


def _list(part: Json, reader: Reader) -> Markup:
    items = (join(_inline(one, reader) for one in item.get("elements") or []) for item in part.get("elements") or [])
    indent = f"indent-{min(8, int(part.get('indent') or 0))}"
    if part.get("style") == "ordered":
        return element(
            "ol", *(element("li", item) for item in items), class_=indent, start=1 + int(part.get("offset") or 0)
        )
    return element("ul", *(element("li", item) for item in items), class_=indent)


def _inline(one: Json, reader: Reader) -> Markup:
    draw = _INLINE.get(str(one.get("type")))
    return _styled(draw(one, reader), one.get("style") or {}) if draw else folded(one)


def _styled(inside: Markup, style: Json) -> Markup:
    for name, tag in _STYLES:
        inside = element(tag, inside) if style.get(name) else inside
    return inside


def _colour(one: Json, _: Reader) -> Markup:
    """The name of a colour; the swatch itself would be a style of its own."""
    return element("code", one.get("value", ""))


_INLINE: dict[str, Callable[[Json, Reader], Markup]] = {
    "text": lambda one, _: lines(str(one.get("text", ""))),
    "link": lambda one, _: link(str(one.get("url", "")), one.get("text") or one.get("url", "")),
    "emoji": lambda one, _: emoji(str(one.get("name", "")), str(one.get("unicode") or "")),
    "user": lambda one, reader: reader.mention(str(one.get("user_id", ""))),
    "usergroup": lambda one, reader: reader.mention(str(one.get("usergroup_id", ""))),
    "channel": lambda one, reader: reader.mention(str(one.get("channel_id", ""))),
    "team": lambda one, reader: reader.mention(str(one.get("team_id", ""))),
    "broadcast": lambda one, _: element("span", f"@{one.get('range', '')}", class_="mention"),
    "color": _colour,
    "date": lambda one, reader: reader.date(
        float(one.get("timestamp") or 0),
        str(one.get("format", "")),
        str(one.get("fallback", "")),
        str(one.get("url") or ""),
    ),
}


def text_object(said: Any, reader: Reader) -> Markup:
    """A plain_text or a mrkdwn object."""
    if not isinstance(said, dict):
        return escape(said or "")
    text = str(said.get("text", ""))
    return mrkdwn(text, reader) if said.get("type") == "mrkdwn" else lines(text)
