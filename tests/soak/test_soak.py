"""Three replicas under attack: whatever dies, stands still or is told to stop, all of it is right in the end.

The seed decides who asks what when, what is hit, and where the cloud fails; the machine decides who gets its turn. A
seed that once failed stays in SEEDS with what it found.
"""

import io
from collections import Counter

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot.sandbox import soak as program
from bot.sandbox.commands import sandbox
from bot.sandbox.postgres import Databases
from bot.sandbox.soak import Soak, run
from bot.sandbox.soak_table import Result, show
from bot.sandbox.soak_view import Recovery

SEEDS = {2: "who was told that nothing was done had a row: of the same delivery, to a replica that stood still"}


def wrong(result: Result) -> dict[str, list[str]]:
    return {name: said for name, said in result.wrong.items() if said}


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_three_replicas_for_three_minutes(databases: Databases, seed: int) -> None:
    found = run(Soak(seed), databases)
    assert wrong(found) == {}, f"seed {seed}"
    assert found.outcomes["applied"] > 20, "too little happened for the blows to hit it"  # how much: the machine
    assert found.recoveries, "nothing was killed"


@pytest.mark.slow
def test_one_replica_on_sqlite() -> None:
    found = run(Soak(4, seconds=60.0, replicas=1, operations=60, services=8), None)
    assert wrong(found) == {}


# --- what it says


RESULT = Result(
    7,
    outcomes=Counter(applied=12, denied=2),
    failures=Counter({"failed: the cloud said no": 2}),
    refusals=Counter({"No such service.": 4}),
    recoveries=[
        Recovery("SIGKILL", 0.0, set(), 2.0),
        Recovery("SIGKILL", 0.0, set(), 6.0),
        Recovery("SIGTERM", 0, {"a"}),
    ],
    deliveries=Counter({"repeated": 3}),
    wrong={"all is well": [], "nothing is lost": ["7k3q was lost", "[bold]"]},
    quiet_after_s=4.26,
)


def shown(result: Result) -> list[str]:
    console = Console(width=100, record=True, file=io.StringIO())
    show(result, console)
    return [" ".join(line.split()) for line in console.export_text().splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        "applied 12",
        "denied 2",
        "failed: the cloud said no 2",
        "No such service. 4",
        "repeated 3",
        "SIGKILL 2 recovered after 4.0 s in the middle, 6.0 s at most",
        "SIGTERM 1 1 never recovered",
        "all is well right",
        "nothing is lost WRONG",
        "nothing is lost: 7k3q was lost",
        "nothing is lost: [bold]",
        "Quiet 4.3 s after the last request. Seed 7.",
    ],
)
def test_the_summary(line: str) -> None:
    assert line in shown(RESULT)


@pytest.mark.parametrize(("result", "code"), [(RESULT, 1), (Result(7, wrong={"all is well": []}), 0)])
def test_the_exit_code_says_whether_all_was_right(result: Result, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Soak] = []
    monkeypatch.setattr(program, "run", lambda soak, *_: asked.append(soak) or result)
    words = ["soak", "--seed", "7", "--replicas", "1", "--database", "sqlite", "--seconds", "5", "--operations", "9"]
    ran = CliRunner().invoke(sandbox, [*words, "--services", "4"])
    assert ran.exit_code == code
    assert asked == [Soak(7, seconds=5.0, replicas=1, operations=9, services=4)]


def test_several_replicas_on_sqlite_are_refused() -> None:
    ran = CliRunner().invoke(sandbox, ["soak", "--database", "sqlite"])
    assert ran.exit_code == 2
    assert ran.output == "SQLite is for one replica: write --replicas 1, or --database postgres.\n"
