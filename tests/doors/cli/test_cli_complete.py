"""What a shell is told that could be typed next."""

import subprocess
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest

from bot import operations
from bot.core import folder
from bot.core.errors import StoreError
from bot.core.request import Target
from bot.doors.cli.administration import SHELLS
from bot.doors.cli.complete import Completer, reply, script

LOADERS = {name.replace("_", " "): partial(folder.load, operations, name) for name in folder.names(operations)}


def target(name: str, kind: str = "service") -> Target:
    system, environment, short = name.split("/")
    return Target(system=system, environment=environment, name=short, kind=kind, type="cloud_run", cloud="gcp")


TARGETS = (
    target("ai-square/prod/backend"),
    target("ai-square/prod/frontend"),
    target("eaili5/prod/backend"),
    target("ai-square/prod/backups", "bucket"),
)


def words(line: str, **asked: object) -> list[str]:
    """What may stand where the line ends; a space at the end begins a new word."""
    said = line.split(" ")
    completer = Completer(
        LOADERS,
        asked.get("targets", lambda: TARGETS),  # type: ignore[arg-type]
        asked.get("operations", lambda: ["7k3q9x2m4p", "q45jswpm2g"]),  # type: ignore[arg-type]
        within_s=float(str(asked.get("within_s", 5.0))),
    )
    return [word for word, _ in completer.next(said[:-1], said[-1])]


COMPLETED = {
    "first words": ("r", ["releases", "rollback"]),
    "administration too": ("ser", ["serve"]),
    "the sandbox": ("san", ["sandbox"]),
    "second words": ("ops ", ["advance", "cancel", "hold", "list", "show", "undo"]),
    "second words of administration": ("db ", ["upgrade"]),
    "a command that is the beginning of another": ("audit v", ["verify"]),
    "shells": ("completion ", ["bash", "zsh", "fish"]),
    "an option of administration": ("catalog schema ", ["--write"]),
    "services by short name": ("rollback ", ["backend", "frontend"]),
    "only services": ("rollback back", ["backend"]),
    "services by full name": ("rollback ai-square/", ["ai-square/prod/backend", "ai-square/prod/frontend"]),
    "a service by its option": ("rollback --service f", ["frontend"]),
    "operations": ("approve ", ["7k3q9x2m4p", "q45jswpm2g"]),
    "operations that begin so": ("ops show q", ["q45jswpm2g"]),
    "no second service": ("rollback backend ", []),
    "nothing after a free text": ("rollback backend --reason ", []),
    "options": ("rollback backend --d", ["--dry-run"]),
    "options that are given are not offered": ("rollback backend --dry-run --d", []),
    "the terminal's options": ("status --no", ["--no-wait"]),
    "a flag has no value": ("rollback --dry-run f", ["frontend"]),
    "the terminal's options are not the request's words": ("--json rollback f", ["frontend"]),
    "nor are their values": ("--as U0ANA ops sh", ["show"]),
    "nothing for a person": ("whoami --as ", []),
    "a whole command after help": ("help roll", ["rollback"]),
    "and after why, with its parameters": ("why rollback fr", ["frontend"]),
    "nothing for nonsense": ("florp ", []),
}


@pytest.mark.parametrize(("line", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_completion(line: str, expected: list[str]) -> None:
    assert words(line) == expected


def test_every_command_is_offered() -> None:
    offered = set(words(""))
    assert {name.split()[0] for name in LOADERS} <= offered


def test_every_option_of_a_command_is_offered_with_its_meaning() -> None:
    found = dict(Completer(LOADERS, lambda: (), lambda: ()).next(["rollback"], "--"))
    assert {"--service", "--to", "--reason", "--break-glass", "--dry-run", "--json", "--here"} <= set(found)
    assert found["--dry-run"] == "Only show the plan."


def away() -> Iterable[str]:
    raise StoreError("the database does not answer")


def test_a_database_that_is_away_is_no_reason_to_complain_now() -> None:
    assert words("approve ", operations=away) == []


def test_a_database_that_hangs_is_not_waited_for() -> None:
    hang = threading.Event()

    def hanging() -> Iterable[str]:
        hang.wait()
        return ["never"]

    assert words("approve ", operations=hanging, within_s=0.01) == []
    hang.set()


def test_neither_catalog_nor_database_is_asked_for_the_name_of_a_command() -> None:
    def asked() -> Iterable[str]:
        raise AssertionError("nobody needs that for a name")

    assert words("rollb", targets=asked, operations=asked) == ["rollback"]


@pytest.mark.parametrize(("shell", "reply_to_it"), [("bash", "plain,rollback"), ("zsh", "plain\nrollback\n_")])
def test_the_reply_is_in_the_shells_own_words(shell: str, reply_to_it: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "aisq rollb")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert reply(f"{shell}_complete", "_AISQ_COMPLETE", Completer(LOADERS, lambda: (), lambda: ())) == reply_to_it


def test_fish_gets_the_meaning_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "aisq rollback --dry")
    monkeypatch.setenv("COMP_CWORD", "--dry")
    said = reply("fish_complete", "_AISQ_COMPLETE", Completer(LOADERS, lambda: (), lambda: ()))
    assert said == "plain,--dry-run\tOnly show the plan."


def test_another_shell_gets_nothing() -> None:
    assert reply("tcsh_complete", "_AISQ_COMPLETE", Completer(LOADERS, lambda: (), lambda: ())) == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_asks_with_our_variable(shell: str) -> None:
    said = script(shell, "_AISQ_COMPLETE")
    assert f"_AISQ_COMPLETE={shell}_complete" in said
    assert "aisq" in said


def test_bash_takes_the_script_and_completes_with_it(tmp_path: Path) -> None:
    """In a real bash, with a stand-in for `aisq` that says what it was asked."""
    stand_in = tmp_path / "aisq"
    stand_in.write_text('#!/bin/sh\necho "plain,$_AISQ_COMPLETE-$COMP_CWORD"\n')
    stand_in.chmod(0o755)
    (tmp_path / "script").write_text(script("bash", "_AISQ_COMPLETE"))
    asks = f"""
        PATH={tmp_path}:$PATH; source {tmp_path}/script
        COMP_WORDS=(aisq ro); COMP_CWORD=1; _aisq_completion aisq; echo "${{COMPREPLY[0]}}"
    """
    said = subprocess.run(["bash", "--norc", "-c", asks], capture_output=True, text=True, check=True)
    assert said.stdout == "bash_complete-1\n"
