"""The sequential test: what one minute adds, that weights and shared outages cancel out, that good releases pass."""

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.canary.evidence import EARLY, RISKS, Evidence, Sample, share

BEGUN = Evidence(Sample(until=100))


def minute(canary: int, canary_bad: int, stable: int, stable_bad: int, until: int = 101) -> Sample:
    return Sample(canary, canary_bad, stable, stable_bad, int(canary_bad > 0), until)


def of(*minutes: tuple[int, int, int, int], bursts: float = 1.0) -> Evidence:
    found = BEGUN
    for number, counts in enumerate(minutes, start=101):
        found = found.after(minute(*counts, until=number), bursts)
    return found


def expected(minutes: list[tuple[int, int, int, int]], bursts: float = 1.0) -> float:
    """The e-value as it is defined: a sum over risks and over the minutes in which the trouble may have begun."""
    total, unspent = 0.0, 1.0
    for start in range(len(minutes)):
        weight = 0.5 if start == 0 else 0.5 * EARLY / ((start + EARLY - 1) * (start + EARLY))
        unspent -= weight
        for risk in RISKS:
            ratio = 1.0
            for canary, canary_bad, stable, stable_bad in minutes[start:]:
                null, alternative = canary / (canary + stable), risk * canary / (risk * canary + stable)
                one = (alternative / null) ** canary_bad * ((1 - alternative) / (1 - null)) ** stable_bad
                ratio *= one ** (1 / bursts)
            total += weight * ratio / len(RISKS)
    return total + unspent


def test_risks_reach_from_half_as_much_again_to_forty_times() -> None:
    assert len(RISKS) == 12 and RISKS[0] == 1.5 and RISKS[-1] == pytest.approx(40)
    steps = {round(larger / smaller, 9) for smaller, larger in pairwise(RISKS)}
    assert len(steps) == 1


def test_nothing_is_no_evidence() -> None:
    assert BEGUN.e_value == 1
    assert of((10, 0, 90, 0), (10, 0, 90, 0)).e_value == pytest.approx(1)
    assert (BEGUN.start, BEGUN.total) == (Sample(until=100), Sample(until=100))


@pytest.mark.parametrize("bursts", [1.0, 9.0])
@pytest.mark.parametrize(
    "minutes",
    [
        [(10, 1, 90, 0)],
        [(10, 0, 90, 5)],
        [(60, 3, 540, 4), (60, 2, 540, 6), (60, 0, 540, 5)],
        [(60, 0, 540, 4), (60, 5, 540, 6), (150, 9, 450, 5)],
        [(10, 0, 90, 1)] * 30 + [(10, 2, 90, 1)] * 5,
    ],
)
def test_the_e_value_is_what_it_is_defined_to_be(minutes: list[tuple[int, int, int, int]], bursts: float) -> None:
    assert of(*minutes, bursts=bursts).e_value == pytest.approx(expected(minutes, bursts))


def test_the_expectation_of_one_minute_is_one() -> None:
    """Over all splits of ten bad answers, as likely as chance makes them when the canary is no worse."""
    canary, stable, bad = 25, 75, 10
    mean = sum(
        math.comb(bad, x) * 0.25**x * 0.75 ** (bad - x) * of((canary, x, stable, bad - x)).e_value
        for x in range(bad + 1)
    )
    assert mean == pytest.approx(1)


def test_bursts_only_weaken_the_expectation() -> None:
    mean = sum(
        math.comb(10, x) * 0.25**x * 0.75 ** (10 - x) * of((25, x, 75, 10 - x), bursts=4).e_value for x in range(11)
    )
    assert 0.5 < mean < 1


