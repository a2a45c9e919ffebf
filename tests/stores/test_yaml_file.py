"""Files of ours, and every way in which they are wrong."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, StrictBool, Tag
from ruamel.yaml import YAML

from bot.core.errors import ConfigError, ConfigErrors
from bot.core.units import Duration, Model, Name
from bot.stores.sentences import fields_at
from bot.stores.yaml_file import YamlFile, load

CASES = YAML(typ="safe").load(Path(__file__).with_name("yaml_faults.yaml").read_text(encoding="utf-8"))["cases"]


class Part(Model):
    size: int = Field(ge=1)
    tall: StrictBool = False


class Ball(Model):
    type: Literal["ball"]
    radius: int = 1
    edges: int = 0


class Cube(Model):
    type: Literal["cube"]
    edge: int = 1


def kind_of(value: Any) -> str:
    return str(value.get("type", ""))


class Shop(Model):
    name: str
    kind: Literal["shop", "stall"] = "shop"
    size: int = Field(1, ge=1)
    share: float = Field(1, le=1)
    ratio: float = Field(0, lt=1)
    loss: float = Field(1, gt=0)
    wide: StrictBool = False
    lasts: Duration = timedelta(0)
    path: str = Field("/", pattern="^/")
    parts: dict[Name, Part] = Field({})
    some: dict[str, int] = Field({"a": 1}, min_length=1)
    list: tuple[Part, ...] = ()
    thing: Annotated[Ball | Cube, Field(discriminator="type")] | None = None


class Tagged(Shop):
    """With a tag that the model's own function finds, as the catalog does."""

    thing: (
        Annotated[
            Annotated[Ball, Tag("ball")] | Annotated[Cube, Tag("cube")],
            Discriminator(kind_of),
        ]
        | None
    ) = None


def file(folder: Path, text: str) -> Path:
    path = folder / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_every_mistake_is_a_sentence_with_file_line_and_field(case: dict[str, Any], tmp_path: Path) -> None:
    path = file(tmp_path, case["text"])
    with pytest.raises(ConfigError) as caught:
        load(path, Tagged)
    assert str(caught.value).replace(str(path), "FILE").splitlines() == case["says"]


def test_the_errors_are_there_one_by_one(tmp_path: Path) -> None:
    path = file(tmp_path, "size: 0\nwide: no\n")
    with pytest.raises(ConfigErrors) as caught:
        load(path, Shop)
    assert [(e.line, e.field) for e in caught.value.errors] == [(1, "name"), (1, "size"), (2, "wide")]
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(path), 1, "name")
    assert caught.value.problem == "is missing"


def test_what_is_right_is_a_model(tmp_path: Path) -> None:
    text = (
        "name: Läden ☂\nwide: true\nlasts: 15m\nlist: [{size: 2}, {size: 3, tall: true}]\n"
        "parts:\n  one: &one {size: 4}\n  two: {<<: *one, tall: true}\n  three: *one\nthing: {type: cube, edge: 2}\n"
    )
    shop = load(file(tmp_path, text), Tagged)
    assert (shop.name, shop.wide, shop.lasts) == ("Läden ☂", True, timedelta(minutes=15))
    assert [part.size for part in shop.list] == [2, 3]
    assert [(part.size, part.tall) for part in shop.parts.values()] == [(4, False), (4, True), (4, False)]
    assert shop.thing == Cube(type="cube", edge=2)


class Values(BaseModel):
    """Words that older YAML takes for something else."""

    values: dict[str, str | int | float | bool | None]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("true", True), ("false", False),
        ("03:00", "03:00"), ("13:00", "13:00"), ("1:30:00", "1:30:00"), ("010", 10), ("0o10", 8), ("1.20", 1.2),
        ("null", None), ("~", None), ('"true"', "true"), ("NO", "NO"), ("2025-01-18", "2025-01-18"),
        ("2025-01-18T10:00:00Z", "2025-01-18 10:00:00+00:00"), ("1_000", 1000), ("v1.0", "v1.0"),
    ],
)  # fmt: skip
def test_values_are_those_of_yaml_1_2(written: str, value: object, tmp_path: Path) -> None:
    read = load(file(tmp_path, f"values: {{a: {written}}}\n"), Values).values["a"]
    assert (read, type(read)) == (value, type(value))


def test_keys_that_are_not_words_are_read_as_text(tmp_path: Path) -> None:
    path = file(tmp_path, "values:\n  1: a\n  on: c\n  null: d\n")
    assert list(load(path, Values).values) == ["1", "on", "null"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file"):
        YamlFile(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        YamlFile(tmp_path)


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin.yaml: is not UTF-8 \(byte 9\)"):
        YamlFile(path)


def test_a_list_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a list or a mapping cannot be a name"):
        load(file(tmp_path, "values:\n  ? [x, y]\n  : d\n"), Values)


def test_an_alias_does_not_stand_within_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="an alias stands within what it repeats"):
        load(file(tmp_path, "name: a\nparts:\n  a: &a\n    b: *a\n"), Shop)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("name",), 1),
        (("parts",), 2),
        (("parts", "one"), 3),
        (("parts", "one", "size"), 4),
        (("parts", "one", "missing"), 3),
        (("list", 1), 7),
        (("list", 1, "tall"), 8),
        (("list", 9), 5),
        (("none", "deeper"), 1),
        (("name", "deeper"), 1),
        ((), 1),
    ],
)
def test_a_place_has_a_line(place: tuple[str | int, ...], line: int, tmp_path: Path) -> None:
    text = "name: a\nparts:\n  one:\n    size: 1\nlist:\n  - size: 1\n  - size: 2\n    tall: true\n"
    assert YamlFile(file(tmp_path, text)).line(place) == line


def test_places_are_given_with_line_and_column(tmp_path: Path) -> None:
    found = list(YamlFile(file(tmp_path, "a: {b: 1}\nc:\n  - d: 2\n")).places())
    assert found == [
        (("a",), 1, 1),
        (("a", "b"), 1, 5),
        (("c",), 2, 1),
        (("c", 0), 3, 5),
        (("c", 0, "d"), 3, 5),
    ]


def test_the_fields_of_a_place_come_from_the_schema() -> None:
    schema = Tagged.model_json_schema()
    assert "parts" in fields_at(schema, ())
    assert fields_at(schema, ("parts", "any")) == ["size", "tall"]
    assert fields_at(schema, ("list", 0)) == ["size", "tall"]
    assert fields_at(schema, ("thing", "ball")) == ["edges", "radius", "type"]
    assert fields_at(schema, ("thing",)) == ["edge", "edges", "radius", "type"]
    assert fields_at(schema, ("name", "deeper")) == []
