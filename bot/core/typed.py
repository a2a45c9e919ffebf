"""A form and the line that says the same: what was entered becomes parameters, and parameters become a line.

`parse` gives the parameters back that `typed` made the line of.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from bot.core.clocktime import is_written
from bot.core.errors import UserError
from bot.core.operation import Operation, marks
from bot.core.parser import ONLY_OPTION, OPTION, Raw, is_many, normal, option, ordered, shown
from bot.core.text import LONGEST, exact_line, plain, words


def entered(operation: type[Operation], values: Mapping[str, str | bool]) -> Raw:
    """What was entered, as `parse` gives what was typed; what was left empty or as it was is left out.

    Raises UserError, with the field.
    """
    raw: Raw = {}
    for name, value in values.items():
        field = operation.model_fields.get(name)
        if field is None:
            raise UserError(f"`{operation.command()}` has no parameter `{shown(name)}`.")
        said = value if isinstance(value, bool) else _read(name, field, value)
        if said not in ("", []) and said != _usual(field):
            raw[name] = said
    return raw


def _read(name: str, field: FieldInfo, value: str) -> str | list[str]:
    try:
        if marks(field).get("rest"):
            return exact_line(words(value))
        if is_many(field):
            return [part for word in words(value) for part in word.split(",") if part]
        return plain(value).strip()
    except UserError as error:
        raise UserError(str(error), fields={name: str(error)}) from None


def _usual(field: FieldInfo) -> Any:
    """The default as it would be entered; None for none."""
    default = field.default
    return default if isinstance(default, bool) else None if field.is_required() or default is None else str(default)


def typed(operation: type[Operation], raw: Raw, commands: Collection[str] = ()) -> str:
    """The line that says these parameters. `commands` are all that there are: "audit verify" begins with "audit".

    Raises UserError, with the field to shorten, when that would be longer than a line may be.
    """
    head = operation.command()
    writer = _Writer(operation, raw, bare=not any(name.startswith(f"{head} ") for name in commands))
    said = " ".join(part for part in (head, exact_line(writer.words()), writer.rest()) if part)
    if len(said) > LONGEST:
        longest = max(raw, key=lambda name: len(str(raw[name])))
        why = f"Write less: that makes a line of {len(said):,} characters, and at most {LONGEST:,} are kept."
        raise UserError(why, fields={longest: why})
    return said


class _Writer:
    """Writes parameters so that the parser reads the same: without a name only where none can be mistaken."""

    def __init__(self, operation: type[Operation], raw: Raw, *, bare: bool) -> None:
        self._raw = raw
        self._fields = ordered(operation)
        self._options = {option(name) for name, _ in self._fields}
        self._rest = next((name for name, field in self._fields if marks(field).get("rest")), "")
        self._bare = bare

    def words(self) -> Iterator[str]:
        """All but what takes the rest of the line without its name."""
        for name, field in self._fields:
            value = self._raw.get(name)
            if value is not None and not (name == self._rest and self.rest()):
                yield from self._one(name, field, value)

    def rest(self) -> str:
        """What takes the rest of the line, if it can go without its name; it is a line already."""
        said = str(self._raw.get(self._rest) or "")
        return said if said and self._is_next(self._rest) and self._is_plain(words(said)[0]) else ""

    def _one(self, name: str, field: FieldInfo, value: Any) -> Iterator[str]:
        if isinstance(value, bool):
            yield option(name) if value else f"{option(name)}=false"
        elif isinstance(value, list):
            free = self._is_next(name)
            yield from (one if free and not OPTION.match(one) else f"{option(name)}={one}" for one in value)
        elif marks(field).get("positional") and self._is_next(name) and self._is_plain(value):
            yield value
        elif ONLY_OPTION.fullmatch(value) or is_written(f"{value} {self.rest().partition(' ')[0]}"):
            yield f"{option(name)}={value}"
        else:
            yield from (option(name), value)

    def _is_next(self, name: str) -> bool:
        """Whether a word without a name would be taken for this one."""
        places = [(one, field) for one, field in self._fields if marks(field).get("positional")]
        before = places[: next((at for at, (one, _) in enumerate(places) if one == name), 0)]
        is_place = any(one == name for one, _ in places)
        return self._bare and is_place and all(one in self._raw and not is_many(field) for one, field in before)

    def _is_plain(self, word: str) -> bool:
        """Whether the parser takes the word for a value."""
        key, equals, _ = word.partition("=")
        return not OPTION.match(word) and not (equals and normal(key) in self._options)
