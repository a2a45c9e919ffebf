"""The rules that schema.yaml is written in: each checks one value and says what is wrong with it."""

import re
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.blockkit.problems import Pointer, Problems
from bot.sandbox.slack.blockkit.schema import SCHEMA, Fields, Rule

Check = Callable[[Any, Any, Rule, Pointer, Problems], None]


def check(value: Any, rule: Rule, at: Pointer, problems: Problems) -> None:
    """Hold a value against a rule of the schema."""
    name = next(key for key in rule if key in RULES)
    RULES[name](value, rule[name], rule, at, problems)


def check_fields(value: dict[str, Any], fields: Fields, known: set[str], at: Pointer, problems: Problems) -> None:
    """Hold an object against its fields; `known` are further fields that it may have."""
    for name, (rule, is_required) in fields.items():
        if value.get(name) is not None:
            check(value[name], rule, f"{at}/{name}", problems)
        elif is_required:
            problems.add(f"missing required field: {name}", at, "required_field")
    for name in value.keys() - fields.keys() - known:
        problems.add(f"invalid additional property: {name}", at, "additional_property")


def _length(text: str, least: int, most: int, at: Pointer, problems: Problems) -> None:
    if len(text) > most:
        problems.add(f"must be less than {most + 1} characters", at, "max_length", most)
    if len(text) < least:
        problems.add(f"must be more than {least - 1} characters", at, "min_length", least)


def _string(value: Any, bounds: Any, rule: Rule, at: Pointer, problems: Problems) -> None:
    least, most = bounds if isinstance(bounds, list) else (1, bounds)
    if isinstance(value, str):
        _length(value, least, most, at, problems)
    else:
        problems.add("must provide a string", at, "type", "string")


def _match(value: Any, pattern: str, rule: Rule, at: Pointer, problems: Problems) -> None:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        problems.add("must be a valid value", at, "format", pattern)


def _enum(value: Any, allowed: list[str], rule: Rule, at: Pointer, problems: Problems) -> None:
    if value not in allowed:
        problems.add("must be a valid enum value", at, "enum", allowed)


def _bool(value: Any, argument: Any, rule: Rule, at: Pointer, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must provide a boolean", at, "type", "boolean")


def _number(value: Any, argument: Any, rule: Rule, at: Pointer, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add("must provide a number", at, "type", "number")


def _int(value: Any, bounds: list[int], rule: Rule, at: Pointer, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        problems.add("must provide an integer", at, "type", "integer")
    elif not bounds[0] <= value <= bounds[1]:
        problems.add(f"must be between {bounds[0]} and {bounds[1]}", at, "range", bounds)


def _map(value: Any, argument: Any, rule: Rule, at: Pointer, problems: Problems) -> None:
    if not isinstance(value, dict):
        problems.add("must provide an object", at, "type", "object")


def _list(value: Any, item: Rule, rule: Rule, at: Pointer, problems: Problems) -> None:
    if not isinstance(value, list):
        problems.add("must provide an array", at, "type", "array")
        return
    if len(value) > rule["max"]:
        problems.add(f"no more than {rule['max']} items allowed", at, "max_items", rule["max"])
    if len(value) < rule.get("min", 0):
        problems.add(f"no fewer than {rule['min']} items allowed", at, "min_items", rule["min"])
    for number, entry in enumerate(value):
        check(entry, item, f"{at}/{number}", problems)


def _part(value: Any, name: str, rule: Rule, at: Pointer, problems: Problems) -> None:
    if isinstance(value, dict):
        check_fields(value, SCHEMA.objects[name], set(), at, problems)
    else:
        _map(value, None, rule, at, problems)


def _one_of(value: Any, names: list[str], rule: Rule, at: Pointer, problems: Problems) -> None:
    if not isinstance(value, dict):
        problems.add("must provide an object", at, "type", "object")
        return
    kind = value.get("type")
    if kind is None:
        problems.add("missing required field: type", at, "required_field")
        return
    name = next((name for name in names if SCHEMA.kind(name) == kind), None)
    if name is None:
        allowed = [SCHEMA.kind(name) for name in names]
        problems.add(f"unsupported type: {kind}", f"{at}/type", "enum", allowed)
    else:
        check_fields(value, SCHEMA.typed[name], SCHEMA.shared(name), at, problems)


def _menu(value: Any, name: str, rule: Rule, at: Pointer, problems: Problems) -> None:
    _one_of(value, SCHEMA.menus[name], rule, at, problems)


def _text_object(*kinds: str) -> Check:
    """A rule for a text object of one of these types, up to so many characters."""

    def run(value: Any, most: int, rule: Rule, at: Pointer, problems: Problems) -> None:
        inner = Problems()
        _one_of(value, list(kinds), rule, at, inner)
        text = value.get("text") if isinstance(value, dict) else None
        if isinstance(text, str) and most < len(text) <= SCHEMA.longest_text:
            _length(text, 1, most, f"{at}/text", inner)
        if inner and len(kinds) > 1:
            problems.add("failed to match all allowed schemas", at, "schema")
        problems.found += inner.found

    return run


RULES: dict[str, Check] = {
    "string": _string,
    "match": _match,
    "enum": _enum,
    "bool": _bool,
    "number": _number,
    "int": _int,
    "map": _map,
    "list": _list,
    "part": _part,
    "one_of": _one_of,
    "menu": _menu,
    "plain": _text_object("plain_text"),
    "mrkdwn": _text_object("mrkdwn"),
    "text": _text_object("plain_text", "mrkdwn"),
}
