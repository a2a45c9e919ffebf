"""Requests of a canary and of the stable release, minute by minute, drawn by chance: the same for every rule.

Latencies are lognormal, median 80 ms and sigma 0.6: the 95th percentile is 215 ms, the bucket edge above it 289 ms.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Counts = NDArray[np.int64]  # runs x minutes
Chances = NDArray[np.float64]
MINUTES, BEFORE = 240, 60
WEIGHTS = (10, 25, 50)
EDGE_MS = 289
OUTAGE, OUTAGE_MINUTES, OUTAGE_BETWEEN = 0.2, 3, (5, 40)


class Slow(NamedTuple):
    """Shares of the answers that take longer than 289 ms and than 500 ms."""

    over_edge: float
    over_500: float


USUAL = Slow(0.0162, 0.00113)


@dataclass(frozen=True)
class Scenario:
    """What a canary is like. Shares of answers that are errors; from minute `onset` on it has `worse` of them."""

    name: str
    usual: float
    worse: float | None = None
    onset: int = 0
    outage: bool = False  # of both: a fifth more errors for three minutes, some time
    burst: int = 1  # so many errors come at once, on average
    slower: Slow | None = None

    @property
    def good(self) -> bool:
        return self.worse is None and self.slower is None


class Arm(NamedTuple):
    """Requests of one release, and the bad ones among them."""

    total: Counts
    errors: Counts
    slow: Counts
    over_500: Counts


class Split(NamedTuple):
    """Both releases at one weight."""

    canary: Arm
    stable: Arm


class Stream(NamedTuple):
    """All runs of one scenario: the stable release before, then both, at whatever weight a rule gives the canary."""

    before: Arm
    at: dict[int, Split]


def stream(scenario: Scenario, rps: int, runs: int, seed: tuple[int, ...]) -> Stream:
    """The same requests for the same seed."""
    rng = np.random.default_rng(seed)
    earlier, requests = rng.poisson(rps * 60, (runs, BEFORE)), rng.poisson(rps * 60, (runs, MINUTES))
    stable, canary = _chances(scenario, rng, runs)
    before = _arm(rng, earlier, np.full((runs, BEFORE), scenario.usual), USUAL, scenario.burst)
    at = {}
    for weight in WEIGHTS:
        of_canary = rng.binomial(requests, weight / 100)
        at[weight] = Split(
            _arm(rng, of_canary, canary, scenario.slower or USUAL, scenario.burst),
            _arm(rng, requests - of_canary, stable, USUAL, scenario.burst),
        )
    return Stream(before, at)


def _chances(scenario: Scenario, rng: Generator, runs: int) -> tuple[Chances, Chances]:
    """Of an error, for stable release and canary."""
    stable = np.full((runs, MINUTES), scenario.usual)
    canary = stable.copy()
    if scenario.worse is not None:
        canary[:, scenario.onset :] = scenario.worse
    if scenario.outage:
        begins = rng.integers(*OUTAGE_BETWEEN, size=runs)
        for minute in range(OUTAGE_MINUTES):
            stable[np.arange(runs), begins + minute] += OUTAGE
            canary[np.arange(runs), begins + minute] += OUTAGE
    return stable, canary


def _arm(rng: Generator, total: Counts, chance: Chances, slow: Slow, burst: int) -> Arm:
    over_edge = rng.binomial(total, slow.over_edge)
    over_500 = rng.binomial(over_edge, slow.over_500 / slow.over_edge)
    return Arm(total, _errors(rng, total, chance, burst), over_edge, over_500)


def _errors(rng: Generator, total: Counts, chance: Chances, burst: int) -> Counts:
    """Each alone, or in bursts of geometric size, of which there are that many fewer."""
    if burst == 1:
        return rng.binomial(total, chance)
    bursts = rng.poisson(total * chance / burst)
    more = rng.negative_binomial(np.maximum(bursts, 1), 1 / burst)
    return np.minimum(total, np.where(bursts > 0, bursts + more, 0))
