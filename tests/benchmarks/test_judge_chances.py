"""What the judge promises of chance, with fixed seeds; `python -m benchmarks judge` tries a thousand of each."""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from benchmarks.questions.judge import GOOD, NEVER_MISSED, RATES, WORSE
from benchmarks.rollouts import NOON, RULES, judged
from benchmarks.streams import Scenario, stream
from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally
from bot.core.judge import replay

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


def outage_from_the_shift_on(seed: int) -> Iterator[tuple[Tally, Tally]]:
    """A canary gets 10 % of 100 requests a second ten seconds before 12:01; from then on a fifth fails, of both."""
    rng = np.random.default_rng((12, seed))
    for minute in range(12):
        served_s, outage = (10, 0.2) if minute == 0 else (60, 0.2 if minute < 3 else 0.0)
        canary, stable, before = rng.poisson((10 * served_s, 90 * served_s, 100 * (60 - served_s))).tolist()
        bad, other = rng.binomial((canary, stable), 0.005 + outage).tolist()
        yield (
            Tally(total=canary, bad={"errors": bad, "slow": 0}),
            Tally(total=stable + before, bad={"errors": other + int(rng.binomial(before, 0.005)), "slow": 0}),
        )


def test_an_outage_that_begins_with_the_shift_is_not_the_canarys() -> None:
    """Of the minute of the shift it has too few requests for its part of the errors; that is not held against it."""
    rules = RULES.model_copy(update={"warm_up_s": 0})
    shifts = (Shift(since=NOON + timedelta(seconds=50), weight_pct=10),)
    reached = 0
    for seed in range(100):
        readings = [
            Reading(at=(until := NOON + timedelta(minutes=number)), minutes=(Minute(until=until, canary=a, stable=b),))
            for number, (a, b) in enumerate(outage_from_the_shift_on(seed), start=1)
        ]
        record = CanaryRecord(canary="canary", stable="stable", rules=rules, shifts=shifts, readings=tuple(readings))
        verdicts = replay(record)
        assert all(verdict.decision != "roll_back" for verdict in verdicts), seed
        reached += max(verdict.looks[0].e_value for verdict in verdicts) >= 20
    assert reached <= 5, "by chance alone in at most 5 of 100"
