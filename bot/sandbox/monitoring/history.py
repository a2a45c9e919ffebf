"""The truth of a service minute by minute, as people who rehearse see it drawn; no API tells it so early.

Requests, failures and how long they took are those that the metrics count.
"""

import math
from datetime import datetime
from typing import Any

import numpy as np

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.monitoring import latency, traffic


def minutes(seed: int, state: ServiceState, now: datetime, last: int) -> list[dict[str, Any]]:
    """The `last` whole minutes before `now`: at (unix seconds), requests, failed, p95_ms (null without requests)."""
    end = math.floor(now.timestamp() / traffic.MINUTE_S)
    begin = end - last
    requests, failed = (np.zeros(last, dtype=np.int64) for _ in range(2))
    taken = np.zeros((last, latency.FINITE + 2), dtype=np.int64)
    for release in state.truths:
        span = traffic.served(state, release)
        if span is None or span[1] < begin * traffic.MINUTE_S:
            continue
        for code, counts in traffic.requests(seed, state, release, begin, end).items():
            requests, failed = requests + counts, failed + (counts if code[0] == "5" else 0)
            taken += latency.histograms(seed, state, release, code, begin, counts)
    return [
        {
            "at": (begin + number) * traffic.MINUTE_S,
            "requests": int(requests[number]),
            "failed": int(failed[number]),
            "p95_ms": round(latency.percentile(taken[number], 0.95), 1) if requests[number] else None,
        }
        for number in range(last)
    ]
