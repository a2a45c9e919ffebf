"""What blocks stand on: a message, a modal or an App Home; it knows the ids and names of its controls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.page.reader import Reader

Json = dict[str, Any]


@dataclass(frozen=True)
class Surface:
    """`key` begins all ids; `entered` is Slack's state.values, `errors` sentences by block_id.

    `people` and `channels` are what pickers offer: (id, name).
    """

    key: str
    reader: Reader = field(default_factory=Reader)
    entered: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[tuple[str, str]] = ()
    channels: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Place:
    """One control on a surface: the block that it stands in, and how many blocks are above it."""

    surface: Surface
    at: int
    block: Json
    element: Json

    @property
    def id(self) -> str:
        """Stays the same while a message is edited, though Slack then gives its blocks new ids."""
        return f"{self.surface.key}-{self.at}-{self.element.get('action_id', '')}"

    @property
    def name(self) -> str:
        return field_name(str(self.block.get("block_id", "")), str(self.element.get("action_id", "")))

    @property
    def state(self) -> Json:
        """What is entered, as Slack has it."""
        values = self.surface.entered.get(self.block.get("block_id", ""), {})
        return dict(values.get(self.element.get("action_id", ""), {}))

    @property
    def error(self) -> str:
        return str(self.surface.errors.get(self.block.get("block_id", ""), ""))

    def press(self, value: Any = None) -> str:
        """What a button sends: which element, and its value, or that the field has it."""
        named = {"action": self.element.get("action_id", ""), "block": self.block.get("block_id", "")}
        return json.dumps(named if value is None else {**named, "value": value}, separators=(",", ":"))


def field_name(block_id: str, action_id: str) -> str:
    """The name of a control in its form."""
    return json.dumps(["field", block_id, action_id], separators=(",", ":"))
