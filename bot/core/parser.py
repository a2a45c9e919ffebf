"""A line of text to an operation's parameters, and usage and help from the operation's model."""

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bot.core.clocktime import Standpoint, is_written
from bot.core.errors import UserError
from bot.core.operation import Change, Operation, marks, reference_of
from bot.core.text import exact_line, words
from bot.core.when import when_of

Raw = dict[str, Any]
SHOWN = 40  # characters of what was typed that an answer repeats
OPTION = re.compile(r"--?[^\W\d]")
_PLAINLY = {
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller number",
    "float_parsing": "write a number",
    "finite_number": "write a number",
    "bool_parsing": "write true or false",
    "greater_than_equal": "write {ge} or more",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write {le} or less",
    "less_than": "write less than {lt}",
}
ONLY_OPTION = re.compile(r"--?[^\W\d][\w-]*(=.*)?", re.DOTALL)  # a value may begin with dashes: "--to was wrong"


def near(word: str, known: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Names that look like `word`, nearest first; also those that contain it."""
    pool = sorted(set(known))
    close = difflib.get_close_matches(word, pool, n=most, cutoff=0.6)
    inside = [name for name in pool if len(word) > 2 and word in name and name not in close]
    return tuple([*close, *inside][:most])


def did_you_mean(names: tuple[str, ...]) -> str:
    """ " Did you mean `a` or `b`?", or nothing."""
    return f" Did you mean {' or '.join(f'`{name}`' for name in names)}?" if names else ""


def split(line: str, operations: Mapping[str, type[Operation]]) -> tuple[type[Operation], list[str]]:
    """The operation that the first words name (the longest name wins) and the words after. Raises UserError."""
    said = words(line)
    if not said:
        raise UserError("Say what to do; `help` lists what there is.")
    longest = max(len(name.split()) for name in operations)
    for count in range(min(longest, len(said)), 0, -1):
        if found := operations.get(" ".join(said[:count]).lower()):
            _check_next(said[:count], said[count:], operations)
            return found, said[count:]
    pair = " ".join(said[:2]).lower()
    names = _spaced(said, operations) or near(pair, operations, most=1) or near(said[0].lower(), operations)
    raise _unknown(said[0].lower(), names)


def _spaced(said: list[str], operations: Iterable[str]) -> tuple[str, ...]:
    """The first operation that is named anywhere in the line, however it is spaced: "please roll back x"."""
    groups = {name.split()[0] for name in operations if " " in name}
    joined = {name.replace(" ", ""): name for name in operations if name not in groups}
    parts = ("".join(said[start : start + count]).lower() for start in range(len(said)) for count in (3, 2, 1))
    return next(((joined[part],) for part in parts if part in joined), ())


def _check_next(name: list[str], after: list[str], operations: Iterable[str]) -> None:
    """`ops shw` is not `ops` with a word too many. Raises UserError."""
    group = " ".join(name).lower()
    longer = {one.removeprefix(group).split()[0]: one for one in operations if one.startswith(f"{group} ")}
    word = after[0].lower() if after else ""
    if names := tuple(longer[one] for one in near(word, longer)):
        raise _unknown(f"{group} {word}", names)


def _unknown(said: str, names: tuple[str, ...]) -> UserError:
    return UserError(f"I don't know `{shown(said)}`.{did_you_mean(names)} `help` lists what there is.", choices=names)


def shown(said: str) -> str:
    """The beginning of what was typed, for an answer to repeat."""
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"


def parse(operation: type[Operation], said: list[str]) -> Raw:
    """Words to raw parameters, each still text (or bool). Raises UserError with the usage."""
    return _Reader(operation).read(said)


def build(operation: type[Operation], raw: Raw, resolve: Any = None, here: Standpoint | None = None) -> Operation:
    """Parameters to a checked operation; `resolve(text, kind)` looks up names, times are those of `here`.

    Raises UserError.
    """
    try:
        return operation.model_validate(raw, context={"resolve": resolve, "here": here} if resolve else None)
    except ValidationError as error:
        raise _refused(operation, error) from None


def option(name: str) -> str:
    """How a parameter is written."""
    return f"--{name.replace('_', '-')}"


def is_flag(field: FieldInfo) -> bool:
    """Whether the parameter is written without a value."""
    return base(field) is bool


def is_many(field: FieldInfo) -> bool:
    """Whether the parameter takes several words."""
    return get_origin(base(field)) in (tuple, list, dict)


def listed(field: FieldInfo) -> tuple[str, ...]:
    """The values that the parameter's type itself lists; none where others are right too."""
    return tuple(_values(field).split("|")) if _values(field) else ()


def ordered(operation: type[Operation]) -> list[tuple[str, FieldInfo]]:
    """Parameters as people should meet them: those without a name first, those that every change has last."""
    fields = list(operation.model_fields.items())
    return sorted(fields, key=lambda one: (not marks(one[1]).get("positional"), one[0] in Change.model_fields))


def written(name: str, field: FieldInfo) -> str:
    """A parameter as people meet it: "<service>", which needs no name, or "--to"."""
    return f"<{name}>" if marks(field).get("positional") else option(name)


def usage(operation: type[Operation]) -> str:
    """One line: "rollback <service> [--to TO] …"."""
    parts = [operation.command()]
    for name, field in ordered(operation):
        said = written(name, field)
        if not marks(field).get("positional") and not is_flag(field):
            said += f" {_values(field) or _time(field) or marks(field).get('value') or name.upper()}"
        parts.append(said if field.is_required() else f"[{said}]")
    return " ".join(parts)


def help_rows(operation: type[Operation]) -> tuple[tuple[str, str], ...]:
    """Each parameter as it is written, and its sentence."""
    return tuple(
        (written(name, field), (field.description or "") + _values_sentence(field))
        for name, field in ordered(operation)
    )


class _Reader:
    """Reads the words after an operation's name."""

    def __init__(self, operation: type[Operation]) -> None:
        self._operation = operation
        fields = operation.model_fields
        self._options = {option(name): name for name in fields}
        self._positional = [name for name, field in fields.items() if marks(field).get("positional")]
        self._rest = next((name for name, field in fields.items() if marks(field).get("rest")), "")
        self._flags = {name for name, field in fields.items() if is_flag(field)}
        self._many = {name for name, field in fields.items() if is_many(field)}
        self._times = {name for name, field in fields.items() if when_of(field)}
        self._raw: Raw = {}
        self._left: list[str] = []

    def read(self, said: list[str]) -> Raw:
        self._left = list(said)
        while self._left:
            word = self._left.pop(0)
            if OPTION.match(word):
                self._option(word)
            else:
                self._value(word)
        return self._raw

    def _option(self, word: str) -> None:
        key, equals, value = word.partition("=")
        name = self._options.get(normal(key))
        if name is None:
            raise self._wrong(f"`{self._operation.command()}` has no option `{shown(key)}`.{self._nearest(key)}")
        if name in self._flags and not equals:
            return self._put(name, True)
        if not equals:
            if not self._left or ONLY_OPTION.fullmatch(self._left[0]):
                raise self._wrong(f"`{option(name)}` needs a value.")
            value = self._time() if name in self._times else self._left.pop(0)
        self._put(name, value)

    def _time(self) -> str:
        """The next word, and those after it that are part of the same time."""
        said = self._left.pop(0)
        while self._left and is_written(f"{said} {self._left[0]}"):
            said = f"{said} {self._left.pop(0)}"
        return said

    def _nearest(self, key: str) -> str:
        return did_you_mean(tuple(difflib.get_close_matches(normal(key), self._options, n=2, cutoff=0.5)))

    def _value(self, word: str) -> None:
        key, equals, value = word.partition("=")
        named = self._options.get(normal(key)) if equals else None
        free = [one for one in self._positional if one not in self._raw or one in self._many]
        if named and not (free and free[0] in self._many):
            self._put(named, value)
        elif free and free[0] == self._rest:
            self._raw[self._rest] = exact_line((word, *self._left))
            self._left = []
        elif free:
            self._put(free[0], word)
        else:
            raise self._wrong(f"`{shown(word)}` is one word too many; {self._instead(word)}")

    def _instead(self, word: str) -> str:
        if not word.strip("-") and (meant := self._left and self._options.get(normal(self._left[0]))):
            return f"did you mean `{option(str(meant))}`, in one?"
        meant = self._options.get(normal(word))
        return f"did you mean `{option(meant)}`?" if meant else "put a text with spaces in quotes."

    def _put(self, name: str, value: Any) -> None:
        if name in self._many:
            self._raw.setdefault(name, []).extend(part for part in str(value).split(",") if part)
        elif name in self._raw:
            raise self._wrong(f"`{written(name, self._operation.model_fields[name])}` is given twice.")
        else:
            self._raw[name] = value

    def _wrong(self, problem: str) -> UserError:
        return UserError(f"{problem} Usage: `{usage(self._operation)}`")


def normal(key: str) -> str:
    """An option however its dashes were typed: "-to", "dry_run" and "--Dry-Run" are "--to" and "--dry-run"."""
    return option(key.lower().strip("-"))


def base(field: FieldInfo) -> Any:
    """The parameter's type, without the None that stands for a value which is not given."""
    annotation = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(arg for arg in get_args(annotation) if arg is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _values(field: FieldInfo) -> str:
    kind = base(field)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "|".join(kind)
    return "|".join(map(str, get_args(kind))) if get_origin(kind) is Literal else ""


def _time(field: FieldInfo) -> str:
    when = when_of(field)
    return when.written if when else ""


def _values_sentence(field: FieldInfo) -> str:
    if when := when_of(field):
        return when.sentence
    if reference := reference_of(field):
        wide = ", SYSTEM/ENVIRONMENT or SYSTEM" if "system" in reference.kind else ""
        patterns = "; * and ? stand for anything" if "pattern" in reference.kind else ""
        return "" if reference.kind == "operation" else f" Written [system/[environment/]]name{wide}{patterns}."
    return f" One of {_values(field)}." if _values(field) else ""


def _refused(operation: type[Operation], error: ValidationError) -> UserError:
    """The first thing that is wrong as one sentence, and all of them by parameter."""
    wrong = error.errors(include_url=False)
    named = [(operation.model_fields.get(str(one["loc"][0])), one) for one in wrong if one["loc"]]
    fields = {str(one["loc"][0]): _instead(field, one) for field, one in named if field is not None}
    return UserError(_sentence(operation, wrong[0]), fields=fields)


def _sentence(operation: type[Operation], first: ErrorDetails) -> str:
    if not first["loc"]:
        return str(first.get("ctx", {}).get("error", first["msg"]))
    name = str(first["loc"][0])
    field = operation.model_fields.get(name)
    if field is None:  # it was stored, or filled in, when the operation had other parameters
        return f"`{operation.command()}` has no parameter `{shown(name)}`. Usage: `{usage(operation)}`"
    said = written(name, field)
    if first["type"] == "missing":
        return f"`{said}` is missing: {field.description} Usage: `{usage(operation)}`"
    return f"`{said}`: {_instead(field, first)}"


def _instead(field: FieldInfo, wrong: ErrorDetails) -> str:
    """What to write into one parameter."""
    if wrong["type"] == "missing":
        return f"this is needed: {field.description}"
    found = shown(str(wrong["input"]))
    if wrong["type"] in _PLAINLY:
        return f"{_PLAINLY[wrong['type']].format_map(wrong.get('ctx', {}))}, not `{found}`."
    if _values(field):
        return f"write {_values(field).replace('|', ' or ')}, not `{found}`."
    said = str(wrong.get("ctx", {}).get("error", wrong["msg"]))
    return said if said.endswith((".", "?", ")")) else f"{said}."
