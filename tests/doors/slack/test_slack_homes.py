"""Homes kept right: shown when opened, changed when something changes, by whichever process is first."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.answer import Text
from bot.core.errors import StoreError, Transient
from bot.core.home import Home, Section
from bot.doors.slack.home import ANYHOW_S, EVERY_S, MOST, OPEN_FOR_S, Homes
from bot.doors.slack.outbound.calls import Limited, Refusal
from bot.doors.slack.outbound.views import View
from tests.doors.slack.harness import StillTime


class Overview:
    """What there is to see; a test changes it."""

    def __init__(self) -> None:
        self.said, self.reads, self.stamps = "one", 0, 0
        self.error: Exception | None = None

    def stamp(self) -> int:
        self.stamps += 1
        if self.error:
            raise self.error
        return sum(map(ord, self.said))

    def of(self, id: str) -> Home:
        self.reads += 1
        if self.error:
            raise self.error
        return Home(sections=(Section(title="Pins", lines=(Text(text=f"{id} {self.said}"),)),))


class Front:
    def __init__(self) -> None:
        self.overview = Overview()

    async def look(self, call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)


class Slack:
    """Homes by person; fails as told."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, str]] = []
        self.errors: list[Exception] = []

    async def publish(self, user: str, view: Any, hash: str = "") -> View:
        if self.errors:
            raise self.errors.pop(0)
        self.shown.append((user, str(view["blocks"][-1]).partition(f"{user} ")[2][:3], hash))
        return View(id="V1", hash=f"h{len(self.shown)}")


class Stage:
    def __init__(self) -> None:
        self.front, self.slack, self.time = Front(), Slack(), StillTime()
        self.homes = Homes(self.front, self.slack, self.time.monotonic)  # type: ignore[arg-type]

    async def opens(self, user: str = "U0BEN", hash: str = "") -> None:
        self.homes.opened(user, f"D{user[1:]}", hash)
        await self.homes.round()

    async def later(self, seconds: float = EVERY_S) -> None:
        self.time.advance(seconds)
        await self.homes.round()


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_it_is_shown_at_once_in_place_of_what_was_seen(stage: Stage) -> None:
    await stage.opens(hash="seen")
    assert stage.slack.shown == [("U0BEN", "one", "seen")]


async def test_it_changes_when_something_changes_and_only_then(stage: Stage) -> None:
    await stage.opens()
    for _ in range(3):
        await stage.later()
    assert len(stage.slack.shown) == 1
    stage.front.overview.said = "two"
    await stage.later()
    assert stage.slack.shown[1:] == [("U0BEN", "two", "h1")]


async def test_it_is_not_read_again_while_nothing_moves_but_for_what_expires(stage: Stage) -> None:
    await stage.opens("U0ANA")
    await stage.opens("U0BEN")
    for _ in range(5):
        await stage.later()
    assert stage.front.overview.reads == 2
    await stage.later(ANYHOW_S)
    assert (stage.front.overview.reads, len(stage.slack.shown)) == (4, 2)


async def test_when_somebody_may_be_allowed_something_else_it_is_read_again(stage: Stage) -> None:
    await stage.opens()
    stage.homes.doubt()
    await stage.later()
    assert (stage.front.overview.reads, len(stage.slack.shown)) == (2, 1)


async def test_while_nobody_looks_nobody_asks(stage: Stage) -> None:
    await stage.later()
    assert stage.front.overview.stamps == 0


async def test_many_changes_are_one(stage: Stage) -> None:
    await stage.opens()
    for said in ("two", "six", "ten"):
        stage.front.overview.said = said
        await stage.later(EVERY_S / 4)
    assert len(stage.slack.shown) == 1
    await stage.later()
    assert [said for _, said, _ in stage.slack.shown] == ["one", "ten"]


async def test_opened_again_it_is_shown_again(stage: Stage) -> None:
    await stage.opens()
    await stage.opens(hash="h1")
    assert [hash for *_, hash in stage.slack.shown] == ["", "h1"]


async def test_nobody_looks_for_ever(stage: Stage) -> None:
    await stage.opens()
    stage.front.overview.said = "two"
    await stage.later(OPEN_FOR_S)
    assert (len(stage.slack.shown), stage.front.overview.reads) == (1, 1)


async def test_not_too_many_are_kept_right(stage: Stage) -> None:
    for number in range(MOST + 5):
        stage.homes.opened(f"U{number}", "D1", "")
    await stage.homes.round()
    assert [user for user, *_ in stage.slack.shown] == [f"U{number}" for number in range(5, MOST + 5)]


async def test_after_another_process_was_faster_it_reads_again(stage: Stage) -> None:
    stage.slack.errors.append(Refusal("views.publish", "hash_conflict"))
    await stage.opens(hash="old")
    assert stage.front.overview.reads == 2
    assert stage.slack.shown == [("U0BEN", "one", "")]


@pytest.mark.parametrize("error", [Limited("views.publish", 2.0), Transient("not reached")])
async def test_what_could_not_be_shown_is_shown_later(stage: Stage, error: Exception) -> None:
    stage.slack.errors.append(error)
    await stage.opens()
    assert stage.slack.shown == []
    await stage.later()
    assert len(stage.slack.shown) == 1


async def test_what_slack_refuses_is_given_up(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.slack.errors.append(Refusal("views.publish", "not_enabled"))
    await stage.opens()
    await stage.later()
    assert (stage.slack.shown, stage.front.overview.reads) == ([], 1)
    assert "not_enabled" in caplog.text


async def test_a_database_that_is_away_is_said_and_forgotten_when_it_is_back(stage: Stage) -> None:
    stage.front.overview.error = StoreError("the database is away")
    await stage.opens()
    stage.front.overview.error = None
    await stage.later()
    assert [said for _, said, _ in stage.slack.shown] == ["", "one"]


async def test_one_that_fails_keeps_nobody_else_waiting(stage: Stage) -> None:
    stage.homes.opened("U0ANA", "D0ANA", "")
    stage.slack.errors.append(Transient("not reached"))
    await stage.opens("U0BEN")
    assert [user for user, *_ in stage.slack.shown] == ["U0BEN"]
