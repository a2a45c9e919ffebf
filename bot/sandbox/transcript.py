"""Slack messages as lines of text: how the town shows a card where there is no Slack to draw it."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
TASKS = {"complete": "✔", "in_progress": "▶", "error": "✘"}
APART = {"plan", "table", "context", "actions"}
DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
REFERENCE = re.compile(r"<([^|>]*)\|([^>]*)>")


class Line(NamedTuple):
    """One line that people read; `mark` stands before it, `style` is one that rich knows."""

    text: str
    mark: str = ""
    style: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.text}".strip()


def drawn(message: Json) -> list[Line]:
    """What a person reads, top to bottom; the message's own text when it has no blocks."""
    blocks = message.get("blocks") or []
    found = [line for before, block in zip([{}, *blocks], blocks, strict=False) for line in _apart(before, block)]
    return found or [Line(line) for line in str(message.get("text", "")).splitlines()]


def lines(message: Json) -> list[str]:
    """The same without looks."""
    return [str(line) for line in drawn(message) if str(line)]


def buttons(message: Json) -> dict[str, str]:
    """The buttons that can be clicked: action id to label."""
    elements = [one for block in message.get("blocks") or [] for one in block.get("elements", [])]
    return {one["action_id"]: one["text"]["text"] for one in elements if one.get("type") == "button"}


def _apart(before: Json, block: Json) -> Iterator[Line]:
    """A block, and the space that Slack leaves above it where that helps to read."""
    kinds = before.get("type"), block.get("type")
    if before and (APART & set(kinds)) and kinds[0] != kinds[1]:
        yield Line("")
    yield from _block(block)


def _block(block: Json) -> Iterator[Line]:
    draw = DRAWN.get(str(block.get("type")))
    yield from draw(block) if draw else (Line(line) for line in _inline(block).splitlines())


def _divider(_: Json) -> Iterator[Line]:
    yield Line("─" * 40, style="dim")


def _header(block: Json) -> Iterator[Line]:
    yield Line(_inline(block), style="bold")


def _actions(block: Json) -> Iterator[Line]:
    yield Line("  ".join(f"[ {one['text']['text']} ]" for one in block["elements"] if one.get("type") == "button"))


def _plan(block: Json) -> Iterator[Line]:
    yield Line(str(block.get("title", "")), style="bold")
    yield from (line for task in block.get("tasks", []) for line in _task(task))


def _task(block: Json) -> Iterator[Line]:
    yield Line(_inline(block.get("title", "")), TASKS.get(block.get("status", ""), "·"))


def _context(block: Json) -> Iterator[Line]:
    yield Line(" ".join(_inline(one) for one in block["elements"]), style="dim")


def _rich_text(block: Json) -> Iterator[Line]:
    yield from (line for element in block["elements"] for line in _rich(element))


def _rich(element: Json) -> Iterator[Line]:
    """One part of a rich text. The marks that our own findings begin with stand where a bullet would."""
    kind = element.get("type")
    if kind == "rich_text_list":
        for item in element["elements"]:
            text = _inline(item)
            mark, _, rest = text.partition(" ")
            yield Line(rest, mark) if rest and len(mark) == 1 and not mark.isalnum() else Line(text, "•")
    else:
        style = "cyan" if kind == "rich_text_preformatted" else ""
        yield from (Line(line, style=style) for line in _inline(element).splitlines())


def _table(block: Json) -> Iterator[Line]:
    rows = [[_inline(cell).strip() for cell in row] for row in block["rows"]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for at, row in enumerate(rows):
        text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield Line(text.rstrip(), style="" if at else "bold")


def _inline(part: Any) -> str:
    """All text below a part, in order."""
    if isinstance(part, str):
        return _unescaped(part)
    if isinstance(part, list):
        return "".join(_inline(one) for one in part)
    if not isinstance(part, dict):
        return ""
    if part.get("type") == "emoji":
        return f":{part.get('name', '')}:"
    if part.get("type") == "date":
        return str(part.get("fallback", ""))
    if part.get("type") == "mrkdwn":
        return _unescaped(REFERENCE.sub(r"\2", DATE.sub(r"\1", str(part.get("text", "")))))
    shown = [_inline(part[name]) for name in ("text", "fields", "elements") if name in part]
    return ("\n" if part.get("type") == "section" else "").join(shown)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


DRAWN: dict[str, Callable[[Json], Iterator[Line]]] = {
    "divider": _divider,
    "header": _header,
    "actions": _actions,
    "table": _table,
    "plan": _plan,
    "task_card": _task,
    "context": _context,
    "rich_text": _rich_text,
}
