"""What a release is really like from its start: how often it fails, how fast it answers, whether it starts at all.

No API tells it. An image carries it, so that whoever deploys the image gets such a release.
"""

import hashlib
from dataclasses import dataclass

FASTEST_MS, SPREAD_MS = 90, 70


@dataclass(frozen=True)
class Quality:
    """`p95_ms` is of answers that do not fail; 0 means as fast as the release's name has it."""

    error_rate: float = 0.001
    starts: bool = True
    p95_ms: float = 0.0


def usual_p95_ms(release: str) -> float:
    """Some time from 90 to 160 ms that is always the same for a name."""
    return FASTEST_MS + SPREAD_MS * part(release)


def part(of: str) -> float:
    """A number from 0 to 1 that is always the same for a text."""
    return int.from_bytes(hashlib.blake2b(of.encode(), digest_size=4).digest(), "big") / 2**32
