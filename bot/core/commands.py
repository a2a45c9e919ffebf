"""The words that name operations: each command, and each alias of one."""

import inspect
from collections.abc import Collection, Iterator, Mapping

from bot.core.errors import ConfigError
from bot.core.operation import Operation, Risk


def claimed(operations: Mapping[str, type[Operation]], *, taken: Collection[str] = ()) -> dict[str, type[Operation]]:
    """Operations by command and by alias, from operations by command; `taken` are words of somebody else.

    Raises ConfigError for a class that is no operation, and for a word that cannot be a command or is one already.
    """
    words = dict(operations)
    for command, operation in operations.items():
        _check(command, operation, taken)
    for alias, operation in _aliases(operations):
        if alias in words:
            there = words[alias]
            raise _wrong(operation, f"`{alias}` is claimed by {inspect.getfile(there)} too; choose another alias")
        words[alias] = operation
    return words


def _aliases(operations: Mapping[str, type[Operation]]) -> Iterator[tuple[str, type[Operation]]]:
    yield from ((alias, operation) for operation in operations.values() for alias in operation.aliases)


def _check(command: str, operation: type[Operation], taken: Collection[str]) -> None:
    if not issubclass(operation, Operation) or not hasattr(operation, "risk"):
        name = operation.__name__
        raise _wrong(operation, f"{name} must be a Look, Change or Control: class {name}(Change, risk=Risk.OPERATE)")
    if command in taken:
        raise _wrong(operation, f"`{command}` is a command of the terminal itself; choose another name")
    if command in set(Risk):
        raise _wrong(operation, f"`{command}` is what policies call a risk; choose another name")


def _wrong(operation: type[Operation], problem: str) -> ConfigError:
    return ConfigError(problem, file=inspect.getfile(operation))
