"""What could stand in an operation's parameters."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import get_args

from pydantic.fields import FieldInfo

from bot.core.operation import Operation, marks, reference_of
from bot.core.parser import is_flag, option, ordered
from bot.core.request import Target
from bot.doors.cli import options

Word = tuple[str, str]  # what to type, and what it means


class Parameters:
    """Completes what follows an operation's name. `targets` and `operations` are asked only when needed."""

    def __init__(
        self,
        operation: type[Operation],
        targets: Callable[[], Iterable[Target]],
        operations: Callable[[], Iterable[str]],
    ) -> None:
        self._targets, self._operations = targets, operations
        self._options = {option(name): info for name, info in operation.model_fields.items()}
        self._places = [info for _, info in ordered(operation) if marks(info).get("positional")]

    def next(self, said: list[str], begun: str) -> list[Word] | None:
        """What may follow `said`; None where another whole command may, as after `why`."""
        if said and (info := self._options.get(said[-1])) and not is_flag(info):
            return [(value, "") for value in self._values(info, begun)]
        if begun.startswith("-"):
            own = [(written, info.description or "") for written, info in self._options.items() if written not in said]
            return own + [(written, help) for written, help in options.HELP if " " not in written]
        taken = sum(not word.startswith("-") for word in said)
        if self._places and marks(self._places[-1]).get("rest") and taken >= len(self._places) - 1:
            return None
        free = self._places[taken : taken + 1]
        return [(value, "") for info in free for value in self._values(info, begun)]

    def _values(self, info: FieldInfo, begun: str) -> Iterator[str]:
        reference = reference_of(info)
        if marks(info).get("completes") == "operations":
            yield from self._operations()
        elif reference and reference.kind != "operation":
            kinds = reference.kind.split("|")
            anything = kinds == ["any"]
            fitting = [one for one in self._targets() if (one.name if anything else one.kind in kinds)]
            names = (target.full_name if "/" in begun else target.name or target.full_name for target in fitting)
            yield from dict.fromkeys(names)
        else:
            yield from _listed(info)


def _listed(info: FieldInfo) -> Iterator[str]:
    """The values that a type itself lists."""
    for kind in (info.annotation, *get_args(info.annotation)):
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            yield from (str(one) for one in kind)
        elif str(getattr(kind, "__origin__", "")) == "typing.Literal":
            yield from map(str, get_args(kind))
