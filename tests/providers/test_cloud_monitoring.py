"""Request counts of the sandbox's Cloud Monitoring: edges of steps, lag, pages, faults."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from google.cloud import monitoring_v3

from bot.core.errors import CloudError, Forbidden, Permanent, Transient
from bot.core.ports import Requests
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.cloud_monitoring import CloudMonitoring
from bot.sandbox.process import SandboxProcess

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def metrics(google: Google) -> CloudMonitoring:
    return CloudMonitoring(google)


@pytest.fixture
def now(sandbox: SandboxProcess) -> datetime:
    """The sandbox's time, at the minute: points are sampled then."""
    return datetime.fromisoformat(sandbox.control.clock()["now"]).replace(second=0, microsecond=0)


@pytest.fixture
def lone(target_of: Callable[[str], Target]) -> Target:
    """One release for 40 days, 2 requests a second, one of ten fails."""
    return target_of("lone")


def totals(counted: tuple[Requests, ...]) -> tuple[int, int]:
    return sum(one.total for one in counted), sum(one.errors for one in counted)


def test_steps_are_labelled_by_their_end(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    since, until = now - 2 * HOUR, now - HOUR
    counted = metrics.requests(lone, since, until, 60)
    assert [one.until for one in counted] == [since + minute * MINUTE for minute in range(1, 61)]
    assert {one.release for one in counted} == {"lone-00001-abc"}
    assert all(one.until.tzinfo is UTC for one in counted)


def test_how_many_and_how_many_failed(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    total, errors = totals(metrics.requests(lone, now - 11 * HOUR, now - HOUR, 3600))
    assert total == pytest.approx(10 * 3600 * 2, rel=0.02)
    assert errors / total == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("step_s", [60, 300, 600, 3600])
def test_steps_of_any_length_add_up_to_the_same(
    metrics: CloudMonitoring, lone: Target, now: datetime, step_s: int
) -> None:
    since, until = now - 3 * HOUR, now - HOUR
    counted = metrics.requests(lone, since, until, step_s)
    assert len(counted) == 7200 // step_s
    assert totals(counted) == totals(metrics.requests(lone, since, until, 7200))


def test_neighbouring_spans_neither_overlap_nor_leave_a_gap(
    metrics: CloudMonitoring, lone: Target, now: datetime
) -> None:
    edges = [now - 3 * HOUR, now - 2 * HOUR, now - HOUR]
    parts = [metrics.requests(lone, since, until, 300) for since, until in pairwise(edges)]
    assert parts[0] + parts[1] == metrics.requests(lone, edges[0], edges[2], 300)


def test_only_whole_steps_counted_back_from_the_end(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    until = now - HOUR
    counted = metrics.requests(lone, until - timedelta(seconds=150), until, 60)
    assert [one.until for one in counted] == [until - MINUTE, until]


@pytest.mark.parametrize("span", [timedelta(seconds=59), timedelta(), -HOUR])
def test_less_than_a_step_is_not_asked_for(
    metrics: CloudMonitoring, sandbox: SandboxProcess, lone: Target, now: datetime, span: timedelta
) -> None:
    before = len(sandbox.control.calls(method="ListTimeSeries"))
    assert metrics.requests(lone, now - span, now, 60) == ()
    assert len(sandbox.control.calls(method="ListTimeSeries")) == before


@pytest.mark.parametrize("step_s", [0, 1, 59, -60])
def test_a_step_that_monitoring_cannot_count(
    metrics: CloudMonitoring, lone: Target, now: datetime, step_s: int
) -> None:
    with pytest.raises(Permanent, match="in steps of 60 s or more"):
        metrics.requests(lone, now - HOUR, now, step_s)


def test_what_is_newer_than_the_lag_may_be_missing(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    counted = metrics.requests(lone, now - HOUR, now, 60)
    lag = timedelta(seconds=metrics.lag_s(lone))
    assert {now - HOUR + minute * MINUTE for minute in range(1, 57)} <= {one.until for one in counted}
    assert now - lag in {one.until for one in counted}
    assert now not in {one.until for one in counted}


def test_thirty_days_by_the_hour(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    counted = metrics.requests(lone, now - 30 * DAY, now - HOUR, 3600)
    assert len(counted) == 30 * 24 - 1
    assert all(one.total == pytest.approx(7200, rel=0.1) for one in counted)


def test_all_pages_are_read(metrics: CloudMonitoring, sandbox: SandboxProcess, lone: Target, now: datetime) -> None:
    before = len(sandbox.control.calls(method="ListTimeSeries"))
    counted = metrics.requests(lone, now - 4 * DAY, now - HOUR, 60)
    assert len(counted) == 4 * 24 * 60 - 60
    assert len(sandbox.control.calls(method="ListTimeSeries")) > before + 1


def test_a_step_without_requests_is_left_out(
    metrics: CloudMonitoring, target_of: Callable[[str], Target], now: datetime
) -> None:
    counted = metrics.requests(target_of("quiet"), now - 13 * HOUR, now - HOUR, 60)
    assert 0 < len(counted) < 12 * 60 / 2
    assert all(one.total for one in counted)


def test_releases_are_kept_apart(rig: Any, metrics: CloudMonitoring) -> None:
    rig.by_hand({1: 25, 2: 75})
    rig.settle()
    since = rig.now()
    rig.control.advance(3 * 3600)
    counted = metrics.requests(rig.target, since + MINUTE, since + 2 * HOUR + MINUTE, 3600)
    by_release = Counter({one.release: 0 for one in counted})
    for one in counted:
        by_release[one.release] += one.total
    assert [(one.until - since - MINUTE, one.release) for one in counted] == [
        (step * HOUR, rig.release(number)) for step in (1, 2) for number in (1, 2)
    ]
    assert by_release[rig.release(1)] == pytest.approx(7200 * 2 * 0.25, rel=0.1)
    assert by_release[rig.release(2)] == pytest.approx(7200 * 2 * 0.75, rel=0.1)
    failing = [one for one in counted if one.release == rig.release(2)]
    assert totals(tuple(failing))[1] / totals(tuple(failing))[0] == pytest.approx(0.02, rel=0.5)


@pytest.mark.parametrize("name", ["nosuch"])
def test_a_service_that_nobody_counted(
    metrics: CloudMonitoring, target_of: Callable[[str], Target], now: datetime, name: str
) -> None:
    assert metrics.requests(target_of(name), now - HOUR, now, 60) == ()


def test_absent_metrics_are_no_requests(rig: Any, metrics: CloudMonitoring, now: datetime) -> None:
    rig.fault("metrics_absent", "*")
    assert metrics.requests(rig.target, now - HOUR, now, 60) == ()
    assert metrics.requests(rig.target, now - HOUR, now, 60)


def test_late_metrics(rig: Any, metrics: CloudMonitoring) -> None:
    until = rig.now().replace(second=0, microsecond=0)
    rig.fault("metrics_late", "*", seconds=1800)
    counted = metrics.requests(rig.target, until - HOUR, until, 60)
    assert until - 31 * MINUTE <= max(one.until for one in counted) <= until - 30 * MINUTE


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"code": "PERMISSION_DENIED"}, Forbidden, "monitoring.timeSeries.list"),
        ({"code": "RESOURCE_EXHAUSTED", "seconds": 3}, Transient, "quota"),
        ({"code": "UNAVAILABLE"}, Transient, "could not be reached"),
        ({"code": "DEADLINE_EXCEEDED", "seconds": 2}, Transient, "no answer came in time"),
        ({"code": "INVALID_ARGUMENT"}, Permanent, "could not read the request counts of"),
    ],
)
def test_faults(rig: Any, now: datetime, fault: dict[str, Any], kind: type[CloudError], words: str) -> None:
    rig.fault("error", "ListTimeSeries", **fault)
    metrics = CloudMonitoring(rig.google(read_timeout_s=0.5))
    with pytest.raises(kind, match=words) as caught:
        metrics.requests(rig.target, now - HOUR, now, 60)
    assert type(caught.value) is kind


def test_a_project_that_is_not_ours(metrics: CloudMonitoring, lone: Target, now: datetime) -> None:
    elsewhere = lone.model_copy(update={"place": {**lone.place, "project": "elsewhere"}})
    with pytest.raises(Forbidden, match="request counts of lone in elsewhere"):
        metrics.requests(elsewhere, now - HOUR, now, 60)


class Answered(Google):
    """Google with canned series."""

    def __init__(self, *series: monitoring_v3.TimeSeries) -> None:
        super().__init__()
        self.series, self.asked = series, list[monitoring_v3.ListTimeSeriesRequest]()

    def client(self, kind: type[Any]) -> Any:
        return self

    def list_time_series(self, request: monitoring_v3.ListTimeSeriesRequest, **_: Any) -> Any:
        self.asked.append(request)
        return self.series


def points(release: str, code_class: str, value: dict[str, Any], at: datetime) -> monitoring_v3.TimeSeries:
    return monitoring_v3.TimeSeries(
        {
            "resource": {"type": "cloud_run_revision", "labels": {"revision_name": release}},
            "metric": {"labels": {"response_code_class": code_class}},
            "points": [{"interval": {"end_time": at}, "value": value}],
        }
    )


@pytest.mark.parametrize(
    ("series", "total", "errors"),
    [
        ([("2xx", {"int64_value": 90}), ("5xx", {"int64_value": 10})], 100, 10),
        ([("2xx", {"int64_value": 90}), ("4xx", {"int64_value": 10})], 100, 0),
        ([("5xx", {"int64_value": 10})], 10, 10),
        ([("2xx", {"double_value": 89.6}), ("5xx", {"double_value": 10.2})], 100, 10),
        ([("2xx", {"int64_value": 0})], None, None),
        ([], None, None),
    ],
)
def test_what_counts_as_an_error(lone: Target, series: list[Any], total: int | None, errors: int | None) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    google = Answered(*(points("web-1", code_class, value, at) for code_class, value in series))
    counted = CloudMonitoring(google).requests(lone, at - HOUR, at, 3600)
    wanted = (
        () if total is None or errors is None else (Requests(release="web-1", until=at, total=total, errors=errors),)
    )
    assert counted == wanted


def test_what_is_asked(lone: Target) -> None:
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    google = Answered()
    CloudMonitoring(google).requests(lone, at - timedelta(minutes=11), at, 300)
    request = google.asked[0]
    assert request.name == "projects/pool"
    assert request.filter == (
        'metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision" '
        'AND resource.labels.location = "us-central1" AND resource.labels.service_name = "lone"'
    )
    assert (request.interval.start_time, request.interval.end_time) == (at - timedelta(minutes=10), at)
    assert request.aggregation.alignment_period == timedelta(seconds=300)
    assert request.aggregation.per_series_aligner.name == "ALIGN_DELTA"
    assert request.aggregation.cross_series_reducer.name == "REDUCE_SUM"
    groups = ["resource.labels.revision_name", "metric.labels.response_code_class"]
    assert list(request.aggregation.group_by_fields) == groups
