"""Typed wrong at 3 a.m.: one sentence that helps, exit code 2, nothing on stdout, and nothing begins.

With the real parser, catalog and database; no cloud is needed to say any of this.
"""

import shlex
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from sqlalchemy import text

from bot import settings
from bot.__main__ import Composed, OneBot, composed
from bot.doors.cli.terminal import Terminal
from bot.stores import database
from tests.doors.cli.fakes import Paper, widest

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("typed_wrong.yaml"))
LONG = "x" * 20_000


class Kept(OneBot):
    """A bot that several commands share."""

    def close(self) -> None:
        """It is closed by the fixture."""


class Shared(Composed):
    """What `aisq` is put together from, but with one bot for all commands of this module."""

    @cached_property
    def one(self) -> Kept:
        return Kept(composed(self.settings))

    def bot(self) -> Kept:
        return self.one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISQ_STATE_DIR", str(tmp_path_factory.mktemp("typed") / "state"))
        patch.setenv("AISQ_SANDBOX", "true")
        parts = Shared()
        parts.upgrade()
        yield parts
        parts.one.front.stop()


def recorded(parts: Shared) -> int:
    with database.connect(parts.settings.database).connect() as connection:
        return int(connection.execute(text("select count(*) from operations")).scalar_one())


def run(parts: Shared, argv: list[str], *, terminal: bool = False) -> tuple[int, Paper]:
    paper = Paper(terminal=terminal)
    return Terminal(parts, paper).run(argv), paper


@pytest.mark.parametrize("case", CASES, ids=[case["wrong"] for case in CASES])
def test_typed_wrong(case: dict[str, Any], shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    if not case.get("sandbox", True):
        told = shared.settings.model_copy(update={"sandbox": False})
        monkeypatch.setitem(vars(shared), "settings", told)
    aisq, *argv = shlex.split(case["typed"])
    before = recorded(shared)
    code, paper = run(shared, argv if "--as" in argv else [*argv, "--as", "U0ANA"])
    assert (aisq, code, paper.out) == ("aisq", 2, "")
    assert paper.beside_it.count("\n") == 1
    for fragment in case["says"]:
        assert fragment in paper.beside_it
    assert recorded(shared) == before


def test_on_a_terminal_the_sentence_fits(shared: Shared) -> None:
    code, paper = run(shared, ["rollback", "backend"], terminal=True)
    assert code == 2
    assert widest(paper.beside_it) <= 80
    assert paper.beside_it.count("\n") > 1


def test_there_are_at_least_ten_ways() -> None:
    assert len(CASES) >= 10
    assert len({case["wrong"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("argv", [["rollback", LONG], [LONG], ["rollback", "x", "--reason", LONG]])
def test_20_kb_of_text_are_refused_in_one_line(argv: list[str], shared: Shared) -> None:
    code, paper = run(shared, argv)
    assert (code, paper.out) == (2, "")
    assert "write at most 4,000" in paper.beside_it or "I don't know `xxx" in paper.beside_it
    assert len(paper.beside_it) < 400


@pytest.mark.parametrize("argv", [["aisq", "whoami"], ["/aisq", "whoami"], ["/aisq whoami"], ["WhoAmI"], ["`whoami`"]])
def test_pasted_from_elsewhere_it_is_understood(argv: list[str], shared: Shared) -> None:
    code, paper = run(shared, [*argv, "--as", "U0ANA"])
    assert (code, paper.out.splitlines()[0]) == (0, "U0ANA")


def test_it_is_known_who_types(shared: Shared) -> None:
    code, paper = run(shared, ["whoami"])
    assert code == 0
    assert f"os:{settings.os_user()}; no role" in paper.out


def test_without_a_role_a_change_is_denied_and_says_what_is_missing(shared: Shared) -> None:
    code, paper = run(shared, ["rollback", "ai-square/prod/backend"])
    assert (code, paper.out) == (3, "")
    assert "needs role" in paper.beside_it
