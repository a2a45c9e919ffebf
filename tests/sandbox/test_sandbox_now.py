"""A sandbox whose time begins at another instant than the real one: a world of a certain day."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.sandbox import server
from bot.sandbox.clock import ScaledClock
from bot.sandbox.process import SandboxProcess

THEN = datetime(2026, 11, 21, 8, tzinfo=UTC)
WORLD = "projects: {p: {services: {s: {releases: [{name: 00001-aaa, age: 1d}]}}}}"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)
    return path


@pytest.mark.parametrize("rate", [0.5, 2, 300, 3600])
@pytest.mark.parametrize("real", [THEN + timedelta(days=400), THEN - timedelta(hours=1), THEN])
def test_it_begins_there_and_runs_at_its_rate(rate: float, real: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", real.timestamp)
    clock = ScaledClock.starting_at(THEN, rate)
    assert abs(clock.now() - THEN) < timedelta(milliseconds=10)
    monkeypatch.setattr(time, "time", (real + timedelta(seconds=10)).timestamp)
    assert abs(clock.now() - THEN - timedelta(seconds=10 * rate)) < timedelta(milliseconds=10)


def test_whoever_knows_origin_and_rate_has_the_same_time() -> None:
    clock = ScaledClock.starting_at(THEN, 300)
    other = ScaledClock(clock.rate, clock.origin_unix_s)
    assert abs(other.now() - clock.now()) < timedelta(seconds=60)


@pytest.mark.parametrize("rate", [0, 60])
def test_as_a_process(rate: float, world: Path) -> None:
    with SandboxProcess(rate=rate, now=THEN, world=world) as sandbox:
        now = datetime.fromisoformat(sandbox.control.clock()["now"])
        assert now == THEN if rate == 0 else THEN < now < THEN + timedelta(hours=12)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--now", "2026-11-21T08:00:00"], "an instant has a zone: 2026-11-21T08:00:00Z"),
        (["--now", "yesterday"], "--now"),
        (["--now", "2026-11-21T08:00:00Z"], "must run at another rate than 1"),
    ],
)
def test_what_cannot_be_is_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server.main(arguments)
    assert sentence in capsys.readouterr().err
