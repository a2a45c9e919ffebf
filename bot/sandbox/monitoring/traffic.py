"""The traffic that the world sees: requests a minute, by release and response code, following the split in force.

Counts are Poisson, and a function of (seed, service, release, code, minute) and of what was true in that minute: any
range of minutes can be asked for at any time, in any order, and gives the same numbers. From the instant on at which a
service has real traffic, what was recorded of it counts instead.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring.recorded import minutes_of

MINUTE_S = 60
OK, NOT_FOUND, FAILED = "200", "404", "500"
CODES = (OK, NOT_FOUND, FAILED)
Counts = npt.NDArray[np.int64]
_Means = npt.NDArray[np.float64]
Item = TypeVar("Item")
_EXACT_BELOW = 50.0  # means up to here by inversion, above by the normal approximation


def requests(seed: int, state: ServiceState, release: str, first: int, last: int) -> dict[str, Counts]:
    """Requests of a release by code, for minutes `first` to `last` - 1 (minutes since 1970)."""
    means = _means(state, release, first, last)
    counted = {
        code: _poisson(key_of(seed, state.name, release, code), np.arange(first, last, dtype=np.uint64), mean)
        for code, mean in means.items()
    }
    for code in state.recorded.codes(release) if state.recorded else ():
        happened = recorded(state, release, code, first, last)
        counted[code] = counted[code] + happened if code in counted else happened
    return counted


def recorded(state: ServiceState, release: str, code: str, first: int, last: int) -> Counts:
    """Of those, the requests that really happened."""
    if state.recorded is None:
        return np.zeros(last - first, dtype=np.int64)
    at, _ = state.recorded.between(release, code, first, last)
    return np.bincount(minutes_of(at, first), minlength=last - first)


def codes(state: ServiceState, release: str) -> list[str]:
    """The response codes that a release may have answered."""
    return list(dict.fromkeys((*CODES, *(state.recorded.codes(release) if state.recorded else ()))))


def served(state: ServiceState, release: str) -> tuple[float, float] | None:
    """From when until when (seconds since 1970) a release had traffic, or None."""
    spans = [(start, end) for start, end, share in _shares(state, release) if share]
    if state.recorded and (span := state.recorded.span(release)):
        spans.append((span[0], float("inf")))  # also without a share: by a tag
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def _means(state: ServiceState, release: str, first: int, last: int) -> dict[str, _Means]:
    """The expected requests of each minute: share and error rate weighted by their seconds in it."""
    starts = np.arange(first, last, dtype=np.float64) * MINUTE_S
    means: dict[str, _Means] = {code: np.zeros(last - first) for code in CODES}
    real_since = state.recorded.since if state.recorded else float("inf")
    for begin, end, share in _shares(state, release):
        for since, until, failing in _qualities(state, release, begin, min(end, real_since)):
            seconds = np.clip(np.minimum(until, starts + MINUTE_S) - np.maximum(since, starts), 0, None)
            expected = state.rps * share * seconds
            means[FAILED] += expected * failing
            means[NOT_FOUND] += expected * (1 - failing) * state.not_found_rate
            means[OK] += expected * (1 - failing) * (1 - state.not_found_rate)
    return means


def _shares(state: ServiceState, release: str) -> Iterator[tuple[float, float, float]]:
    for start, end, split in spans(state.splits):
        yield start, end, split.get(release, 0) / 100


def _qualities(state: ServiceState, release: str, begin: float, end: float) -> Iterator[tuple[float, float, float]]:
    """The error rate of a release between two instants; before its first record it is the first record's."""
    rates = state.truths[release].error_rates
    for index, (since, until, rate) in enumerate(spans(rates)):
        since = max(begin, since if index else begin)
        if since < min(end, until):
            yield since, min(end, until), rate


def spans(log: list[tuple[datetime, Item]]) -> Iterator[tuple[float, float, Item]]:
    """Each entry of a log with the instants between which it held; the last one holds for ever."""
    ends = [*(start.timestamp() for start, _ in log[1:]), float("inf")]
    for (start, entry), end in zip(log, ends, strict=False):
        yield start.timestamp(), end, entry


def key_of(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


def _uniform(key: int, minutes: npt.NDArray[np.uint64]) -> _Means:
    """One number in (0, 1) a minute: the finaliser of SplitMix64 over a counter (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = np.uint64(key) + minutes * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53


def _poisson(key: int, minutes: npt.NDArray[np.uint64], means: _Means) -> Counts:
    uniform, counts = _uniform(key, minutes), np.zeros(len(means), dtype=np.int64)
    small = (means > 0) & (means <= _EXACT_BELOW)
    counts[small] = _inverted(uniform[small], means[small])
    large = means > _EXACT_BELOW
    angle = 2 * np.pi * _uniform(key ^ 0x5555555555555555, minutes[large])
    normal = np.sqrt(-2 * np.log(uniform[large])) * np.cos(angle)
    counts[large] = np.maximum(0, np.rint(means[large] + np.sqrt(means[large]) * normal)).astype(np.int64)
    return counts


def _inverted(uniform: _Means, means: _Means) -> Counts:
    """Poisson by inversion: how often the cumulated probability stays below the uniform number."""
    counts = np.zeros(len(means), dtype=np.int64)
    probability = np.exp(-means)
    cumulated, step = probability.copy(), 0
    while (above := uniform > cumulated).any() and step < 4 * _EXACT_BELOW:
        step += 1
        counts += above
        probability = probability * means / step
        cumulated += probability
    return counts
