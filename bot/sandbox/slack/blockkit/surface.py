"""Checks whole surfaces: the blocks of a message, a modal, an App Home."""

from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack import limits
from bot.sandbox.slack.blockkit.meaning import MEANINGS
from bot.sandbox.slack.blockkit.problems import Pointer, Problem, Problems
from bot.sandbox.slack.blockkit.rules import check, check_fields
from bot.sandbox.slack.blockkit.schema import SCHEMA

MESSAGE_RULE = {"list": {"menu": "message_blocks"}, "max": limits.MESSAGE_BLOCKS}


def message_problems(blocks: Any, at: Pointer = "/blocks") -> list[Problem]:
    """What Slack refuses about the blocks of a message."""
    problems = Problems()
    check(blocks, MESSAGE_RULE, at, problems)
    return _completed(blocks, at, problems)


def view_problems(view: Any, at: Pointer = "/view") -> list[Problem]:
    """What Slack refuses about a modal or an App Home."""
    problems = Problems()
    if not isinstance(view, dict):
        problems.add("must provide an object", at, "type", "object")
        return problems.found
    fields = SCHEMA.views.get(str(view.get("type")))
    if fields is None:
        problems.add(f"unsupported type: {view.get('type')}", f"{at}/type", "enum", sorted(SCHEMA.views))
        return problems.found
    check_fields(view, fields, {"type"}, at, problems)
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or [])
    if view["type"] == "modal" and has_input and not view.get("submit"):
        problems.add("missing required field: submit", at, "required_field")
    return _completed(view.get("blocks"), f"{at}/blocks", problems)


def _completed(blocks: Any, at: Pointer, problems: Problems) -> list[Problem]:
    """The rest of the checks, which need parts that are well formed."""
    if not problems:
        for part, pointer in parts(blocks, at):
            if meaning := MEANINGS.get(str(part.get("type"))):
                meaning(part, pointer, problems)
        _identifiers(blocks, at, problems)
        _totals(blocks, at, problems)
    return problems.found


def parts(value: Any, at: Pointer) -> Iterator[tuple[dict[str, Any], Pointer]]:
    """Every object inside a value, with its pointer."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from parts(item, f"{at}/{number}")
    elif isinstance(value, dict):
        yield value, at
        for name, item in value.items():
            yield from parts(item, f"{at}/{name}")


def _identifiers(blocks: list[Any], at: Pointer, problems: Problems) -> None:
    """block_id is unique in a surface, action_id in a block; both are up to 255 characters."""
    _unique("block_id", [(block, f"{at}/{number}") for number, block in enumerate(blocks)], problems)
    for number, block in enumerate(blocks):
        _unique("action_id", list(parts(block, f"{at}/{number}")), problems)


def _unique(name: str, found: list[tuple[dict[str, Any], Pointer]], problems: Problems) -> None:
    seen: set[str] = set()
    for part, pointer in found:
        if name not in part:
            continue
        check(part[name], {"string": 255}, f"{pointer}/{name}", problems)
        if str(part[name]) in seen:
            problems.add(f"`{name}` {part[name]!r} already exists", f"{pointer}/{name}", "unique")
        seen.add(str(part[name]))


def _totals(blocks: list[Any], at: Pointer, problems: Problems) -> None:
    kinds = [block["type"] for block in blocks]
    if kinds.count("data_visualization") > limits.CHARTS:
        problems.add(f"no more than {limits.CHARTS} data_visualization blocks allowed", at, "max_items", limits.CHARTS)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > limits.MARKDOWN_TOTAL:
        problems.add(f"markdown must be less than {limits.MARKDOWN_TOTAL + 1} characters in all", at, "max_length")


def option_problems(answer: Any, at: Pointer = "") -> list[Problem]:
    """What Slack refuses about an app's answer with the options of an external menu: `options` or `option_groups`."""
    problems = Problems()
    check(answer, {"part": "suggestions"}, at, problems)
    if not problems and ("options" in answer) == ("option_groups" in answer):
        problems.add("must provide exactly one of options or option_groups", at, "exactly_one")
    return problems.found
