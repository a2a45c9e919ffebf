"""The comments of a catalog file that people must see: what was assumed, and where the sources contradict."""

import re
from typing import Literal, NamedTuple

from bot.stores.yaml_file import Place, YamlFile, dotted

REMARK = re.compile(r"#\s*(assumed|conflict)\b(?::\s*(.*))?$")


class Remark(NamedTuple):
    """One comment, and what stands on its line."""

    file: str
    line: int
    place: Place
    kind: Literal["assumed", "conflict"]
    written: str  # the line without the comment
    text: str

    @property
    def field(self) -> str:
        return dotted(self.place)


def remarks(file: YamlFile) -> tuple[Remark, ...]:
    """In the order of the file."""
    outer = _outermost(file)
    found = []
    for line, text in enumerate(file.text.splitlines(), 1):
        if (match := REMARK.search(text)) and line in outer:
            kind: Literal["assumed", "conflict"] = "conflict" if match[1] == "conflict" else "assumed"
            written = text[: match.start()].strip().removeprefix("- ")
            found.append(Remark(file.name, line, outer[line], kind, written, match[2] or ""))
    return tuple(found)


def _outermost(file: YamlFile) -> dict[int, Place]:
    """For every line the first and leftmost thing on it."""
    found: dict[int, tuple[int, Place]] = {}
    for place, line, column in file.places():
        if line not in found or column < found[line][0]:
            found[line] = (column, place)
    return {line: place for line, (_, place) in found.items()}