@given(st.integers(0, 20), st.integers(1, 100), st.floats(0.01, 1), st.floats(0, 1))
def test_of_a_minute_with_a_shift_it_is_at_most_one(bad: int, answered: int, weight: float, bound: float) -> None:
    """Whenever the bad answers came, before the shift or after it: each was the canary's with at most its weight."""
    chance, stable = bound * weight, 600 - answered
    mean = sum(
        math.comb(bad, x) * chance**x * (1 - chance) ** (bad - x)
        * BEGUN.after(minute(answered, x, stable, bad - x), 1.0, weight).e_value
        for x in range(bad + 1)
    )  # fmt: skip
    assert mean <= 1 + 1e-9


def test_a_part_that_is_seen_to_be_larger_counts() -> None:
    seen = minute(60, 4, 540, 1)
    assert BEGUN.after(seen, 1.0, 0.05) == BEGUN.after(seen, 1.0)
    assert BEGUN.after(seen, 1.0, 0.2).e_value < BEGUN.after(seen, 1.0).e_value


@given(st.integers(1, 500), st.integers(1, 5000), st.floats(0, 1))
def test_an_outage_that_both_share_says_nothing_against_the_canary(canary: int, stable: int, part: float) -> None:
    bad = int(canary * part)
    alike = round(stable * bad / canary)
    assert of((canary, bad, stable, min(stable, alike + 1))).e_value <= 1.5


COUNTS = st.tuples(st.integers(1, 50), st.integers(1, 500), st.integers(0, 50), st.integers(0, 500))


@given(st.lists(COUNTS, max_size=9))
def test_more_bad_answers_of_the_canary_never_help_it(minutes: list[tuple[int, int, int, int]]) -> None:
    real = [(canary, min(canary, bad), stable, min(stable, other)) for canary, stable, bad, other in minutes]
    worse = [(canary, canary, stable, other) for canary, _, stable, other in real]
    assert of(*worse).e_value >= of(*real).e_value * (1 - 1e-9)


def test_evidence_beyond_all_measure_stays_a_number_and_can_be_taken_back() -> None:
    found = of(*[(60000, 30000, 540000, 100)] * 20)
    assert math.isfinite(found.e_value) and found.e_value > 1e200
    for number in range(200):
        found = found.after(minute(60000, 0, 540000, 30000, 200 + number), 1.0)
    assert found.e_value < 1


def test_the_start_is_where_it_most_likely_began() -> None:
    found = of(*[(60, 0, 540, 1)] * 20, *[(60, 6, 540, 1)] * 3)
    assert found.start == Sample(1200, 0, 10800, 20, 0, 120)
    since = found.total.since(found.start)
    assert since == Sample(180, 18, 1620, 3, 3, 123)
    assert since.excess == pytest.approx(0.1 - 3 / 1620)


def test_the_start_is_the_beginning_when_it_was_bad_from_then_on() -> None:
    found = of(*[(60, 6, 540, 1)] * 5)
    assert found.start == Sample(until=100)
    assert found.total.since(found.start) == found.total


def test_what_began_long_after_is_found_too() -> None:
    """The prior has no end: half of a late beginning is expected within four hours, the other half after."""
    found = of(*[(60, 0, 540, 5)] * 1000, *[(60, 6, 540, 5)] * 4)
    assert found.e_value > 1000 and found.start.until == 1100


def test_shares() -> None:
    sample = Sample(200, 10, 1000, 20)
    assert (sample.canary_share, sample.stable_share, sample.excess) == (0.05, 0.02, pytest.approx(0.03))
    assert (share(0, 0), share(1, 4)) == (0.0, 0.25)


def test_a_good_release_seldom_looks_bad() -> None:
    """Ville: in at most 5 % of rollouts may the e-value ever reach 20; here, of 300, in none to fifteen."""
    rng, reached = random.Random(20261120), 0
    for _ in range(300):
        found, highest = BEGUN, 0.0
        for number in range(60):
            bad, other = (sum(rng.random() < 0.02 for _ in range(total)) for total in (6, 54))
            found = found.after(minute(6, bad, 54, other, number), 1.0)
            highest = max(highest, found.e_value)
        reached += highest >= 20
    assert 0 < reached <= 15
