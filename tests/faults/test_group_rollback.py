"""Two services back to a moment by a real bot in a small cloud: one fails, one changes meanwhile, the bot dies."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.core.request import LEFT_AS_IT_IS
from bot.sandbox.crash_town import GOOD, SERVICE, Town
from tests.faults.releases import FRONTEND, TOB, Releases, about
from tests.faults.scene import played_in

BACKEND_NAME, FRONTEND_NAME = "ai-square/prod/backend", "ai-square/prod/frontend"
HOURS_S = 6 * 3600  # before the town began: what served then is known to its monitoring alone


class Estate(Releases):
    """A release that fails has all traffic of each."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.deploy_bad()
        self.worse = str(self.cloud.release(FRONTEND, error_rate=0.2, traffic=100))
        self.until(lambda: self.split(FRONTEND) == {self.worse: 100})
        self.forget()

    @property
    def text(self) -> str:
        then = datetime.fromtimestamp(self.town.town.origin_unix_s - HOURS_S, UTC)
        return f"rollback ai-square/prod --to {then:%Y-%m-%d %H:%M} UTC"

    def both(self) -> tuple[dict[str, int], dict[str, int]]:
        return self.split(SERVICE), self.split(FRONTEND)

    def writes(self) -> list[str]:
        """The services of the writes that took effect, in order."""
        return [call["resource"].rpartition("/")[2] for call in self.updates() if call["committed"]]


@pytest.fixture
def here(two: Town) -> Iterator[Estate]:
    with played_in(two, Estate) as made:
        yield made


def test_both_go_back_by_one_approval_the_one_that_needs_the_other_first(here: Estate) -> None:
    card = here.plan(here.text)
    assert f"frontend to {TOB}; backend to {GOOD}" in here.told(about(card))
    assert here.approve(card)
    assert here.ended(about(card))[0] == "applied"
    assert (here.both(), here.writes()) == (({GOOD: 100}, {TOB: 100}), ["frontend", "backend"])
    assert here.locks() == [BACKEND_NAME, FRONTEND_NAME]


def test_when_the_second_fails_the_first_is_put_back(here: Estate) -> None:
    here.cloud.fault("fail_rollout", service="backend")
    rescue = here.run(here.text)
    state, detail = here.ended(rescue)
    assert (state, here.both()) == ("failed", ({here.bad: 100}, {here.worse: 100}))
    assert detail.endswith(f"; put back: {BACKEND_NAME}, {FRONTEND_NAME}") and "Failed" in here.told(rescue)
    assert (here.locks(), here.writes()) == ([], ["frontend", "backend", "backend", "frontend"])


def test_when_one_changes_meanwhile_theirs_stays_and_is_named(here: Estate) -> None:
    theirs = {here.bad: 50, GOOD: 50}
    here.cloud.fault("slow_rollout", service="frontend", seconds=900)
    rescue = here.run(here.text)
    here.until(lambda: here.writes() == ["frontend"])
    here.cloud.traffic(SERVICE, theirs)
    state, detail = here.ended(rescue)
    assert (state, here.both()) == ("failed", (theirs, {here.worse: 100}))
    assert detail.startswith(LEFT_AS_IT_IS) and detail.endswith(f"; put back: {FRONTEND_NAME}")
    assert "backend" in detail.removesuffix(f"; put back: {FRONTEND_NAME}")


@pytest.mark.parametrize("when", ["after_commit", "after_answer"])
def test_when_the_bot_dies_between_two_the_next_one_goes_on(two: Town, here: Estate, when: str) -> None:
    card = here.plan(here.text)
    here.cloud.fault("kill", method="UpdateService", when=when, pid=two.bot.pid)
    assert here.approve(card)
    here.until(lambda: not two.bot.is_running())
    two.bot.start()
    two.bot.wait_ready()
    assert here.ended(about(card))[0] == "applied"
    assert (here.both(), here.writes()) == (({GOOD: 100}, {TOB: 100}), ["frontend", "backend"])
