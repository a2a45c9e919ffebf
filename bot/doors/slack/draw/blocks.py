"""Block Kit in small pieces, and a message that keeps within Slack's limits (docs.slack.dev/reference/block-kit)."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from bot.doors.slack.draw import times
from bot.doors.slack.draw.foreign import clean, cut

Block = dict[str, Any]
Words = tuple[Block, ...]  # elements of one line of rich text

EMPTY = "-"  # where Slack refuses an empty text
HEADER, SENTENCE, BUTTON = 150, 600, 75
BUDGET = 10_000  # characters in all blocks; Slack refuses somewhere above 11,300 and does not say where
MOST_LINES = 30
MOST_BLOCKS = 45  # Slack takes 50
_CODE = re.compile(r"`([^`]+)`")
_UNSEEN = frozenset({"type", "style", "action_id", "block_id", "task_id", "status", "value", "format"})


class Card(BaseModel, frozen=True):
    """A message: blocks, and a text that says the same where blocks are not shown."""

    text: str
    blocks: tuple[Block, ...]


def plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": clean(text, most) or EMPTY, "emoji": False}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [plain(text, 1500)]}


def words(text: str, *, bold: bool = False, code: bool = False, most: int = SENTENCE) -> Words:
    """Text within a line of rich text, with the space that it begins or ends with; none for none."""
    before, after = (" " if end.isspace() else "" for end in (text[:1], text[-1:]))
    said = clean(text, most)
    kept = f"{before}{said}{after}" if said else before
    style = {name: True for name, wanted in (("bold", bold), ("code", code)) if wanted}
    return ({"type": "text", "text": kept, **({"style": style} if style else {})},) if kept else ()


def sentence(text: str, most: int = SENTENCE) -> Words:
    """A sentence of ours, in which `backticks` hold what can be typed, and instants are spelt out in UTC."""
    parts = _CODE.split(cut(text, most))
    return tuple(
        element
        for at, part in enumerate(parts)
        for element in (words(part, code=True, most=most) if at % 2 else dated(part, most))
    )


def dated(text: str, most: int = SENTENCE) -> Words:
    """Text within a line of rich text, whose instants every reader sees in their own zone."""
    return tuple(
        element
        for part in times.parts(text)
        for element in (words(part, most=most) if isinstance(part, str) else (times.element(part),))
    )


def rich(*lines: Words) -> Block:
    """Paragraphs of rich text."""
    return {"type": "rich_text", "elements": [_line(line) for line in lines if line]}


def bullets(lines: Iterable[Words]) -> Block:
    listed = {"type": "rich_text_list", "style": "bullet", "elements": [_line(line) for line in lines if line]}
    return {"type": "rich_text", "elements": [listed]}


def code(lines: Sequence[str], most: int = 2500) -> Block:
    """Lines to copy, exactly as they are, without control characters."""
    shown = [clean(line, 1000) for line in lines[:MOST_LINES]] + ["…"] * (len(lines) > MOST_LINES)
    return preformatted(cut("\n".join(shown), most))


def preformatted(text: str) -> Block:
    """Text with lines and columns of its own, cleaned already."""
    inside = [{"type": "text", "text": text or EMPTY}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": inside}]}


def task(number: int, title: str, status: str, detail: str = "") -> Block:
    """`status` is pending, in_progress, complete or error."""
    made: Block = {"type": "task_card", "task_id": f"task-{number}", "title": clean(title, 200) or EMPTY}
    return {**made, "status": status, **({"details": rich(sentence(detail))} if detail else {})}


def tasks(title: str, listed: Sequence[Block]) -> Block:
    return {"type": "plan", "title": clean(title, 200) or EMPTY, "tasks": list(listed)}


def button(action: str, text: str, value: str, style: str = "", confirm: Block | None = None) -> Block:
    made: Block = {"type": "button", "action_id": action, "text": plain(text, BUTTON), "value": value}
    more = {"style": style, "confirm": confirm}
    return {**made, **{name: said for name, said in more.items() if said}}


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    return {"title": plain(title, 100), "text": plain(text, 300), "confirm": plain(yes, 30), "deny": plain(no, 30)}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def weight(part: Any) -> int:
    """Characters that a reader may see, counted generously."""
    if isinstance(part, str):
        return len(part)
    if isinstance(part, dict):
        return sum(weight(value) for name, value in part.items() if name not in _UNSEEN)
    return sum(weight(item) for item in part) if isinstance(part, list | tuple) else 0


def fitted(body: Sequence[Block], foot: Sequence[Block], rest: str) -> tuple[Block, ...]:
    """As much of the body as fits above the foot; when some does not, the sentence `rest` says how to see it."""
    left, count = BUDGET - sum(map(weight, foot)) - len(rest), MOST_BLOCKS - len(foot) - 1
    kept: list[Block] = []
    for block in body:
        if weight(block) > left or len(kept) >= count:
            return (*kept, rich(sentence(rest)), *foot)
        kept.append(block)
        left -= weight(block)
    return (*kept, *foot)


def _line(line: Words) -> Block:
    return {"type": "rich_text_section", "elements": list(line)}
