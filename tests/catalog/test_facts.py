"""The files of catalog/ carry what the systems' own documents say, and nothing that neither they nor we account for."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bot.core.units import DURATION, seconds_of
from bot.stores.catalog_files import load_catalog
from bot.stores.remarks import remarks
from bot.stores.yaml_file import Place, YamlFile, dotted

FOLDER = Path(__file__).parents[2] / "catalog"
CATALOG = load_catalog(FOLDER)
DUMPS = {name: system.model_dump(mode="json", by_alias=True) for name, system in CATALOG.systems.items()}

# Fields that arrange what is there, and say nothing that a document could
OURS = {
    "system", "title", "about", "tier", "needs", "runbook", "stage", "service", "environment", "default_environment",
    "metric", "twin_of", "planned", "type",
}  # fmt: skip
ASIDE = {"aisq"}  # no document speaks of it


class Fact(NamedTuple):
    """`field` of a system has `value`, as line `line` of a document says."""

    system: str
    field: str
    value: Any
    source: str

    def __str__(self) -> str:
        return f"{self.system}: {self.field} ({self.source})"


def facts() -> list[Fact]:
    groups = YAML(typ="safe").load(Path(__file__).with_name("facts.yaml"))
    return [
        Fact(group["system"], f"{group['at']}.{field}".strip("."), value, f"{group['document']}:{line}")
        for group in groups
        for field, value, line in group["facts"]
    ]


FACTS = facts()


def below(node: Any, field: str) -> Any:
    for part in field.split("."):
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def same(found: Any, said: Any) -> bool:
    """Of a mapping only what is said counts; durations are equal however they are written."""
    if isinstance(said, dict):
        return isinstance(found, dict) and all(key in found and same(found[key], said[key]) for key in said)
    if isinstance(said, list):
        return len(found) >= len(said) and all(same(*pair) for pair in zip(found, said, strict=False))
    if isinstance(said, str) and isinstance(found, str) and is_duration(said) and is_duration(found):
        return seconds_of(found) == seconds_of(said)
    return bool(found == said) and isinstance(found, bool) == isinstance(said, bool)


def is_duration(text: str) -> bool:
    return re.fullmatch(DURATION, text) is not None


@pytest.mark.parametrize("fact", FACTS, ids=str)
def test_the_catalog_says_what_the_document_says(fact: Fact) -> None:
    found = below(DUMPS[fact.system], fact.field)
    assert same(found, fact.value), f"{fact.source} says {fact.value!r}, the catalog {found!r}"


def test_all_five_documents_are_covered() -> None:
    lines = Counter(fact.source.partition(":")[0] for fact in FACTS)
    assert set(lines) == {"000", "001", "002", "003", "004"}
    assert sum(lines.values()) >= 350 and min(lines.values()) >= 30


def leaves(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(node, CommentedMap | dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*place, key))
    elif isinstance(node, CommentedSeq | list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*place, index))
    else:
        yield place, node


def unaccounted(system: str) -> list[str]:
    """Values that no fact, no `# assumed` and no arrangement of ours accounts for."""
    file = YamlFile(FOLDER / f"{system}.yaml")
    facts = [fact for fact in FACTS if fact.system == system]
    said = {file.line((*parts(fact.field), *place)) for fact in facts for place, _ in leaves(fact.value)}
    assumed = {file.line(remark.place) for remark in remarks(file) if remark.kind == "assumed"}
    return sorted(
        dotted(place)
        for place, _ in leaves(file.data)
        if not OURS & set(place)
        and file.line(place) not in said
        and not {file.line(place[:depth]) for depth in range(1, len(place) + 1)} & assumed
    )


def parts(field: str) -> Place:
    return tuple(int(part) if part.isdigit() else part for part in field.split("."))


@pytest.mark.parametrize("system", sorted(set(CATALOG.systems) - ASIDE))
def test_every_value_is_a_fact_or_is_marked_as_assumed(system: str) -> None:
    assert unaccounted(system) == []
