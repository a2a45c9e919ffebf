"""Blocks as text, for notifications, screen readers and wherever blocks are not shown: it says what they say.

Slack reads that text as mrkdwn, and gives it alone to screen readers (docs.slack.dev, "Designing with accessibility").
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.doors.slack.draw.blocks import Block, Card, fitted
from bot.doors.slack.draw.foreign import clean, escape
from bot.doors.slack.draw.times import marked

MOST = 3000  # characters; chat.update takes 4,000
STATUS = {"pending": "to do", "in_progress": "in progress", "complete": "done", "error": "failed"}
SEPARATOR = " · "


def card(head: str, body: Sequence[Block], foot: Sequence[Block], rest: str) -> Card:
    """A message that begins with `head` where only its beginning is shown; `rest` says how to see what does not fit."""
    shown = fitted(body, foot, rest)
    return Card(text=text(head, shown, rest), blocks=shown)


def text(head: str, shown: Sequence[Block], rest: str) -> str:
    """The head, then every line of the blocks that it does not say already."""
    begun, more = marked(escape(clean(head, 500))), escape(clean(rest, 300))
    said, left = [begun], MOST - len(begun) - len(more) - 1
    for line in lines(shown):
        if line in begun:
            continue
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*said, more] if len(begun) + len(more) < MOST else [begun])
        said.append(line)
    return "\n".join(said)


def lines(shown: Iterable[Block]) -> Iterator[str]:
    """What blocks say, as lines of mrkdwn, in the order of the screen."""
    for block in shown:
        yield from (line for line in _READ.get(block["type"], _nothing)(block) if line.strip())


def _nothing(_: Block) -> Iterator[str]:
    yield from ()


def _title(block: Block) -> Iterator[str]:
    yield _plain(block["text"])


def _plain(part: Block) -> str:
    """A text object."""
    told = str(part.get("text", ""))
    return told if part["type"] == "mrkdwn" else escape(told)


def _section(block: Block) -> Iterator[str]:
    yield from (_plain(part) for part in (block.get("text"), *block.get("fields", ())) if part)


def _context(block: Block) -> Iterator[str]:
    yield from (_plain(part) for part in block["elements"] if "text" in part)


def _rich(block: Block) -> Iterator[str]:
    for part in block["elements"]:
        if part["type"] == "rich_text_list":
            yield from (f"• {_words(item)}" for item in part["elements"])
        elif part["type"] == "rich_text_preformatted":
            yield from _words(part).splitlines()
        else:
            yield _words(part)


def _words(line: Block) -> str:
    return "".join(map(_word, line["elements"]))


def _word(part: Block) -> str:
    if part["type"] == "date":
        return marked(escape(part["fallback"]))
    told = escape(str(part.get("text", "")))
    return f"`{told}`" if part.get("style", {}).get("code") and "`" not in told else told


def _tasks(block: Block) -> Iterator[str]:
    yield escape(block["title"])
    for task in block["tasks"]:
        details = " ".join(_rich(task["details"])) if "details" in task else ""
        yield f"• {escape(task['title'])} ({STATUS[task['status']]}){f': {details}' if details else ''}"


def _table(block: Block) -> Iterator[str]:
    yield from (SEPARATOR.join(map(_cell, row)) for row in block["rows"])


def _cell(cell: Block) -> str:
    return " ".join(_rich(cell)) if cell["type"] == "rich_text" else escape(str(cell["text"]))


def _chart(block: Block) -> Iterator[str]:
    axis = block["chart"]["axis_config"]
    units = SEPARATOR.join(axis[name] for name in ("y_label", "x_label") if name in axis)
    yield escape(f"Chart: {block['title']}{f' ({units})' if units else ''}")
    for line in block["chart"]["series"]:
        yield escape(f"{line['name']}: " + ", ".join(f"{one['label']} {one['value']:.4g}" for one in line["data"]))


def _buttons(block: Block) -> Iterator[str]:
    if named := [escape(one["text"]["text"]) for one in block["elements"] if one["type"] == "button"]:
        yield "Buttons: " + ", ".join(named)


_READ: dict[str, Any] = {
    "header": _title,
    "section": _section,
    "context": _context,
    "rich_text": _rich,
    "plan": _tasks,
    "table": _table,
    "data_visualization": _chart,
    "actions": _buttons,
}
