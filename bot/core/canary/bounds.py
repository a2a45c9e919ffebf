"""Bounds of shares that were counted: how much worse may a release be, how many more requests would tell.

Sources: Wilson 1927 (bounds of one share); Newcombe 1998, method 10 (bounds of the difference of two). Counts are
divided by how many bad answers come at once, which is a heuristic: bounds are measured to hold then, not proven to.
"""

import math
from collections.abc import Iterable

from bot.core.canary.evidence import Sample, share

MOST_BURSTS = 25.0
LONGEST_MINUTES = 14_400  # ten days


def dispersion(history: Iterable[tuple[int, int]]) -> float:
    """How many bad answers come at once: 1 when each comes alone, at most 25. From (requests, bad ones) a minute.

    Pearson's statistic: how much the counts vary over how much independent ones would.
    """
    minutes = [(total, bad) for total, bad in history if total]
    requests, bads = sum(total for total, _ in minutes), sum(bad for _, bad in minutes)
    if len(minutes) < 2 or not bads:
        return 1.0
    squares = sum(bad * bad / total for total, bad in minutes)
    return min(MOST_BURSTS, max(1.0, (requests / bads * squares - bads) / (len(minutes) - 1)))


def sure_dispersion(history: Iterable[tuple[int, int]]) -> float:
    """The same beyond what counts of so few minutes vary by chance: two standard deviations of the statistic, which is
    chi-squared by its degrees of freedom."""
    minutes = [(total, bad) for total, bad in history if total]
    by_chance = 1.0 + 2.0 * math.sqrt(2.0 / max(1, len(minutes) - 1))
    return max(1.0, dispersion(minutes) / by_chance)


def wilson(bad_share: float, total: float, z: float) -> tuple[float, float]:
    """The bounds of a share (0..1) that was seen in `total` requests; `z` standard deviations to either side."""
    if total <= 0:
        return 0.0, 1.0
    square = z * z
    centre = bad_share + square / (2 * total)
    half = z * math.sqrt(bad_share * (1 - bad_share) / total + square / (4 * total * total))
    whole = 1 + square / total
    return max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole)


def highest_excess(seen: Sample, bursts: float, z: float) -> float:
    """The upper bound of the canary's bad share less the stable's, -1..1."""
    return _highest(seen.canary_share, seen.canary / bursts, seen.stable_share, seen.stable / bursts, z)


def _highest(canary_share: float, canary: float, stable_share: float, stable: float, z: float) -> float:
    upper, lower = wilson(canary_share, canary, z)[1], wilson(stable_share, stable, z)[0]
    return canary_share - stable_share + math.hypot(upper - canary_share, stable_share - lower)


def minutes_until(seen: Sample, per_minute: tuple[float, float], bursts: float, z: float, below: float) -> int | None:
    """After how many more minutes `highest_excess` falls below a margin, should both be equally good from now on.

    `per_minute` is requests of canary and stable; None when it takes more than ten days.
    """
    usual = share(seen.canary_bad + seen.stable_bad, seen.canary + seen.stable)

    def falls(minutes: int) -> bool:
        more_canary, more_stable = minutes * per_minute[0], minutes * per_minute[1]
        canary, stable = seen.canary + more_canary, seen.stable + more_stable
        canary_share = share(seen.canary_bad + more_canary * usual, canary)
        stable_share = share(seen.stable_bad + more_stable * usual, stable)
        return _highest(canary_share, canary / bursts, stable_share, stable / bursts, z) < below

    low, high = -1, 1
    while not falls(high):
        if high == LONGEST_MINUTES:
            return None
        low, high = high, min(high * 2, LONGEST_MINUTES)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if falls(middle) else (middle, high)
    return high
