"""Finds what a person can use in blocks: buttons, menus, inputs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.state import Json


@dataclass(frozen=True)
class Element:
    """An interactive element and the block that holds it."""

    block: Json
    body: Json

    @property
    def action_id(self) -> str:
        return str(self.body["action_id"])

    @property
    def block_id(self) -> str:
        return str(self.block["block_id"])

    @property
    def kind(self) -> str:
        return str(self.body["type"])


def interactive(blocks: list[Json]) -> list[Element]:
    """All elements with an action_id, in the order of the screen."""
    return [Element(block, body) for block in blocks for body in _inside(block)]


def _inside(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for item in value:
            yield from _inside(item)
    elif isinstance(value, dict):
        if "action_id" in value:
            yield value
        for item in value.values():
            yield from _inside(item)
