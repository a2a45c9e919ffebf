"""How long requests took: slow ones counted over an edge, percentiles, and distributions as Google writes them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.api import distribution_pb2

from bot.core.errors import Permanent
from bot.core.ports import METRICS, Metric
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.cloud_monitoring import CloudMonitoring
from bot.providers.cloud_monitoring.histogram import Histogram
from bot.sandbox.process import SandboxProcess

HOUR = timedelta(hours=1)
EXPONENTIAL = {"exponential_buckets": {"num_finite_buckets": 3, "growth_factor": 2.0, "scale": 100.0}}
LINEAR = {"linear_buckets": {"num_finite_buckets": 3, "width": 50.0, "offset": 100.0}}
EXPLICIT = {"explicit_buckets": {"bounds": [100.0, 250.0, 1000.0]}}


def distribution(counts: list[int], **options: Any) -> distribution_pb2.Distribution:
    return distribution_pb2.Distribution(
        count=sum(counts), bucket_counts=counts, bucket_options=distribution_pb2.Distribution.BucketOptions(**options)
    )


# --- histograms


@pytest.mark.parametrize(
    ("options", "edges"),
    [
        (EXPONENTIAL, (100.0, 200.0, 400.0, 800.0)),
        (LINEAR, (100.0, 150.0, 200.0, 250.0)),
        (EXPLICIT, (100.0, 250.0, 1000.0)),
    ],
)
def test_edges(options: dict[str, Any], edges: tuple[float, ...]) -> None:
    found = Histogram.of(distribution([1, 2], **options))
    assert found.edges == edges
    assert found.counts == (1, 2, *[0] * (len(edges) - 1)), "empty buckets at the end are not sent"


@pytest.mark.parametrize(
    ("asked_ms", "edge_ms", "slow"),
    [
        (1, 100, 14),
        (100, 100, 14),
        (101, 200, 12),
        (200, 200, 12),
        (399, 400, 9),
        (800, 800, 5),
        (5000, 800, 5),  # beyond all edges nobody can count
    ],
)
def test_slow_is_counted_from_an_edge_on(asked_ms: int, edge_ms: int, slow: int) -> None:
    found = Histogram.of(distribution([1, 2, 3, 4, 5], **EXPONENTIAL))
    assert found.edge_ms(asked_ms) == edge_ms
    assert found.over(edge_ms) == slow


def test_an_edge_between_two_ms_is_told_in_whole_ones_and_found_again() -> None:
    options = {"exponential_buckets": {"num_finite_buckets": 20, "growth_factor": 1.4, "scale": 1.0}}
    found = Histogram.of(distribution([0] * 16 + [3, 5], **options))
    assert found.edge_ms(200) == 218  # 1.4 ** 16 is 217.8
    assert found.edge_ms(218) == 218
    assert found.over(218) == 5


@pytest.mark.parametrize(
    ("counts", "part", "ms"),
    [
        ([10], 0.5, 50.0),
        ([0, 10], 0.95, 195.0),
        ([5, 5], 0.5, 100.0),
        ([5, 5], 0.75, 150.0),
        ([0, 0, 0, 0, 4], 0.5, 800.0),
        ([0, 0, 8, 2], 0.9, 600.0),
    ],
)
def test_percentiles(counts: list[int], part: float, ms: float) -> None:
    assert Histogram.of(distribution(counts, **EXPONENTIAL)).percentile_ms(part) == pytest.approx(ms)


def test_histograms_with_other_edges_are_not_added_up() -> None:
    one, other = (Histogram.of(distribution([1], **options)) for options in (LINEAR, EXPLICIT))
    assert (one + one).counts == (2, 0, 0, 0, 0)
    with pytest.raises(Permanent, match="buckets that differ"):
        _ = one + other


@pytest.mark.parametrize("made", [distribution([], **LINEAR), distribution_pb2.Distribution()])
def test_counts_without_buckets_are_no_latencies(made: distribution_pb2.Distribution) -> None:
    assert Histogram.of(made).total == 0
    made.count = 3
    with pytest.raises(Permanent, match="not how long they took"):
        Histogram.of(made)


# --- the provider


@pytest.fixture
def metrics(google: Google) -> CloudMonitoring:
    return CloudMonitoring(google)


@pytest.fixture
def until(sandbox: SandboxProcess) -> datetime:
    return datetime.fromisoformat(sandbox.control.clock()["now"]).replace(second=0, microsecond=0) - HOUR


@pytest.fixture
def lone(target_of: Callable[[str], Target]) -> Target:
    """One release for 40 days, 2 requests a second, one of ten fails, and takes long."""
    return target_of("lone")


@pytest.mark.parametrize("step_s", [60, 3600])
def test_slow_answers_beside_the_same_totals_and_errors(
    metrics: CloudMonitoring, lone: Target, until: datetime, step_s: int
) -> None:
    plain = metrics.requests(lone, until - HOUR, until, step_s)
    counted = metrics.requests(lone, until - HOUR, until, step_s, 300)
    assert [one.model_copy(update={"slow": None, "slow_from_ms": None}) for one in counted] == list(plain)
    assert {one.slow_from_ms for one in counted} == {305}
    assert all(one.slow is not None and one.slow < one.total for one in counted)
    assert sum(one.slow or 0 for one in counted) > 0, "though a minute may have none"
    assert {one.slow for one in plain} == {None}


def test_slower_than_less_is_more(metrics: CloudMonitoring, lone: Target, until: datetime) -> None:
    found = [metrics.requests(lone, until - HOUR, until, 3600, edge)[0].slow for edge in (1, 50, 100, 400, 2000, 10**9)]
    assert found == sorted(found, reverse=True)
    assert found[0] == metrics.requests(lone, until - HOUR, until, 3600)[0].total
    assert found[-1] == 0


def test_a_release_that_answers_slowly_shows(rig: Any, metrics: CloudMonitoring) -> None:
    since = rig.now().replace(second=0, microsecond=0)
    rig.control.quality(rig.path, rig.release(3), error_rate=0.0, p95_ms=900)
    rig.control.advance(1200)
    counted = metrics.requests(rig.target, since, since + timedelta(minutes=15), 900, 400)
    assert sum(one.slow or 0 for one in counted) > 0.3 * sum(one.total for one in counted)
    rig.control.quality(rig.path, rig.release(3), p95_ms=100)
    rig.control.advance(1200)
    since = rig.now().replace(second=0, microsecond=0) - timedelta(minutes=15)
    later = metrics.requests(rig.target, since, since + timedelta(minutes=10), 600, 400)
    assert sum(one.slow or 0 for one in later) == 0


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [
        ("requests", 1.9, 2.1),
        ("errors", 8.5, 11.5),
        ("latency_p50", 40, 90),
        ("latency_p95", 300, 1300),
        ("latency_p99", 500, 2000),
    ],
)
def test_series(
    metrics: CloudMonitoring, lone: Target, until: datetime, metric: Metric, low: float, high: float
) -> None:
    found = metrics.series(lone, metric, until - 6 * HOUR, until, 3600)
    assert [one.until for one in found] == [until - hours * HOUR for hours in range(5, -1, -1)]
    assert {one.release for one in found} == {"lone-00001-abc"}
    assert all(low < one.value < high for one in found), found


def test_every_metric_has_a_unit_and_a_series(metrics: CloudMonitoring, lone: Target, until: datetime) -> None:
    for metric, unit in METRICS.items():
        assert unit
        assert metrics.series(lone, metric, until - HOUR, until, 3600)


def test_a_step_without_requests_has_no_percentile(
    metrics: CloudMonitoring, target_of: Callable[[str], Target], until: datetime
) -> None:
    """Three requests in a thousand seconds."""
    quiet = target_of("quiet")
    requests = metrics.series(quiet, "requests", until - HOUR, until, 60)
    assert 0 < len(requests) < 40
    assert [one.until for one in metrics.series(quiet, "latency_p95", until - HOUR, until, 60)] == [
        one.until for one in requests
    ]


@pytest.mark.parametrize("step_s", [0, 59])
def test_steps_that_monitoring_cannot_count(
    metrics: CloudMonitoring, lone: Target, until: datetime, step_s: int
) -> None:
    with pytest.raises(Permanent, match="in steps of 60 s or more"):
        metrics.series(lone, "latency_p95", until - HOUR, until, step_s)


def test_less_than_a_step_is_empty(metrics: CloudMonitoring, lone: Target, until: datetime) -> None:
    assert metrics.series(lone, "latency_p95", until, until, 60) == ()
    assert metrics.requests(lone, until, until, 60, 300) == ()
