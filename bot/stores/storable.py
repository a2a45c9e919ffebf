"""Text that every database can hold, and every one holds the same.

PostgreSQL has no U+0000 in a text, and cannot look into a JSON that has one; half a character (a lone surrogate) is no
UTF-8 anywhere. People cannot type either; what a cloud or a chat says may have both.
"""

import json
import re
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

NULL, HALF = "\u2400", "\ufffd"  # what is shown in their place
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MAY_BE = re.compile("\\\\u0000|\\\\ud[89a-f]|[\ud800-\udfff]")  # the same in JSON, and a few innocent ones


def storable(value: JsonValue) -> JsonValue:
    """The same with other characters for those that cannot be stored, in keys too."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {text(name): storable(one) for name, one in value.items()}
    return value


def text(value: str) -> str:
    """One text."""
    return _UNSTORABLE.sub(lambda found: NULL if found[0] == "\x00" else HALF, value)


def dumps(value: JsonValue, **how: Any) -> str:
    """As JSON, for columns of it; `how` is as for json.dumps. Almost nothing has anything to replace."""
    made = json.dumps(value, **how)
    return json.dumps(storable(value), **how) if _MAY_BE.search(made) else made


class Words(TypeDecorator[str]):
    """Any text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return text(value) if value else value
