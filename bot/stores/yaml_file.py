"""YAML 1.2 files of ours: read with positions, and checked against a model, every mistake with file and line."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.core.errors import ConfigError, ConfigErrors
from bot.stores.sentences import sentence

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]


class YamlFile:
    """One file whose content is a mapping. `name` is how errors call it. Raises ConfigError when it cannot be read."""

    def __init__(self, path: Path, name: str = "") -> None:
        self.name = name or str(path)
        self.text = _read(path, self.name)

    @cached_property
    def data(self) -> CommentedMap:
        """The content with its positions, which take twice as long to read. Raises ConfigError when it is not YAML."""
        found: CommentedMap = _parse(self.text, self.name, "rt")
        return found

    def model(self, model: type[M]) -> M:
        """The content as `model`. Raises ConfigError when it is not YAML, else ConfigErrors with every mistake."""
        try:
            return model.model_validate_json(_as_json(self.text, self.name), strict=True)
        except ValidationError as error:
            raise ConfigErrors(tuple(self._mistakes(error, model.model_json_schema()))) from None

    def error(self, place: Place, problem: str) -> ConfigError:
        """A mistake at a place of the file; what does not exist is shown where its parent begins."""
        found = self.found(place)
        return ConfigError(problem, file=self.name, line=self.line(found), field=dotted(found))

    def line(self, place: Place) -> int:
        """Counted from 1; a part that does not stand in the file has its parent's line."""
        node, line = self.data, 1
        for part in place:
            line = _position(node, part)[0] or line
            node = _child(node, part)
        return line

    def found(self, place: Place) -> Place:
        """`place` without the parts that stand for a model and not for something in the file."""
        node, kept = self.data, list[str | int]()
        for at, part in enumerate(place):
            if _child(node, part) is not None or (isinstance(node, CommentedMap) and at == len(place) - 1):
                kept.append(part)
                node = _child(node, part)
        return tuple(kept)

    def places(self) -> Iterator[tuple[Place, int, int]]:
        """Every key and item with line and column, from the outside in."""
        yield from _places(self.data, ())

    def _mistakes(self, error: ValidationError, schema: dict[str, Any]) -> Iterator[ConfigError]:
        for one in error.errors(include_url=False):
            place = tuple(part for part in one["loc"] if part != "[key]")
            yield self.error(place, sentence(one, schema))


def load(path: Path, model: type[M]) -> M:
    """A file as `model`. Raises ConfigError, or ConfigErrors with every mistake."""
    return YamlFile(path).model(model)


def dotted(place: Place) -> str:
    """environments.prod.services.db"""
    return ".".join(str(part) for part in place)


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=name) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 (byte {error.start})", file=name) from None


def _as_json(text: str, name: str) -> str:
    try:
        return json.dumps(_parse(text, name, "safe"), default=str)
    except TypeError:
        raise ConfigError("a list or a mapping cannot be a name", file=name) from None
    except ValueError:
        raise ConfigError("an alias stands within what it repeats", file=name) from None


def _parse(text: str, name: str, how: Literal["safe", "rt"]) -> Any:
    """YAML 1.2: a key twice is a mistake, and only `true` and `false` are booleans."""
    if text.startswith("%"):
        raise ConfigError("leave out the % line: these files are YAML 1.2", file=name, line=1)
    try:
        data = YAML(typ=how, pure=True).load(text)
    except DuplicateKeyError as error:
        key = re.search(r'"(.*?)"', str(error.problem))
        raise ConfigError(f"{key[1] if key else 'a key'} stands here twice", file=name, line=_mark(error)) from None
    except MarkedYAMLError as error:
        raise ConfigError(f"is not YAML here: {error.problem or error.context}", file=name, line=_mark(error)) from None
    except YAMLError as error:
        raise ConfigError(f"is not YAML: {str(error).splitlines()[0]}", file=name) from None
    if not isinstance(data, dict):
        raise ConfigError("is empty" if data is None else "must be fields and their values", file=name)
    return data


def _mark(error: MarkedYAMLError) -> int:
    return error.problem_mark.line + 1 if error.problem_mark else 0


def _child(node: Any, part: str | int) -> Any:
    try:
        return node[part] if isinstance(node, CommentedMap | CommentedSeq) else None
    except (KeyError, IndexError, TypeError):
        return None


def _position(node: Any, part: str | int) -> tuple[int, int]:
    """Line and column, both from 1, of a key or item; of a merged key, those in its anchor. 0 when it is missing."""
    if not isinstance(node, CommentedMap | CommentedSeq):
        return 0, 0
    if found := (node.lc.data or {}).get(part):
        return found[0] + 1, found[1] + 1
    merged = (_position(source, part) for source in getattr(node, "merge", ()))
    return next((place for place in merged if place[0]), (0, 0))


def _places(node: Any, above: Place) -> Iterator[tuple[Place, int, int]]:
    for key in _keys(node):
        line, column = _position(node, key)
        yield (*above, key), line, column
        yield from _places(node[key], (*above, key))


def _keys(node: Any) -> Iterable[str | int]:
    if isinstance(node, CommentedMap):
        return list(node)
    return range(len(node)) if isinstance(node, CommentedSeq) else ()
