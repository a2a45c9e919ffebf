"""How long requests took: a histogram a minute, of exactly the requests that were counted.

Answers that do not fail are spread log-normally below and above the release's own pace; those that fail take longer,
because what fails mostly waits for something first. Histograms are a function of the same things as the counts; where
requests really happened, they tell how long those took.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring import traffic
from bot.sandbox.monitoring.recorded import minutes_of
from bot.sandbox.monitoring.traffic import FAILED, MINUTE_S, Counts, key_of, spans
from bot.sandbox.quality import usual_p95_ms

SCALE_MS, GROWTH, FINITE = 1.0, 1.4, 66
EDGES_MS = SCALE_MS * GROWTH ** np.arange(FINITE + 1)  # bucket n is from edge n - 1 to edge n
MIDDLES_MS = (np.concatenate(([0.0], EDGES_MS)) + np.concatenate((EDGES_MS, EDGES_MS[-1:]))) / 2
SIGMA, Z95 = 0.5, 1.6448536269514722
FAILS_SLOWER = 8.0  # times

Histograms = npt.NDArray[np.int64]  # a row a minute, a column a bucket


def histograms(seed: int, state: ServiceState, release: str, code: str, first: int, counts: Counts) -> Histograms:
    """Those of minutes `first` and on (minutes since 1970), each adding up to its count."""
    happened = traffic.recorded(state, release, code, first, first + len(counts))
    found = made_up(seed, state, release, code, first, counts - happened)
    if state.recorded:
        at, took_ms = state.recorded.between(release, code, first, first + len(counts))
        np.add.at(found, (minutes_of(at, first), np.searchsorted(EDGES_MS, took_ms, side="right")), 1)
    return found


def made_up(seed: int, state: ServiceState, release: str, code: str, first: int, counts: Counts) -> Histograms:
    """Those of requests that nobody really made."""
    found = np.zeros((len(counts), FINITE + 2), dtype=np.int64)
    key, slower = key_of(seed, state.name, release, code, "latency"), FAILS_SLOWER if code == FAILED else 1.0
    for row in np.flatnonzero(counts):
        minute = first + int(row)
        found[row] = _spread(key, minute, int(counts[row]), _pace(state, release, minute) * slower)
    return found


def percentile(histogram: Histograms, part: float) -> float:
    """The time in ms below which this part of the requests is, as if they were spread evenly over each bucket."""
    rank, below = part * histogram.sum(), np.cumsum(histogram)
    bucket = int(np.searchsorted(below, rank))
    low, high = (0.0, *EDGES_MS, EDGES_MS[-1])[bucket : bucket + 2]
    inside = (rank - (below[bucket] - histogram[bucket])) / max(1, histogram[bucket])
    return float(low + (high - low) * inside)


def mean_ms(histogram: Histograms) -> float:
    """As if all of a bucket were in its middle."""
    return float(histogram @ MIDDLES_MS) / max(1, int(histogram.sum()))


def _pace(state: ServiceState, release: str, minute: int) -> float:
    """The p95 in force in the middle of a minute."""
    middle = (minute + 0.5) * MINUTE_S
    known = [p95_ms for since, until, p95_ms in spans(state.truths[release].paces) if since <= middle < until]
    return known[0] if known else usual_p95_ms(release)


@lru_cache(maxsize=10_000)  # who watches a rollout asks for its minutes again and again
def _spread(key: int, minute: int, count: int, p95_ms: float) -> Histograms:
    """So many requests over the buckets, at random."""
    return np.random.Generator(np.random.Philox(key=[key, minute])).multinomial(count, _shares(p95_ms))


@lru_cache(maxsize=256)
def _shares(p95_ms: float) -> tuple[float, ...]:
    """The part of requests in each bucket."""
    middle = math.log(p95_ms) - Z95 * SIGMA
    below = [0.5 * (1 + math.erf((math.log(edge) - middle) / (SIGMA * math.sqrt(2)))) for edge in EDGES_MS]
    return tuple(np.diff([0.0, *below, 1.0]))
