"""`aisq sandbox …`: what is typed, and what it comes to."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from bot.sandbox import up
from bot.sandbox.commands import SIGNALS, sandbox


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The group takes them over."""
    before = [signal.getsignal(one) for one in SIGNALS]
    yield
    for one, handler in zip(SIGNALS, before, strict=True):
        signal.signal(one, handler)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `up` was asked for; it does nothing else."""
    found: list[Any] = []

    def main(rate: float, state: str, *, real_traffic: bool = False) -> int:
        found.append((rate, state, real_traffic))
        return 0

    monkeypatch.setattr(up, "main", main)
    return found


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["up"], (10.0, "", False)),
        (["up", "--rate", "2", "--state", "here"], (2.0, "here", False)),
        (["up", "--real-traffic"], (10.0, "", True)),
        (["--real-traffic"], (10.0, "", True)),
        (["--real-traffic", "up", "--rate", "3"], (3.0, "", True)),
    ],
)
def test_up(asked: list[Any], words: list[str], meant: tuple[float, str, bool]) -> None:
    assert CliRunner().invoke(sandbox, words).exit_code == 0
    assert asked == [meant]


def test_alone_it_says_what_there_is(asked: list[Any]) -> None:
    said = CliRunner().invoke(sandbox, [])
    assert (said.exit_code, asked) == (2, [])
    assert "crash-matrix" in said.output and "--real-traffic" in said.output


@pytest.mark.parametrize("command", ["demo", "crash-matrix", "soak"])
def test_only_up_has_real_traffic(asked: list[Any], command: str) -> None:
    said = CliRunner().invoke(sandbox, ["--real-traffic", command])
    assert (said.exit_code, asked) == (2, [])
    assert f"{command} has no --real-traffic; up has." in said.output
