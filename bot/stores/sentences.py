"""What pydantic found wrong, as a plain sentence that says what to write instead."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import ErrorDetails

from bot.core.units import hint

Schema = dict[str, Any]
LONGEST = 40  # characters of a value that a sentence repeats
SAID = {
    "missing": "is missing",
    "bool_type": "write true or false, not {input}",
    "string_type": 'write text in quotes, such as "15", not {input}',
    "int_type": "write a whole number, not {input}",
    "int_from_float": "write a whole number, not {input}",
    "float_type": "write a number, not {input}",
    "model_type": "write fields and their values, not {input}",
    "dict_type": "write names and their values, not {input}",
    "tuple_type": "write a list, such as [one, two], not {input}",
    "greater_than": "write a number above {gt:g}, not {input}",
    "greater_than_equal": "write a number of at least {ge:g}, not {input}",
    "less_than": "write a number below {lt:g}, not {input}",
    "less_than_equal": "write a number of at most {le:g}, not {input}",
    "string_pattern_mismatch": "{input} does not have the form {pattern}",
    "string_too_long": "write at most {max_length} characters",
    "too_short": "write at least one",
}


def sentence(detail: ErrorDetails, schema: Schema) -> str:
    """One mistake; `schema` is the JSON Schema of the whole, for the names that would have been right."""
    kind, context, found = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return f"there is no such field{hint(name, fields_at(schema, detail['loc'][:-1]))}"
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return _no_type(str(context["tag"]), tags)
    if kind == "literal_error":
        wanted = str(context["expected"])
        words = re.findall(r"'(.*?)'", wanted)
        return f"write {wanted}, not {shown(found)}{hint(str(found), words)}"
    if kind in SAID:
        return SAID[kind].format(input=shown(found), **context)
    return detail["msg"].removeprefix("Value error, ").replace("Input should", "this should")


def _no_type(tag: str, tags: list[str]) -> str:
    shipped = [one for one in tags if not one.startswith("other")]
    if not tag:
        return f"`type` is missing: {', '.join(shipped)}"
    own = "; a type of your own also needs `kind`, `cloud` and `place`"
    return f"no type `{tag}`{hint(tag, shipped) or own}"


def shown(value: Any) -> str:
    """A value as the file could have it, at most a few words of it."""
    text = "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text[:LONGEST]}…`" if len(text) > LONGEST else f"`{text}`"


def fields_at(schema: Schema, place: Iterable[str | int]) -> list[str]:
    """The fields that may stand at a place of the file."""
    nodes = [schema]
    for part in place:
        nodes = [found for node in nodes for whole in _variants(node, schema) for found in _below(whole, part)]
    return sorted({name for node in nodes for one in _variants(node, schema) for name in one.get("properties", {})})


def _variants(node: Schema, schema: Schema) -> Iterator[Schema]:
    """The object schemas that a schema stands for."""
    if "$ref" in node:
        yield from _variants(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    for several in ("anyOf", "oneOf", "allOf"):
        for one in node.get(several, []):
            yield from _variants(one, schema)
    yield node


def _below(node: Schema, part: str | int) -> Iterator[Schema]:
    """One step down: into a field, a named value, an item; or on to the model that `part` names."""
    fields = node.get("properties", {})
    if part in fields:
        yield fields[part]
    elif fields.get("type", {}).get("const") == part:
        yield node
    else:
        named = [*node.get("patternProperties", {}).values(), node.get("additionalProperties"), node.get("items")]
        yield from (one for one in named if isinstance(one, dict))
