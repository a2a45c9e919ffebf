"""What monitoring is asked for an error budget, and when its silence means that nothing is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.budget import budget_of, counted_to, told
from bot.core.catalog import Catalog
from bot.core.errors import CloudError, Transient
from bot.core.estate import System
from bot.core.ports import Metric, Point, Requests
from bot.core.request import Target
from bot.core.slo import Counted

NOW = datetime(2026, 11, 20, 12, 0, 42, 7, tzinfo=UTC)
UNTIL = datetime(2026, 11, 20, 11, 57, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Span = tuple[timedelta, timedelta, int]  # from, to and step, back from UNTIL


class Steady:
    """MetricReads of two releases that answer the same every minute, up to `silent_min` ago; every tenth answer of
    the second one is bad."""

    def __init__(self, a_minute: int = 100, silent_min: int = 0, trouble: CloudError | None = None) -> None:
        self._a_minute, self._silent, self._trouble = a_minute, silent_min * MINUTE, trouble
        self.asked: list[Span] = []

    def lag_s(self, target: Target) -> int:
        return 180

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        if self._trouble:
            raise self._trouble
        self.asked.append((UNTIL - since, UNTIL - until, step_s))
        step = timedelta(seconds=step_s)
        ends = [until - number * step for number in range((until - since) // step)]
        heard = {at: min(at, UNTIL - self._silent) - (at - step) for at in ends}
        return tuple(one for at, span in heard.items() if span > 0 * MINUTE for one in self._at(at, span // MINUTE))

    def _at(self, at: datetime, minutes: int) -> tuple[Requests, ...]:
        total = self._a_minute * minutes
        both = {"good": 0, "bad": total // 10}
        return tuple(Requests(release=name, until=at, total=total, errors=bad) for name, bad in both.items())

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        raise AssertionError("nobody asks")


def catalog(**slo: object) -> Catalog:
    services = {"till": {"type": "cloud_run", "instances": {"min": 1, "max": 2}, "slo": slo}}
    whole = {
        "system": "shop",
        "title": "Shop",
        "owner": "us",
        "environments": {"prod": {"stage": "prod", "services": services}},
    }
    return Catalog(systems={"shop": System.model_validate(whole)})


TEN = catalog(objective_pct=90, burn_alerts=[{"long": "6h", "short": "30m", "budget_pct": 1, "urgency": "page"}])
TILL = TEN.target("shop", "prod", "till")


@pytest.mark.parametrize(
    ("window", "asked"),
    [
        ("30d", [((6, 0), 60), ((72, 6), 3600), ((720, 72), 86400)]),
        ("7d", [((6, 0), 60), ((72, 6), 3600), ((168, 72), 86400)]),
        ("2d", [((6, 0), 60), ((48, 6), 3600), ((48, 48), 86400)]),
        ("3h", [((3, 0), 60), ((3, 3), 3600), ((3, 3), 86400)]),
    ],
)
def test_what_is_asked_reaches_back_for_the_window(window: str, asked: list[tuple[tuple[int, int], int]]) -> None:
    metrics = Steady()
    budget_of(TILL, metrics, catalog(objective_pct=99.5, window=window), NOW)
    hours = timedelta(hours=1)
    assert metrics.asked == [(far * hours, near * hours, step_s) for (far, near), step_s in asked]


def test_the_answers_of_all_releases_are_one_budget() -> None:
    """Of 200 a minute 10 are bad: half of the tenth that may be."""
    budget = budget_of(TILL, Steady(), TEN, NOW)
    assert budget.state == "known" and budget.left == pytest.approx(0.5)
    assert [burn.long_rate for burn in budget.burns] == [pytest.approx(0.5)]
    assert told(budget) == ({"error_budget": "smaller steps"}, {"error_budget_left_pct": pytest.approx(50)})


@pytest.mark.parametrize("silent_min, state", [(0, "known"), (6, "known"), (8, "unknown"), (60, "unknown")])
def test_a_busy_service_is_never_silent(silent_min: int, state: str) -> None:
    """Three minutes late anyway, so that up to seven more still tell of now."""
    assert budget_of(TILL, Steady(silent_min=silent_min), TEN, NOW).state == state


@pytest.mark.parametrize("silent_min, state", [(0, "known"), (60, "known"), (1200, "unknown")])
def test_a_quiet_one_is_now_and_then(silent_min: int, state: str) -> None:
    budget = budget_of(TILL, Sparse(silent_min), TEN, NOW)
    assert budget.state == state


class Sparse(Steady):
    """An answer in four minutes."""

    def __init__(self, silent_min: int) -> None:
        super().__init__(silent_min=silent_min)

    def _at(self, at: datetime, minutes: int) -> tuple[Requests, ...]:
        total = minutes // 4 or int(at.minute % 4 == 0)
        return (Requests(release="good", until=at, total=total, errors=0),)


def test_what_cannot_be_read_is_unknown() -> None:
    budget = budget_of(TILL, Steady(trouble=Transient("503 from monitoring")), TEN, NOW)
    assert budget.sentence.startswith("The error budget is unknown, because monitoring could not be read;")
    assert told(budget) == ({"error_budget": "unknown"}, {})


def test_what_was_never_counted_is_unknown() -> None:
    budget = budget_of(TILL, Steady(silent_min=10**6), TEN, NOW)
    assert "because nothing was counted after 2026-10-21 11:57 UTC" in budget.sentence


def test_alerts_that_could_never_fire_are_left_out() -> None:
    budget = budget_of(TILL, Steady(), catalog(objective_pct=90), NOW)
    assert [burn.alert.name for burn in budget.burns] == [
        "page on 6h and 30m", "ticket on 1d and 2h", "ticket on 3d and 6h"
    ]  # fmt: skip


# --- how silence is told from idleness


def counts(*minutes: tuple[int, int]) -> Sequence[Counted]:
    """Requests in the five minutes up to so many minutes ago."""
    return [Counted(since=UNTIL - (ago + 5) * MINUTE, until=UNTIL - ago * MINUTE, total=n, bad=0) for ago, n in minutes]


@pytest.mark.parametrize(
    ("minutes", "ago"),
    [
        ([], 600),
        ([(5, 0), (10, 0)], 600),
        ([(0, 1)], 0),
        ([(10, 119)], 0),
        ([(10, 120)], 10),
        ([(10, 60), (60, 60)], 10),
        ([(10, 60), (70, 10_000)], 0),  # an hour before that, it was busier
        ([(5, 0), (10, 120)], 10),
        ([(70, 17)], 0),
        ([(70, 18)], 70),
    ],
)
def test_up_to_when_monitoring_has_counted(minutes: list[tuple[int, int]], ago: int) -> None:
    assert counted_to(counts(*minutes), UNTIL - 600 * MINUTE, UNTIL) == UNTIL - ago * MINUTE


def test_a_count_of_a_day_is_no_busy_hour() -> None:
    day = Counted(since=UNTIL - timedelta(days=4), until=UNTIL - timedelta(days=3), total=6, bad=0)
    assert counted_to([day], UNTIL - timedelta(days=30), UNTIL) == UNTIL
    busy = day.model_copy(update={"total": 7})
    assert counted_to([busy], UNTIL - timedelta(days=30), UNTIL) == day.until


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), max_size=20))
def test_it_is_never_before_the_newest_count_nor_after_the_end(some: list[tuple[int, int]]) -> None:
    minutes = [(5 * ago, total) for ago, total in some]
    since = UNTIL - 1000 * MINUTE
    found = counted_to(counts(*minutes), since, UNTIL)
    newest = max((UNTIL - ago * MINUTE for ago, total in minutes if total), default=since)
    assert newest <= found <= UNTIL
