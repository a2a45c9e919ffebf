"""Slack messages as lines of plain text: how the town shows a card where there is no Slack to draw it."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def lines(message: Json) -> list[str]:
    """What a person reads, top to bottom; the message's own text when it has no blocks."""
    found = [line for block in message.get("blocks") or [] for line in _block(block)]
    return found or str(message.get("text", "")).splitlines()


def buttons(message: Json) -> dict[str, str]:
    """The buttons that can be clicked: action id to label."""
    elements = [one for block in message.get("blocks") or [] for one in block.get("elements", [])]
    return {one["action_id"]: one["text"]["text"] for one in elements if one.get("type") == "button"}


def _block(block: Json) -> Iterator[str]:
    kind = block.get("type")
    if kind == "divider":
        yield "─" * 40
    elif kind == "actions":
        yield "  ".join(f"[ {one['text']['text']} ]" for one in block["elements"] if one.get("type") == "button")
    elif kind == "table":
        yield from ("  ".join(_inline(cell).strip() for cell in row) for row in block["rows"])
    elif kind == "plan":
        yield str(block.get("title", ""))
        yield from (line for task in block.get("tasks", []) for line in _block(task))
    elif kind == "task_card":
        marks = {"complete": "✔", "in_progress": "▶", "error": "✘"}
        yield f"{marks.get(block.get('status', ''), '·')} {_inline(block.get('title', ''))}"
    else:
        yield from _inline(block).splitlines()


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
    shown = [part[name] for name in ("text", "fields", "elements") if name in part]
    separator = "\n" if part.get("type") in ("section", "context", "rich_text") else ""
    return separator.join(_inline(one) for one in shown) + (
        "\n" if part.get("type", "").startswith("rich_text_") else ""
    )


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
