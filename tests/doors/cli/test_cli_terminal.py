"""Everything that can be typed after `aisq`, with parts that only say what was made of them."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import pytest

from bot import operations
from bot.core import folder
from bot.core.errors import BotError, ConfigError, Denied, StoreError, UserError
from bot.core.operation import Operation
from bot.core.pages import page
from bot.doors.cli.terminal import Terminal
from tests.doors.cli.fakes import FakeFront, FakeTools, FakeWorkers, Paper, a_look, widest

FOUND = list(folder.every(operations).values())
COMMANDS: Mapping[str, type[Operation]] = {name: one for one in FOUND for name in (one.command(), *one.aliases)}


class Parts(FakeTools):
    """A bot that answers `status`, and notes what became of it."""

    def __init__(self, error: BaseException | None = None, refusal: BotError | None = None, **prepared: Any) -> None:
        super().__init__(**prepared)
        self.error, self.front, self.workers = error, FakeFront(a_look()), FakeWorkers()
        self.front.refusal = refusal
        self.notes: list[str] = []

    def commands(self) -> Mapping[str, type[Operation]]:
        return COMMANDS

    def actor(self, as_: str) -> str:
        self.notes.append(f"as {as_ or 'myself'}")
        return "os:ana"

    def logs_go_to(self) -> str:
        return "/var/lib/aisq/aisq.log"

    def bot(self) -> "Parts":
        if self.error:
            raise self.error
        return self

    def close(self) -> None:
        self.notes.append("closed")


def run(line: str, parts: Parts | None = None) -> tuple[int, Paper]:
    paper = Paper()
    return Terminal(parts or Parts(), paper).run(line.split()), paper  # type: ignore[arg-type]


def test_a_request_goes_to_the_bot() -> None:
    parts = Parts()
    code, paper = run("status backend --as U0ANA", parts)
    assert (code, paper.out.splitlines()[0]) == (0, "ai-square/prod/backend")
    assert parts.front.asked[0].text == "status backend"
    assert parts.notes == ["as U0ANA", "closed"]


def test_administration_needs_no_bot() -> None:
    code, paper = run("db upgrade", Parts(AssertionError("no bot"), upgrade="0001"))
    assert (code, paper.out) == (0, "0001\n")


# --- help


@pytest.mark.parametrize("line", ["", "help", "--help", "-h", "help --help", "serve --help", "db upgrade --help"])
def test_help_lists_everything_and_needs_no_bot(line: str) -> None:
    code, paper = run(line, Parts(AssertionError("no bot")))
    assert (code, paper.beside_it) == (0, "")
    for said in ("rollback", "ops undo", "db upgrade", "policy test", "--here", "failed or uncertain: look"):
        assert said in paper.out
    assert widest(paper.out) <= 80


@pytest.mark.parametrize("line", ["help rollback", "rollback --help", "--help rollback", "rollback backend --help"])
def test_help_of_a_command_is_the_page_that_slack_shows(line: str) -> None:
    code, paper = run(line, Parts(AssertionError("no bot")))
    assert code == 0
    expected = Paper()
    expected.show(expected.drawer(UTC).answer(page(COMMANDS["rollback"])))
    assert paper.out == expected.out + "\n"


@pytest.mark.parametrize("name", sorted({one.command() for one in FOUND}))
def test_every_command_has_a_page_that_fits(name: str) -> None:
    code, paper = run(f"help {name}")
    assert code == 0
    assert paper.out.startswith(name)
    assert widest(paper.out) <= 80


def test_help_lists_a_command_once_whatever_its_aliases() -> None:
    shown = run("help")[1].out.splitlines()
    for command in {one.command() for one in FOUND}:
        assert sum(line.startswith(f"{command}  ") for line in shown) == 1, command


@pytest.mark.parametrize("line", ["help rolback", "rolback --help"])
def test_help_of_an_unknown_command_names_the_nearest(line: str) -> None:
    code, paper = run(line)
    assert (code, paper.out) == (2, "")
    assert "Did you mean `rollback`?" in paper.beside_it


# --- slips of the pen in administration


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serv", "I don't know `serv`. Did you mean `serve`?"),
        ("db", "`db` needs one word more. Did you mean `db upgrade`?"),
        ("db upgrad", "`db` needs one word more. Did you mean `db upgrade`?"),
        ("catalog", "`catalog` needs one word more. Did you mean `catalog lint` or `catalog schema`?"),
        ("polcy lint", "I don't know `polcy`. Did you mean `policy lint` or `policy test`?"),
        ("complete bash", "I don't know `complete`. Did you mean `completion`?"),
        ("sandbx up", "I don't know `sandbx`. Did you mean `sandbox`?"),
    ],
)
def test_did_you_mean_knows_administration(line: str, said: str) -> None:
    code, paper = run(line, Parts(AssertionError("no bot")))
    assert code == 2
    assert " ".join(paper.beside_it.split()) == f"{said} `aisq help` lists what there is."


@pytest.mark.parametrize("line", ["statsu", "rolback backend", "ops"])
def test_slips_in_requests_are_left_to_the_parser(line: str) -> None:
    parts = Parts()
    assert run(line, parts)[0] == 0  # the front that plays back knows every word
    assert parts.front.asked


# --- errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("is wrong", file="catalog/shop.yaml", line=3), 2),
        (StoreError("the database has schema none, this version of aisq needs 0001; run `aisq db upgrade`"), 2),
    ],
)
def test_what_keeps_the_bot_from_being_made_is_one_sentence(error: BotError, code: int) -> None:
    got, paper = run("status", Parts(error))
    assert (got, paper.out) == (code, "")
    assert " ".join(paper.beside_it.split()) == str(error)


def test_a_denial_says_what_would_permit_it() -> None:
    denied = Denied("Nobody approves their own request (guard.own-request).", policy="x", remedy="needs another person")
    parts = Parts(refusal=denied)
    code, paper = run("approve 7k3q", parts)
    assert (code, parts.notes[-1]) == (3, "closed")
    assert paper.beside_it == (
        "Nobody approves their own request (guard.own-request).\nIt needs another person.\n"
    )  # fmt: skip


def test_errors_as_json() -> None:
    parts = Parts(refusal=UserError("no service `x`; did you mean `y`?", choices=("y",)))
    code, paper = run("status x --json", parts)
    assert code == 2
    assert json.loads(paper.out) == {"error": "no service `x`; did you mean `y`?", "choices": ["y"], "remedy": ""}
    assert paper.beside_it == "no service `x`; did you mean `y`?\n"


def test_what_was_typed_cannot_act_on_the_terminal() -> None:
    code, paper = run("\x1b]0;evil\x07serv")
    assert code in (0, 2)
    assert "\x1b" not in paper.beside_it + paper.out
    code, paper = run("serve \x1b[2Jx")
    assert code == 2
    assert "\x1b" not in paper.beside_it


def test_ctrl_c_before_anything_began() -> None:
    code, paper = run("status", Parts(KeyboardInterrupt()))
    assert (code, paper.beside_it) == (130, "Stopped.\n")


def test_a_bug_is_one_sentence_here_and_the_rest_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger().addHandler(caplog.handler)
    code, paper = run("status", Parts(ZeroDivisionError("secret inside")))
    logging.getLogger().removeHandler(caplog.handler)
    assert (code, paper.out) == (70, "")
    assert " ".join(paper.beside_it.split()) == (
        "That is a bug in aisq, not your mistake; what happened is in /var/lib/aisq/aisq.log."
    )
    assert "ZeroDivisionError: secret inside" in caplog.text
