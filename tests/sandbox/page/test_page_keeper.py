"""Who keeps the bot alive, with a bot that only pretends: it dies, comes back, cannot, and follows another clock."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.sandbox.page.keeper import Keeper
from bot.sandbox.replica import NotReady
from tests.sandbox.harness import until


class Bot:
    """A process that only counts."""

    def __init__(self) -> None:
        self.alive, self.starts, self.fails = False, list[dict[str, str]](), 0

    def start(self, **more: str) -> None:
        self.starts.append(more)
        self.alive = True

    def wait_ready(self) -> None:
        if self.fails:
            self.fails -= 1
            self.alive = False
            raise NotReady("it does not become ready")

    def is_running(self) -> bool:
        return self.alive

    def exit_code(self) -> int | None:
        return None if self.alive or not self.starts else -9

    def stop(self) -> int:
        self.alive = False
        return 0

    kill = stop
    pid = 4711


class Town:
    """What the keeper needs of a rehearsal."""

    def __init__(self) -> None:
        self.bot, self.settings, self.upgraded = Bot(), dict[str, str](), 0
        self.cloud = self

    def upgrade(self) -> None:
        self.upgraded += 1

    def rate(self, rate: float) -> dict[str, Any]:
        return {"rate": rate, "origin_unix_s": 1000.5}


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def keeper(town: Town) -> Iterator[Keeper]:
    made = Keeper(town, mourned_s=0.01)  # type: ignore[arg-type]
    yield made
    made.stop()
    assert not town.bot.alive


def test_it_starts_once(keeper: Keeper, town: Town) -> None:
    keeper.start()
    assert (keeper.state, town.upgraded, len(town.bot.starts), keeper.pid) == ("ready", 1, 1, 4711)


def test_another_one_after_each_death(keeper: Keeper, town: Town) -> None:
    keeper.start()
    for count in (1, 2):
        keeper.kill()
        until(lambda: keeper.state == "ready" and town.bot.alive)
        assert len(keeper.deaths) == count and len(town.bot.starts) == count + 1
    assert keeper.deaths == sorted(keeper.deaths)


def test_one_that_is_dead_cannot_be_killed(keeper: Keeper) -> None:
    keeper.kill()
    assert keeper.deaths == [] and keeper.state == "starting"


def test_one_that_dies_by_itself_comes_back_too(keeper: Keeper, town: Town) -> None:
    keeper.start()
    town.bot.alive = False
    until(lambda: len(town.bot.starts) == 2 and keeper.state == "ready")
    assert keeper.deaths == []


def test_it_does_not_give_up(keeper: Keeper, town: Town) -> None:
    keeper.start()
    town.bot.fails = 2
    keeper.kill()
    until(lambda: len(town.bot.starts) == 4 and keeper.state == "ready")
    assert keeper.trouble == ""


def test_a_first_one_that_does_not_come_up_is_said(keeper: Keeper, town: Town) -> None:
    town.bot.fails = 1
    with pytest.raises(NotReady):
        keeper.start()


def test_another_clock_means_another_bot(keeper: Keeper, town: Town) -> None:
    keeper.start()
    keeper.run_at(60.0)
    clock = {"AISQ_CLOCK__ORIGIN_UNIX_S": "1000.5", "AISQ_CLOCK__RATE": "60.0"}
    assert town.bot.starts == [{}, clock] and town.settings == clock and keeper.deaths == []
    keeper.kill()
    until(lambda: len(town.bot.starts) == 3)
    assert town.bot.starts[-1] == clock, "whoever comes next keeps to it"
