"""Reads schema.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Rule = dict[str, Any]
Fields = dict[str, tuple[Rule, bool]]


@dataclass(frozen=True)
class Schema:
    """`typed`: blocks and elements by name, `objects`: parts without a type; each field is (rule, is required)."""

    menus: dict[str, list[str]]
    views: dict[str, Fields]
    blocks: frozenset[str]
    interactive: frozenset[str]
    typed: dict[str, Fields]
    objects: dict[str, Fields]

    longest_text = 3_000

    @staticmethod
    def kind(name: str) -> str:
        """The `type` of a part; the image block and the image element share theirs."""
        return "image" if name == "image_block" else name

    def shared(self, name: str) -> set[str]:
        """The fields that a part has beside its own."""
        extra = {"block_id"} if name in self.blocks else set()
        return extra | ({"action_id"} if name in self.interactive else set()) | {"type"}


def _rule(raw: Any) -> Rule:
    if isinstance(raw, str):
        return {raw: None}
    if "list" in raw:
        return {**raw, "list": _rule(raw["list"])}
    return dict(raw)


def _fields(raw: dict[str, Any]) -> Fields:
    return {name.rstrip("!"): (_rule(rule), name.endswith("!")) for name, rule in raw.items()}


def _menus(raw: dict[str, list[str]]) -> dict[str, list[str]]:
    """The menus with every `+other` replaced by that menu's own entries."""
    return {
        name: [part for entry in entries for part in (raw[entry[1:]] if entry.startswith("+") else [entry])]
        for name, entries in raw.items()
    }


def load(path: Path) -> Schema:
    """The schema in a file of the shape of schema.yaml."""
    raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    typed = {name: _fields(fields) for kind in ("blocks", "elements") for name, fields in raw[kind].items()}
    return Schema(
        _menus(raw["menus"]),
        {name: _fields(fields) for name, fields in raw["views"].items()},
        frozenset(raw["blocks"]),
        frozenset(raw["interactive"]),
        typed,
        {name: _fields(fields) for name, fields in raw["objects"].items()},
    )


SCHEMA = load(Path(__file__).with_name("schema.yaml"))
