"""What the judge promises of chance, with fixed seeds; `python -m benchmarks judge` tries a thousand of each."""

import numpy as np
import pytest

from benchmarks.questions.judge import GOOD, NEVER_MISSED, RATES, WORSE
from benchmarks.rollouts import judged
from benchmarks.streams import Scenario, stream

FEW, MANY = 50, 300


@pytest.mark.parametrize("scenario", GOOD, ids=lambda scenario: scenario.name)
def test_good_releases_are_not_rolled_back(scenario: Scenario) -> None:
    ended = judged(stream(scenario, 10, FEW, (8, GOOD.index(scenario))))
    assert np.isnan(ended.rolled_back).all()


@pytest.mark.slow
@pytest.mark.parametrize("rps", RATES)
@pytest.mark.parametrize("scenario", GOOD, ids=lambda scenario: scenario.name)
def test_of_many_good_releases_one_in_a_hundred_may_be_rolled_back(scenario: Scenario, rps: int) -> None:
    ended = judged(stream(scenario, rps, MANY, (9, GOOD.index(scenario), rps)))
    assert np.isfinite(ended.rolled_back).sum() <= MANY / 100


@pytest.mark.parametrize("name", sorted(NEVER_MISSED))
def test_five_times_as_many_errors_are_never_missed(name: str) -> None:
    scenario = next(one for one in WORSE if one.name == name)
    ended = judged(stream(scenario, 10, FEW, (10, WORSE.index(scenario))))
    assert np.isfinite(ended.rolled_back).all()
    assert np.median(ended.rolled_back) - scenario.onset <= 6


def test_a_release_with_five_percent_errors_is_rolled_back_within_minutes() -> None:
    """Of which the first is left out, and counts are taken to be there at once."""
    ended = judged(stream(Scenario("the rehearsal's", 0.001, 0.05), 10, FEW, (11,)))
    assert np.median(ended.rolled_back) == 3 and (ended.rolled_back <= 8).all()
