"""Splits of traffic: whole percentages that add up, whatever they were made from."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from bot.core.ports import Traffic


def spread(weights: Mapping[str, float], total: int = 100) -> dict[str, int]:
    """`total` shared out by weight in whole numbers, by largest remainder (Hamilton's method).

    Every name is in the result, each less than one away from its exact share. Equal remainders go to the name that
    sorts first. Raises ValueError for a weight that is negative or not finite, and when all are zero.
    """
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()) or not any(weights.values()):
        raise ValueError(f"weights must be finite, not negative, and not all zero: {dict(weights)}")
    sum_of_weights = sum(map(Fraction, weights.values()))
    exact = {name: Fraction(weight) * total / sum_of_weights for name, weight in weights.items()}
    shares = {name: math.floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def merge(shares: Iterable[tuple[str, int]]) -> Traffic:
    """Shares of the same release added up, releases without traffic left out, most traffic first."""
    summed: Traffic = {}
    for release, percent in shares:
        summed[release] = summed.get(release, 0) + percent
    return dict(_by_share((release, percent) for release, percent in summed.items() if percent))


def describe(traffic: Traffic) -> str:
    """As people read it: "A 90 %, B 10 %", most traffic first."""
    return ", ".join(f"{release} {percent} %" for release, percent in _by_share(traffic.items())) or "no traffic"


def _by_share(shares: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(shares, key=lambda share: (-share[1], share[0]))
