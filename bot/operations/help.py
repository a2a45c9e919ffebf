"""What can be asked."""

from bot.core.answer import Answer, Code, Table, Text
from bot.core.operation import Look, Operation, Risk, param
from bot.core.parser import help_rows, usage
from bot.core.system import Manual


class Help(Look, risk=Risk.READ, examples=("help", "help rollback")):
    """List the commands, or explain one."""

    topic: str = param("Command to explain.", rest=True, default="")

    def answer(self, manual: Manual) -> Answer:
        return _one(manual.command(self.topic)) if self.topic else _all(manual.commands())


def _all(commands: tuple[type[Operation], ...]) -> Answer:
    rows = tuple((one.command(), _sentence(one)) for one in commands)
    table = Table(title="", columns=("command", "what it does"), rows=rows)
    hint = "A service is written [system/[environment/]]name. `help COMMAND` explains one; `why COMMAND …` asks policy."
    return Answer(title="Commands", parts=(table, Text(text=hint)))


def _one(operation: type[Operation]) -> Answer:
    table = Table(title="", columns=("parameter", "meaning"), rows=help_rows(operation), empty="no parameters")
    parts = (Text(text=_sentence(operation)), Code(lines=(usage(operation),)), table)
    examples = (Code(lines=operation.examples),) if operation.examples else ()
    return Answer(title=operation.command(), parts=(*parts, *examples))


def _sentence(operation: type[Operation]) -> str:
    return " ".join((operation.__doc__ or "").split())
