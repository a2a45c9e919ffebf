"""Commands for whoever runs aisq: they need no request, no policy and no cloud."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from bot.core.answer import Answer, Table
from bot.core.errors import BotError, UserError
from bot.doors.cli import exits
from bot.doors.cli.administration import COMMANDS, HELP, SHELLS
from bot.doors.cli.screen import Screen


class Tools(Protocol):
    """What these commands work with."""

    def serve(self) -> int: ...
    def upgrade(self) -> str:
        """The revision. Raises ConfigError and StoreError."""
        ...

    def catalog_problems(self) -> Iterable[object]:
        """Each with `level` "error" or "warning", and printed as file:line and a sentence."""
        ...

    def catalog_schema(self) -> str: ...
    def write_catalog_schema(self) -> str:
        """The file's name."""
        ...

    def policy_problems(self) -> Sequence[BotError]: ...
    def policy_cases(self) -> Sequence[tuple[str, str, str]]:
        """File, name and problem of each case; no problem: it holds."""
        ...

    def completion(self, shell: str) -> str: ...


class Admin:
    """Runs one of them."""

    def __init__(self, tools: Tools, screen: Screen) -> None:
        self._tools, self._screen = tools, screen
        runs = (self._serve, self._upgrade, self._catalog_lint, self._catalog_schema)
        more = (self._policy_lint, self._policy_test, self._completion)
        self.commands: Mapping[str, Callable[[list[str]], int]] = dict(zip(COMMANDS, (*runs, *more), strict=True))

    def named(self, said: Sequence[str]) -> Callable[[], int] | None:
        """The command that the first words name, ready to run."""
        for name, command in self.commands.items():
            words = name.split()
            if list(said[: len(words)]) == words:
                return lambda: command(list(said[len(words) :]))
        return None

    def _serve(self, rest: list[str]) -> int:
        _nothing_more("serve", rest)
        return self._tools.serve()

    def _upgrade(self, rest: list[str]) -> int:
        _nothing_more("db upgrade", rest)
        self._screen.print(self._tools.upgrade())
        return exits.DONE

    def _catalog_lint(self, rest: list[str]) -> int:
        _nothing_more("catalog lint", rest)
        problems = list(self._tools.catalog_problems())
        wrong = sum(getattr(one, "level", "error") == "error" for one in problems)
        return self._problems([str(one) for one in problems], wrong, "catalog")

    def _catalog_schema(self, rest: list[str]) -> int:
        if rest == ["--write"]:
            self._screen.say(f"wrote {self._tools.write_catalog_schema()}")
        else:
            _nothing_more("catalog schema [--write]", rest)
            self._screen.print(self._tools.catalog_schema())
        return exits.DONE

    def _policy_lint(self, rest: list[str]) -> int:
        _nothing_more("policy lint", rest)
        problems = self._tools.policy_problems()
        return self._problems([str(one) for one in problems], len(problems), "policies")

    def _policy_test(self, rest: list[str]) -> int:
        _nothing_more("policy test", rest)
        cases = self._tools.policy_cases()
        wrong = [f"{file}: {name}: {problem}" for file, name, problem in cases if problem]
        for sentence in wrong:
            self._screen.print(sentence)
        self._screen.say(f"{len(cases) - len(wrong)} of {len(cases)} cases hold")
        return exits.WRONG if wrong or not cases else exits.DONE

    def _completion(self, rest: list[str]) -> int:
        if len(rest) != 1 or rest[0] not in SHELLS:
            raise UserError("Say which shell: `aisq completion bash`, `zsh` or `fish`.")
        self._screen.print(self._tools.completion(rest[0]))
        return exits.DONE

    def _problems(self, sentences: Sequence[str], wrong: int, what: str) -> int:
        for sentence in sentences:
            self._screen.print(sentence)
        also = f", {len(sentences) - wrong} warnings" if len(sentences) > wrong else ""
        self._screen.say(f"{what}: {wrong} errors{also}" if sentences else f"{what}: nothing is wrong")
        return exits.WRONG if wrong else exits.DONE


def page() -> Answer:
    """The commands, as help shows them."""
    return Answer(
        title="For whoever runs aisq",
        parts=(Table(title="", columns=("command", "what it does"), rows=HELP),),
    )


def _nothing_more(command: str, rest: list[str]) -> None:
    if rest:
        raise UserError(f"`{rest[0][:40]}` is one word too many. Usage: `aisq {command}`")
