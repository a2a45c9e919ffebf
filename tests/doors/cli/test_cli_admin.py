"""Commands for whoever runs aisq, with tools that only say what they were asked."""

from typing import Any, NamedTuple

import pytest

from bot.core.errors import ConfigError, UserError
from bot.doors.cli import administration
from bot.doors.cli.admin import Admin, page
from tests.doors.cli.fakes import FakeTools, Paper


class Problem(NamedTuple):
    """A line of the catalog's lint."""

    level: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.level}: catalog/shop.yaml:3: {self.sentence}"


def run(line: str, **prepared: Any) -> tuple[int, Paper]:
    paper = Paper()
    command = Admin(FakeTools(**prepared), paper).named(line.split())  # type: ignore[arg-type]
    assert command is not None
    return command(), paper


def test_serve_hands_over_its_own_code() -> None:
    assert run("serve", serve=2)[0] == 2


def test_upgrade_prints_the_revision() -> None:
    code, paper = run("db upgrade", upgrade="0007")
    assert (code, paper.out) == (0, "0007\n")


def test_a_catalog_without_mistakes() -> None:
    code, paper = run("catalog lint", catalog_problems=[])
    assert (code, paper.out, paper.beside_it) == (0, "", "catalog: nothing is wrong\n")


def test_mistakes_of_the_catalog_are_lines_with_their_place() -> None:
    code, paper = run("catalog lint", catalog_problems=[Problem("error", "no such type"), Problem("warning", "short")])
    assert (code, paper.beside_it) == (2, "catalog: 1 errors, 1 warnings\n")
    assert paper.out == "error: catalog/shop.yaml:3: no such type\nwarning: catalog/shop.yaml:3: short\n"


def test_warnings_alone_are_no_failure() -> None:
    code, paper = run("catalog lint", catalog_problems=[Problem("warning", "short")])
    assert (code, paper.beside_it) == (0, "catalog: 0 errors, 1 warnings\n")


def test_the_schema_is_printed_as_it_is() -> None:
    code, paper = run("catalog schema", catalog_schema='{"title": "[bold]System[/bold]"}\n')
    assert (code, paper.out) == (0, '{"title": "[bold]System[/bold]"}\n')


def test_the_schema_is_written_where_editors_look() -> None:
    code, paper = run("catalog schema --write", write_catalog_schema="catalog/schema.json")
    assert (code, paper.out, paper.beside_it) == (0, "", "wrote catalog/schema.json\n")


def test_mistakes_of_policies_are_lines_with_their_place() -> None:
    wrong = ConfigError("there is no Role", file="policies/10.cedar", line=7, field="grant.x")
    code, paper = run("policy lint", policy_problems=[wrong])
    assert (code, paper.out) == (2, "policies/10.cedar:7: grant.x: there is no Role\n")
    assert paper.beside_it == "policies: 1 errors\n"


@pytest.mark.parametrize(
    ("cases", "code", "out", "said"),
    [
        ([("a.yaml", "x", ""), ("a.yaml", "y", "")], 0, "", "2 of 2 cases hold\n"),
        ([("a.yaml", "x", ""), ("a.yaml", "y", "needs 2")], 2, "a.yaml: y: needs 2\n", "1 of 2 cases hold\n"),
        ([], 2, "", "0 of 0 cases hold\n"),  # a test that tests nothing must not pass
    ],
)
def test_cases_of_policies(cases: list[tuple[str, str, str]], code: int, out: str, said: str) -> None:
    got, paper = run("policy test", policy_cases=cases)
    assert (got, paper.out, paper.beside_it) == (code, out, said)


@pytest.mark.parametrize("shell", administration.SHELLS)
def test_completion_prints_a_script(shell: str) -> None:
    code, paper = run(f"completion {shell}", completion="complete -F x aisq")
    assert (code, paper.out) == (0, "complete -F x aisq\n")


@pytest.mark.parametrize("line", ["completion", "completion tcsh", "completion bash zsh"])
def test_completion_asks_for_a_shell(line: str) -> None:
    with pytest.raises(UserError, match="Say which shell"):
        run(line)


@pytest.mark.parametrize("command", [name for name in administration.COMMANDS if name != "completion"])
def test_one_word_too_many_is_said(command: str) -> None:
    with pytest.raises(UserError, match=f"`now` is one word too many. Usage: `aisq {command}"):
        run(f"{command} now")


@pytest.mark.parametrize("line", ["status", "db", "catalog", "policy lnt", "", "rollback serve"])
def test_other_words_are_not_its_own(line: str) -> None:
    assert Admin(FakeTools(), Paper()).named(line.split()) is None  # type: ignore[arg-type]


def test_help_explains_every_command() -> None:
    (table,) = page().parts
    written = [str(row[0]) for row in getattr(table, "rows")]  # noqa: B009
    for command in (*administration.COMMANDS, administration.SANDBOX):
        assert any(one.startswith(command) for one in written), command
