"""How long requests took, as Cloud Monitoring tells it: counts by bucket (google/api/distribution.proto).

A bucket is never split to count: what is asked for is moved to the next edge. Only percentiles, which nobody counts
by, are read as if requests were spread evenly over their bucket.
"""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

from bot.core.errors import Permanent


@dataclass(frozen=True)
class Histogram:
    """`counts[0]` is below the first edge, `counts[n]` from edge n - 1 on, the last one beyond all edges; in ms."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, distribution: Any) -> Self:
        """From the proto. Raises Permanent when requests were counted, but not by bucket."""
        edges, counts = _edges(distribution.bucket_options), tuple(distribution.bucket_counts)
        if distribution.count and (not edges or not counts):
            raise Permanent("Cloud Monitoring tells how many requests there were, but not how long they took")
        return cls(edges, counts + (0,) * (len(edges) + 1 - len(counts)))

    def __add__(self, other: "Histogram") -> "Histogram":
        """Raises Permanent when the edges differ: that nobody can add up."""
        if self.edges != other.edges:
            raise Permanent("Cloud Monitoring tells request latencies by buckets that differ from release to release")
        return Histogram(self.edges, tuple(map(sum, zip(self.counts, other.counts, strict=True))))

    @property
    def total(self) -> int:
        return sum(self.counts)

    def edge_ms(self, at_least_ms: int) -> int:
        """The smallest edge, to the whole ms, that is not below; the last one when all are."""
        whole = [round(edge) for edge in self.edges]
        return whole[min(bisect_left(whole, at_least_ms), len(whole) - 1)]

    def over(self, edge_ms: int) -> int:
        """Requests that took as long as an edge or longer."""
        return sum(self.counts[bisect_left([round(edge) for edge in self.edges], edge_ms) + 1 :])

    def percentile_ms(self, part: float) -> float:
        """The time below which this part (0..1) of the requests is; beyond the last edge it is that edge."""
        rank, below = part * self.total, list(accumulate(self.counts))
        bucket = bisect_left(below, rank)
        low, high = (0.0, *self.edges, self.edges[-1])[bucket : bucket + 2]
        inside = (rank - below[bucket] + self.counts[bucket]) / max(1, self.counts[bucket])
        return low + (high - low) * inside


def _edges(options: Any) -> tuple[float, ...]:
    kind = options.WhichOneof("options")
    if kind == "explicit_buckets":
        return tuple(options.explicit_buckets.bounds)
    if kind == "linear_buckets":
        linear = options.linear_buckets
        return tuple(linear.offset + linear.width * number for number in range(linear.num_finite_buckets + 1))
    if kind == "exponential_buckets":
        growing = options.exponential_buckets
        return tuple(growing.scale * growing.growth_factor**number for number in range(growing.num_finite_buckets + 1))
    return ()
