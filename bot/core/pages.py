"""Help, from the operations themselves: the list of commands, and a page for each."""

from collections.abc import Iterable

from bot.core.answer import Answer, Code, Table, Text
from bot.core.operation import Operation
from bot.core.parser import help_rows, usage

HINT = "A service is written [system/[environment/]]name. `help COMMAND` explains one; `why COMMAND …` asks policy."


def overview(commands: Iterable[type[Operation]]) -> Answer:
    """Every command with its sentence."""
    rows = tuple((one.command(), sentence(one)) for one in commands)
    table = Table(title="", columns=("command", "what it does"), rows=rows)
    return Answer(title="Commands", parts=(table, Text(text=HINT)))


def page(operation: type[Operation]) -> Answer:
    """One command: its sentence, how it is written, its parameters, examples."""
    table = Table(title="", columns=("parameter", "meaning"), rows=help_rows(operation), empty="no parameters")
    parts = (Text(text=sentence(operation)), Code(lines=(usage(operation),)), table)
    examples = (Code(lines=operation.examples),) if operation.examples else ()
    return Answer(title=operation.command(), parts=(*parts, *examples))


def sentence(operation: type[Operation]) -> str:
    """What an operation does, on one line."""
    return " ".join((operation.__doc__ or "").split())
