"""The traffic generator: deterministic, and true to splits and error rates minute by minute."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from google.cloud import run_v2

from bot.sandbox.cloud_run.state import ServiceState, Truth
from bot.sandbox.monitoring import traffic

START = datetime(2026, 9, 21, 12, 0, tzinfo=UTC)
FIRST = int(START.timestamp()) // 60
DAY = 24 * 60


def service(
    *splits: tuple[float, dict[str, int]], rps: float = 10.0, **rates: list[tuple[float, float]]
) -> ServiceState:
    """Splits and error rates by minutes after the start."""
    state = ServiceState(run_v2.Service(name="projects/p/locations/l/services/s"), rps=rps, not_found_rate=0.01)
    state.splits = [(START + timedelta(minutes=minute), split) for minute, split in splits]
    for release in {release for _, split in splits for release in split}:
        log = rates.get(release, [(0, 0.001)])
        changes = [(START + timedelta(minutes=minute), rate) for minute, rate in log]
        state.truths[release] = Truth(run_v2.RevisionTemplate(), error_rates=changes)
    return state


def total(state: ServiceState, release: str, minutes: tuple[int, int], seed: int = 1) -> dict[str, int]:
    counts = traffic.requests(seed, state, release, FIRST + minutes[0], FIRST + minutes[1])
    return {code: int(values.sum()) for code, values in counts.items()}


def near(value: int, mean: float) -> bool:
    """Within five standard deviations of a Poisson variable."""
    return abs(value - mean) <= 5 * max(1.0, mean**0.5)


def test_the_same_question_has_the_same_answer_however_it_is_cut() -> None:
    state = service((0, {"a": 100}))
    whole = traffic.requests(1, state, "a", FIRST, FIRST + DAY)
    for code, counts in whole.items():
        parts = [traffic.requests(1, state, "a", FIRST + at, FIRST + at + 90)[code] for at in range(0, DAY, 90)]
        assert np.array_equal(counts, np.concatenate(parts))


def test_seeds_services_releases_and_codes_differ() -> None:
    state, other = service((0, {"a": 50, "b": 50})), service((0, {"a": 50, "b": 50}))
    other.shown.name = "projects/p/locations/l/services/t"
    series = [
        traffic.requests(seed, one, release, FIRST, FIRST + 60)["200"]
        for seed, one, release in ((1, state, "a"), (2, state, "a"), (1, state, "b"), (1, other, "a"))
    ]
    assert len({tuple(values) for values in series}) == 4


@pytest.mark.parametrize("rps", [0.05, 0.5, 0.9, 2.0, 10.0, 500.0])
def test_a_day_has_as_many_requests_as_its_rate_says(rps: float) -> None:
    state = service((0, {"a": 100}), rps=rps, a=[(0, 0.02)])
    seen = total(state, "a", (0, DAY))
    requests = rps * 86_400
    assert near(seen["500"], requests * 0.02)
    assert near(seen["404"], requests * 0.98 * 0.01)
    assert near(seen["200"], requests * 0.98 * 0.99)


@pytest.mark.parametrize("rps", [0.2, 5.0])
def test_minutes_scatter_as_poisson_does(rps: float) -> None:
    counts = traffic.requests(3, service((0, {"a": 100}), rps=rps), "a", FIRST, FIRST + 5 * DAY)["200"]
    assert counts.var() == pytest.approx(counts.mean(), rel=0.08)
    assert abs(np.corrcoef(counts[1:], counts[:-1])[0, 1]) < 0.05


def test_a_split_is_followed_to_the_second() -> None:
    state = service((0, {"a": 100}), (60.5, {"a": 90, "b": 10}), (120, {"b": 100}))
    assert near(total(state, "a", (0, 60))["200"], 60 * 600 * 0.989)
    half = 0.5 * 600 + 0.5 * 540
    assert near(total(state, "a", (60, 61))["200"], half * 0.989)
    assert near(total(state, "b", (61, 120))["200"], 59 * 60 * 0.989)
    assert total(state, "a", (120, 200)) == {"200": 0, "404": 0, "500": 0}
    assert near(total(state, "b", (120, 180))["200"], 60 * 600 * 0.989)


def test_before_the_first_split_nobody_was_served() -> None:
    state = service((0, {"a": 100}))
    assert total(state, "a", (-60, 0)) == {"200": 0, "404": 0, "500": 0}
    assert traffic.served(state, "a") == (START.timestamp(), float("inf"))


def test_a_release_that_never_served_has_no_span() -> None:
    state = service((0, {"a": 100}), (10, {"a": 100, "b": 0}))
    assert traffic.served(state, "b") is None
    assert traffic.served(state, "a") == (START.timestamp(), float("inf"))


def test_an_error_rate_that_changes_holds_from_its_instant_on() -> None:
    state = service((0, {"a": 100}), a=[(0, 0.0), (60, 0.5)])
    assert total(state, "a", (0, 60))["500"] == 0
    assert near(total(state, "a", (60, 120))["500"], 60 * 600 * 0.5)


def test_errors_do_not_add_requests() -> None:
    good, bad = (service((0, {"a": 100}), a=[(0, rate)]) for rate in (0.0, 1.0))
    assert near(sum(total(good, "a", (0, 60)).values()), 36_000)
    assert total(bad, "a", (0, 60))["200"] == 0
    assert near(total(bad, "a", (0, 60))["500"], 36_000)


def test_thirty_days_can_be_asked_for_at_once() -> None:
    state = service((0, {"a": 100}), rps=0.01)
    month = traffic.requests(1, state, "a", FIRST, FIRST + 30 * DAY)["200"]
    assert len(month) == 30 * DAY
    assert near(int(month.sum()), 30 * 864 * 0.989)
