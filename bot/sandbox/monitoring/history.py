"""The truth of a service minute by minute, as people who rehearse see it drawn; no API tells it so early.

Requests and failures are those that the metrics count. How long they took is a model of ours: a release answers as
fast as its name has it, and one that fails is slow too, because what fails mostly waits for something first.
"""

import hashlib
import math
from datetime import datetime
from typing import Any

import numpy as np

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring import traffic

FASTEST_MS, SPREAD_MS = 90, 70
SLOWER_BY = 14.0  # times as slow, were every request to fail
JITTER = 0.06


def minutes(seed: int, state: ServiceState, now: datetime, last: int) -> list[dict[str, Any]]:
    """The `last` whole minutes before `now`: at (unix seconds), requests, failed, p95_ms (null without requests)."""
    end = math.floor(now.timestamp() / traffic.MINUTE_S)
    begin = end - last
    requests, failed, slow = (np.zeros(last) for _ in range(3))
    for release in state.truths:
        span = traffic.served(state, release)
        if span is None or span[1] < begin * traffic.MINUTE_S:
            continue
        counts = traffic.requests(seed, state, release, begin, end)
        whole, bad = np.sum(list(counts.values()), axis=0), counts[traffic.FAILED]
        requests, failed = requests + whole, failed + bad
        share = np.divide(bad, whole, out=np.zeros(last), where=whole > 0)
        slow = slow + whole * p95_ms(release) * (1 + SLOWER_BY * share)
    return [
        {
            "at": (begin + number) * traffic.MINUTE_S,
            "requests": int(requests[number]),
            "failed": int(failed[number]),
            "p95_ms": round(slow[number] / requests[number] * _jitter(state.name, begin + number), 1)
            if requests[number]
            else None,
        }
        for number in range(last)
    ]


def p95_ms(release: str) -> float:
    """How long the slow ones of a release's requests take while none fails."""
    return FASTEST_MS + SPREAD_MS * _part(release)


def _jitter(service: str, minute: int) -> float:
    return 1 + JITTER * (2 * _part(f"{service} {minute}") - 1)


def _part(of: str) -> float:
    """A number from 0 to 1 that is always the same for a text."""
    return int.from_bytes(hashlib.blake2b(of.encode(), digest_size=4).digest(), "big") / 2**32
