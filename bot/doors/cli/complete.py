"""What could be typed next. Asks the catalog and the database, never a cloud; the scripts for shells are click's.

A shell waits for this at every press of a key, so what models need is imported only once a command is typed.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from click import Command
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from bot.core.errors import BotError
from bot.doors.cli.administration import COMMANDS, SANDBOX, SHELLS

if TYPE_CHECKING:
    from bot.core.operation import Operation
    from bot.core.request import Target
    from bot.doors.cli.parameters import Word

T = TypeVar("T")
WITH_VALUE = ("--as", "--channel")
FLAGS = ("--json", "--no-wait", "--here")


class Completer:
    """Completes the words of one command line. What is asked and does not answer `within_s` seconds is left out."""

    def __init__(
        self,
        commands: Mapping[str, "Callable[[], type[Operation]]"],
        targets: "Callable[[], Iterable[Target]]",
        operations: Callable[[], Iterable[str]],
        *,
        within_s: float = 2.0,
    ) -> None:
        self._commands, self._targets, self._operations = commands, targets, operations
        self._within_s = within_s

    def next(self, said: Sequence[str], begun: str) -> "list[Word]":
        """Words that begin with `begun` and may follow `said`, each with its meaning."""
        if said and said[-1] in WITH_VALUE:
            return []
        words = list(_request(said))
        found = dict([*((name, "") for name in self._names(words)), *self._parameters(words, begun)])
        return [(word, help) for word, help in found.items() if word.startswith(begun)]

    def _names(self, words: list[str]) -> Iterator[str]:
        """The next word of every command that begins with these."""
        count = len(words)
        yield from (
            parts[count]
            for parts in map(str.split, (*self._commands, *COMMANDS, SANDBOX))
            if parts[:count] == words and len(parts) > count
        )
        yield from {("completion",): SHELLS, ("catalog", "schema"): ("--write",)}.get(tuple(words), ())

    def _parameters(self, words: list[str], begun: str) -> "list[Word]":
        heads = (" ".join(words[:count]) for count in range(len(words), 0, -1))
        name = next((head for head in heads if head in self._commands), "")
        if not name:
            return []
        from bot.doors.cli.parameters import Parameters

        rest = words[len(name.split()) :]
        made = Parameters(self._commands[name](), self._soon(self._targets), self._soon(self._operations))
        found = made.next(rest, begun)
        return self.next(rest, begun) if found is None else found

    def _soon(self, ask: Callable[[], Iterable[T]]) -> Callable[[], Iterable[T]]:
        """The same, but impatient; what is wrong with it the command itself will say."""

        def asked() -> tuple[T, ...]:
            found: list[T] = []

            def answer() -> None:
                with suppress(BotError):
                    found.extend(ask())

            asking = threading.Thread(target=answer, daemon=True)
            asking.start()
            asking.join(self._within_s)
            return tuple(found)

        return asked


def script(shell: str, variable: str) -> str:
    """What teaches a shell to ask; `variable` is how it says that it does."""
    return _SHELLS[shell](Command("aisq"), {}, "aisq", variable).source()


def reply(asked: str, variable: str, completer: Completer) -> str:
    """The answer to a shell that asks, say, "bash_complete"; empty for one that nobody knows."""
    made = _SHELLS.get(asked.partition("_")[0])
    if made is None:
        return ""

    class Ours(made):  # type: ignore[valid-type, misc]
        def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
            return [CompletionItem(word, help=help or None) for word, help in completer.next(args, incomplete)]

    return str(Ours(Command("aisq"), {}, "aisq", variable).complete())


_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


def _request(said: Sequence[str]) -> Iterator[str]:
    """The words without the terminal's own options."""
    left = iter(said)
    for word in left:
        if word in WITH_VALUE:
            next(left, "")
        elif word not in FLAGS:
            yield word
