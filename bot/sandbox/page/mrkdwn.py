"""Slack's two ways to write text with marks, as HTML: mrkdwn, and a subset of Markdown. Nothing in it is believed."""

import html
import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

from bot.sandbox.page.html import element, join, lines
from bot.sandbox.page.reader import Reader, emoji, link

_MARK = re.compile(
    r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<ref>[^<>\n]+)>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)|(?<!\w)~(?P<strike>[^~\n]+)~(?!\w)"
    r"|(?<!\w):(?P<emoji>[a-z0-9_+'-]+):",
    re.DOTALL,
)
_DATE = re.compile(r"!date\^(?P<at>-?\d{1,12})\^(?P<form>[^|^]*)(?:\^(?P<url>[^|]*))?(?:\|(?P<fallback>.*))?")
_SPAN = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*|\*(?P<italic>[^*]+)\*|~~(?P<strike>.+?)~~|\[(?P<text>[^\]]*)\]\((?P<url>[^)\s]+)\)"
)
_TAGS = {"bold": "strong", "italic": "em", "strike": "s"}
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")


def mrkdwn(text: str, reader: Reader) -> Markup:
    """Slack's mrkdwn (docs.slack.dev, Formatting message text); quoted lines become a quotation."""
    parts: list[Markup] = []
    quoted: list[str] = []
    for line in [*_lines(text), None]:
        if line is not None and line.startswith("&gt;"):
            quoted.append(line.removeprefix("&gt;").strip())
            continue
        if quoted:
            parts.append(element("blockquote", _marked("\n".join(quoted), reader)))
            quoted = []
        if line is not None:
            parts.append(_marked(line, reader))
    return join(_breaks(parts))


def plain(text: str) -> Markup:
    """Text that Slack sends with its three entities."""
    return lines(html.unescape(text) if "&" in text else text)


def _lines(text: str) -> list[str]:
    """Lines, those of a code block together."""
    pieces = re.split(r"(```.+?```)", text, flags=re.DOTALL)
    found: list[str] = [""]
    for piece in pieces:
        first, *rest = [piece] if piece.startswith("```") and piece.endswith("```") else piece.split("\n")
        found[-1] += first
        found += rest
    return found


def _breaks(parts: list[Markup]) -> Iterator[Markup]:
    """Line breaks between lines, none beside a quotation or a code block."""
    for number, part in enumerate(parts):
        before = parts[number - 1] if number else None
        if (
            before is not None
            and not before.endswith(("</blockquote>", "</pre>"))
            and not part.startswith(("<bl", "<pre"))
        ):
            yield Markup("<br>")
        yield part


def _marked(text: str, reader: Reader) -> Markup:
    found: list[Markup] = []
    at = 0
    for match in _MARK.finditer(text):
        found += [plain(text[at : match.start()]), _mark(match, reader)]
        at = match.end()
    return join([*found, plain(text[at:])])


def _mark(match: "re.Match[str]", reader: Reader) -> Markup:
    kind = str(match.lastgroup)
    inside = match[kind]
    if kind in _TAGS:
        return element(_TAGS[kind], _marked(inside, reader))
    known: dict[str, Callable[[], Markup]] = {
        "pre": lambda: element("pre", html.unescape(inside.strip("\n"))),
        "code": lambda: element("code", html.unescape(inside)),
        "ref": lambda: _reference(inside, reader),
        "emoji": lambda: emoji(inside),
    }
    return known[kind]()


def _reference(said: str, reader: Reader) -> Markup:
    """What stands between angle brackets."""
    if date := _DATE.fullmatch(said):
        fallback = html.unescape(date["fallback"] or "")
        return reader.date(int(date["at"]), date["form"], fallback, date["url"] or "")
    target, _, text = said.partition("|")
    if target.startswith(("@", "#")):
        return reader.mention(target[1:], text and f"{target[0]}{text.lstrip('@#')}")
    if target.startswith("!"):
        name = target.removeprefix("!subteam^").removeprefix("!")
        return reader.mention(name, text or f"@{name}")
    url = html.unescape(target)
    return link(url, html.unescape(text) or url)


def markdown(text: str) -> Markup:
    """Headings, lists, quotations, code and the usual spans of Markdown; everything else is text."""
    return join(_markdown(text.split("\n")))


def _markdown(rows: list[str]) -> Iterator[Markup]:
    at = 0
    while at < len(rows):
        row = rows[at]
        kind = _kind(row)
        end = at + 1
        if kind == "fence":
            while end < len(rows) and not rows[end].startswith("```"):
                end += 1
            yield element("pre", "\n".join(rows[at + 1 : end]))
            at = end + 1
            continue
        while end < len(rows) and kind in ("item", "step", "quote", "text") and _kind(rows[end]) == kind:
            end += 1
        yield _paragraph(kind, rows[at:end])
        at = end


def _kind(row: str) -> str:
    for begin, kind in (("```", "fence"), ("#", "heading"), (">", "quote")):
        if row.startswith(begin):
            return kind
    if match := _ITEM.fullmatch(row):
        return "item" if row.lstrip()[0] in "-*+" and match else "step"
    return "text" if row.strip() else "space"


def _paragraph(kind: str, rows: list[str]) -> Markup:
    if kind == "heading":
        return element("p", element("strong", _spans(rows[0].lstrip("# "))))
    if kind in ("item", "step"):
        items = [match[1] for row in rows if (match := _ITEM.fullmatch(row))]
        return element("ul" if kind == "item" else "ol", *(element("li", _spans(item)) for item in items))
    if kind == "quote":
        return element("blockquote", join((_spans(row.lstrip("> ")) for row in rows), Markup("<br>")))
    return element("p", join(map(_spans, rows), Markup("<br>"))) if kind == "text" else Markup("")


def _spans(text: str) -> Markup:
    found: list[Markup] = []
    at = 0
    for match in _SPAN.finditer(text):
        found.append(escape(text[at : match.start()]))
        at = match.end()
        if match["url"]:
            found.append(link(match["url"], match["text"] or match["url"]))
        elif match["code"]:
            found.append(element("code", match["code"]))
        else:
            kind = str(match.lastgroup)
            found.append(element(_TAGS[kind], _spans(match[kind])))
    return join([*found, escape(text[at:])])
