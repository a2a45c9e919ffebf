"""Bounds of shares, how bursts are seen in a history, and how many more minutes would tell."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.canary.bounds import LONGEST_MINUTES, dispersion, highest_excess, minutes_until, sure_dispersion, wilson
from bot.core.canary.evidence import Sample

Z = 1.959964


@pytest.mark.parametrize(
    ("bad", "total", "low", "high"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(bad: int, total: int, low: float, high: float) -> None:
    assert wilson(bad / total, total, Z) == pytest.approx((low, high), abs=5e-5)


def test_nothing_bounds_nothing() -> None:
    assert wilson(0.0, 0, Z) == (0.0, 1.0)
    assert highest_excess(Sample(), 1.0, Z) == 1.0


@pytest.mark.parametrize(
    ("sample", "high"),
    [  # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10
        (Sample(70, 56, 80, 48), 0.3339),
        (Sample(10, 9, 10, 3), 0.8090),
        (Sample(7, 6, 7, 2), 0.8062),
        (Sample(56, 5, 29, 0), 0.1926),
        (Sample(10, 0, 20, 0), 0.2775),
    ],
)
def test_the_highest_excess_as_published(sample: Sample, high: float) -> None:
    # Samples are canary, canary_bad, stable, stable_bad.
    assert highest_excess(sample, 1.0, Z) == pytest.approx(high, abs=5e-5)


@given(st.integers(1, 500), st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1), st.floats(1, 25))
def test_the_bound_is_above_what_was_seen_and_grows_with_bursts(
    canary: int, stable: int, one: float, other: float, bursts: float
) -> None:
    sample = Sample(canary, int(canary * one), stable, int(stable * other))
    assert sample.excess - 1e-12 <= highest_excess(sample, 1.0, Z) <= 1 + 1e-12
    assert highest_excess(sample, bursts, Z) >= highest_excess(sample, 1.0, Z) - 1e-12


# --- bursts


@pytest.mark.parametrize(
    ("history", "bursts"),
    [
        ([], 1.0),
        ([(100, 5)], 1.0),
        ([(100, 0)] * 60, 1.0),
        ([(0, 0)] * 60, 1.0),
        ([(100, 1)] * 60, 1.0),
        ([(100, 0), (100, 10)], 10.0),
        ([(100, 0), (300, 20)], pytest.approx(20 / 3)),
        ([(1000, 0)] * 59 + [(1000, 900)], 25.0),
    ],
)
def test_dispersion(history: list[tuple[int, int]], bursts: float) -> None:
    assert dispersion(history) == bursts


def test_counts_that_follow_traffic_are_no_bursts() -> None:
    assert dispersion([(100, 1), (1000, 10), (5000, 50), (200, 2)]) == 1.0


@pytest.mark.parametrize(
    ("history", "is_sure"),
    [
        ([(60, 3), (60, 1), (60, 6)], False),  # as three minutes of one share may be
        ([(60, 3), (60, 1), (60, 8)] * 10, True),
        ([(60, 0)] * 12 + [(60, 9), (60, 9)], True),
        ([(60, 9)], False),
        ([(0, 0), (60, 9)], False),
        ([], False),
    ],
)
def test_a_few_minutes_may_vary_by_chance(history: list[tuple[int, int]], is_sure: bool) -> None:
    assert (sure_dispersion(history) > 1.0) is is_sure
    assert 1.0 <= sure_dispersion(history) <= dispersion(history)


def test_bursts_of_a_known_size_are_seen() -> None:
    """Bursts of geometric size with mean 5 vary nine times as much as single errors."""
    rng = random.Random(7)

    def bad() -> int:
        total = 0
        for _ in range(600):
            while rng.random() < 0.001:
                total += 1
                while rng.random() < 0.8:
                    total += 1
        return total

    assert 6 < dispersion([(6000, bad()) for _ in range(400)]) < 12


# --- how long it takes


@pytest.mark.parametrize(
    ("seen", "per_minute", "bursts", "below", "minutes"),
    [
        (Sample(0, 0, 0, 0), (6.0, 54.0), 1.0, 0.04, 16),  # 93 requests without an error
        (Sample(60, 0, 540, 0), (6.0, 54.0), 1.0, 0.04, 6),
        (Sample(92, 0, 900, 0), (6.0, 54.0), 1.0, 0.04, 1),
        (Sample(93, 0, 900, 0), (6.0, 54.0), 1.0, 0.04, 0),
        (Sample(0, 0, 0, 0), (6.0, 54.0), 9.0, 0.04, 139),  # nine times as many
        (Sample(29, 0, 261, 0), (1.0, 9.0), 1.0, 0.0004, 9571),
        (Sample(29, 0, 261, 0), (1.0, 9.0), 1.0, 0.0002, None),
        (Sample(60, 0, 540, 5), (0.0, 54.0), 1.0, 0.04, None),
        (Sample(0, 0, 0, 0), (0.001, 1.0), 1.0, 0.04, None),
    ],
)
def test_minutes_until(
    seen: Sample, per_minute: tuple[float, float], bursts: float, below: float, minutes: int | None
) -> None:
    assert minutes_until(seen, per_minute, bursts, Z, below) == minutes


def test_a_canary_that_was_worse_needs_longer() -> None:
    def needed(bad: int) -> int:
        return minutes_until(Sample(60, bad, 540, 5), (6.0, 54.0), 1.0, Z, 0.04) or 0

    waits = [needed(bad) for bad in range(6)]
    assert waits == sorted(waits) and 0 < waits[0] < waits[-1] < LONGEST_MINUTES


@given(st.integers(0, 200), st.floats(0, 0.1), st.floats(0.5, 600), st.floats(0.005, 0.3))
def test_after_so_many_minutes_it_is_so_and_not_before(canary: int, bad: float, rate: float, below: float) -> None:
    seen = Sample(canary, int(canary * bad), canary * 9, int(canary * 9 * bad))
    minutes = minutes_until(seen, (rate, rate * 9), 1.0, Z, below)
    if minutes is None:
        return
    usual = (seen.canary_bad + seen.stable_bad) / max(1, seen.canary + seen.stable)

    def bound(after: int) -> float:
        more, other = after * rate, after * rate * 9
        bads = seen.canary_bad + more * usual, seen.stable_bad + other * usual
        future: list[Any] = [seen.canary + more, bads[0], seen.stable + other, bads[1]]
        return highest_excess(Sample(*future), 1.0, Z)

    assert bound(minutes) < below
    assert minutes == 0 or bound(minutes - 1) >= below
