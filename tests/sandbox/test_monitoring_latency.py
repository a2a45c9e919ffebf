"""Request latencies: histograms of exactly the requests that were counted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from google.api_core import exceptions as gx
from google.cloud import monitoring_v3, run_v2

from bot.sandbox.cloud_run.state import ServiceState, Truth
from bot.sandbox.monitoring import latency, traffic
from bot.sandbox.quality import Quality, usual_p95_ms
from tests.sandbox.harness import START_UNIX_S, Cloud

NOW = datetime.fromtimestamp(START_UNIX_S, UTC)
FIRST = int(START_UNIX_S) // 60
BAD, NEW = "web-00002-bec", "web-00003-cid"
WEB = (
    'metric.type = "run.googleapis.com/request_latencies" AND resource.type = "cloud_run_revision" '
    'AND resource.labels.service_name = "web"'
)
EACH = {
    "alignment_period": {"seconds": 300},
    "per_series_aligner": "ALIGN_DELTA",
    "cross_series_reducer": "REDUCE_SUM",
    "group_by_fields": ["resource.labels.revision_name", "metric.labels.response_code_class"],
}


def service(*paces: tuple[float, float], rps: float = 20.0, error_rate: float = 0.0) -> ServiceState:
    """One release; `paces` are (minutes after the start, p95 in ms)."""
    state = ServiceState(run_v2.Service(name="projects/p/locations/l/services/s"), rps, 0.0)
    state.splits = [(NOW - timedelta(days=1), {"a": 100})]
    truth = Truth.of(run_v2.RevisionTemplate(), Quality(error_rate), "", NOW - timedelta(days=1))
    truth.paces = [(NOW + timedelta(minutes=minutes), p95_ms) for minutes, p95_ms in paces]
    state.truths["a"] = truth
    return state


def taken(state: ServiceState, minutes: range, code: str = traffic.OK, seed: int = 3) -> latency.Histograms:
    counts = traffic.requests(seed, state, "a", FIRST + minutes.start, FIRST + minutes.stop)[code]
    return latency.histograms(seed, state, "a", code, FIRST + minutes.start, counts)


def ask(cloud: Cloud, text: str = WEB, minutes: float = 10, **more: Any) -> list[monitoring_v3.TimeSeries]:
    end = cloud.clock.now()
    interval = {"start_time": end - timedelta(minutes=minutes), "end_time": end}
    return list(
        cloud.metrics.list_time_series(request={"name": "projects/shop", "filter": text, "interval": interval, **more})
    )


# --- the model


def test_every_request_is_in_one_bucket_and_the_past_never_changes() -> None:
    state = service()
    counts = traffic.requests(3, state, "a", FIRST, FIRST + 60)[traffic.OK]
    found = taken(state, range(60))
    assert (found.sum(axis=1) == counts).all()
    assert (taken(state, range(20, 40)) == found[20:40]).all(), "asked for in parts, the same"
    assert (taken(state, range(60), seed=4) != found).any()


@pytest.mark.parametrize("p95_ms", [40.0, 215.0, 3000.0])
def test_the_95th_percentile_is_the_pace(p95_ms: float) -> None:
    found = taken(service((-60, p95_ms)), range(240)).sum(axis=0)
    assert latency.percentile(found, 0.95) == pytest.approx(p95_ms, rel=0.1)
    assert latency.percentile(found, 0.5) < p95_ms / 1.8
    assert latency.mean_ms(found) < p95_ms


def test_a_release_without_a_pace_has_that_of_its_name() -> None:
    found = taken(service(), range(240)).sum(axis=0)
    assert latency.percentile(found, 0.95) == pytest.approx(usual_p95_ms("a"), rel=0.1)
    assert 90 <= usual_p95_ms("a") != usual_p95_ms("b") <= 160


def test_a_pace_holds_from_its_instant_on() -> None:
    found = taken(service((-60, 100), (30, 400)), range(60))
    assert latency.percentile(found[:30].sum(axis=0), 0.95) == pytest.approx(100, rel=0.15)
    assert latency.percentile(found[30:].sum(axis=0), 0.95) == pytest.approx(400, rel=0.15)


def test_what_fails_takes_longer() -> None:
    state = service((-60, 100), error_rate=0.5)
    slow = latency.percentile(taken(state, range(60), traffic.FAILED).sum(axis=0), 0.95)
    assert slow == pytest.approx(100 * latency.FAILS_SLOWER, rel=0.15)
    assert latency.percentile(taken(state, range(60)).sum(axis=0), 0.95) == pytest.approx(100, rel=0.15)


def test_percentiles_of_little() -> None:
    one = np.zeros(latency.FINITE + 2, dtype=np.int64)
    one[0] = 1
    assert 0 <= latency.percentile(one, 0.95) <= latency.SCALE_MS
    last = np.roll(one, -1)
    assert latency.percentile(last, 0.5) == latency.EDGES_MS[-1], "nobody knows how far beyond"


# --- the API


def test_a_distribution_has_its_edges_and_counts(cloud: Cloud) -> None:
    (series,) = [one for one in ask(cloud) if one.metric.labels["response_code"] == "200"]
    assert (series.metric.type, series.unit) == ("run.googleapis.com/request_latencies", "ms")
    assert (series.metric_kind, series.value_type) == (2, 5)  # DELTA, DISTRIBUTION
    point = series.points[0].value.distribution_value
    edges = point.bucket_options.exponential_buckets
    assert (edges.num_finite_buckets, edges.growth_factor, edges.scale) == (66, 1.4, 1.0)
    assert sum(point.bucket_counts) == point.count > 500
    assert point.bucket_counts[-1] > 0, "what is empty at the end is left out"
    assert 20 < point.mean < 160


def test_latencies_and_counts_are_of_the_same_requests(cloud: Cloud) -> None:
    def totals(text: str) -> dict[tuple[str, datetime], int]:
        return {
            (one.metric.labels["response_code"], point.interval.end_time): point.value.distribution_value.count
            or point.value.int64_value
            for one in ask(cloud, text, minutes=60)
            for point in one.points
        }

    assert totals(WEB) == totals(WEB.replace("request_latencies", "request_count"))


def test_histograms_add_up_when_aligned_and_reduced(cloud: Cloud) -> None:
    raw = [one for one in ask(cloud, minutes=13) if one.metric.labels["response_code_class"] == "4xx"]
    (series,) = [
        one for one in ask(cloud, minutes=13, aggregation=EACH) if one.metric.labels["response_code_class"] == "4xx"
    ]
    whole = sum(point.value.distribution_value.count for one in raw for point in one.points)
    assert sum(point.value.distribution_value.count for point in series.points) == whole
    assert series.resource.labels["revision_name"] == NEW
    assert series.points[0].interval.end_time == NOW


def test_a_slow_release_shows(cloud: Cloud) -> None:
    with cloud.world.settled() as now:
        cloud.truth.truths[BAD].paces.append((now, 900.0))
    cloud.route({BAD: 100})
    cloud.clock.advance(1800)
    for series in ask(cloud, f'{WEB} AND metric.labels.response_code_class = "2xx"', aggregation=EACH):
        assert series.resource.labels["revision_name"] == BAD
        assert all(point.value.distribution_value.mean > 250 for point in series.points)


def test_a_distribution_has_no_rate_here(cloud: Cloud) -> None:
    with pytest.raises(gx.InvalidArgument, match="no rate of a distribution"):
        ask(cloud, aggregation={**EACH, "per_series_aligner": "ALIGN_RATE"})


@pytest.mark.parametrize("kind", ["metrics_absent", "metrics_late"])
def test_faults_of_metrics_strike_latencies_too(cloud: Cloud, kind: str) -> None:
    cloud.fault(kind, service="web", times=0, seconds=3600)
    assert not ask(cloud)


def test_pages_go_through_distributions_too(cloud: Cloud) -> None:
    in_pages, at_once = (sum(len(one.points) for one in ask(cloud, page_size=size)) for size in (3, 0))
    assert in_pages == at_once > 6
