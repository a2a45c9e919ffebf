"""ListTimeSeries through Google's client."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import monitoring_v3

from tests.sandbox.harness import START_UNIX_S, Cloud

TYPE = 'metric.type = "run.googleapis.com/request_count"'
WEB = f'{TYPE} AND resource.type = "cloud_run_revision" AND resource.labels.service_name = "web"'
NOW = datetime.fromtimestamp(START_UNIX_S, UTC)
OLD, BAD, NEW = "web-00001-abe", "web-00002-bec", "web-00003-cid"
EACH = {
    "alignment_period": {"seconds": 300},
    "per_series_aligner": "ALIGN_DELTA",
    "cross_series_reducer": "REDUCE_SUM",
    "group_by_fields": ["resource.labels.revision_name", "metric.labels.response_code_class"],
}


def ask(
    cloud: Cloud,
    text: str = WEB,
    minutes: float = 10,
    until: datetime | None = None,
    project: str = "shop",
    **more: Any,
) -> list[monitoring_v3.TimeSeries]:
    end = until or cloud.clock.now()
    interval = {"start_time": end - timedelta(minutes=minutes), "end_time": end}
    request = {"name": f"projects/{project}", "filter": text, "interval": interval, **more}
    return list(cloud.metrics.list_time_series(request=request))


def by_code(series: list[monitoring_v3.TimeSeries]) -> dict[str, monitoring_v3.TimeSeries]:
    return {one.metric.labels["response_code"]: one for one in series}


def test_a_raw_series_has_the_labels_and_kinds_of_the_real_one(cloud: Cloud) -> None:
    series = by_code(ask(cloud))["200"]
    assert series.metric.type == "run.googleapis.com/request_count"
    assert dict(series.metric.labels) == {"response_code": "200", "response_code_class": "2xx"}
    assert series.resource.type == "cloud_run_revision"
    assert dict(series.resource.labels) == {
        "project_id": "shop",
        "location": "europe-west1",
        "service_name": "web",
        "revision_name": NEW,
        "configuration_name": "web",
    }
    assert series.metric_kind == 2  # DELTA
    assert series.value_type == 2  # INT64


def test_points_are_whole_minutes_newest_first_and_late_by_the_lag(cloud: Cloud) -> None:
    points = by_code(ask(cloud))["200"].points
    ends = [point.interval.end_time for point in points]
    assert ends == [NOW - timedelta(minutes=minute) for minute in range(3, 10)]
    assert all(point.interval.end_time - point.interval.start_time == timedelta(minutes=1) for point in points)
    assert all(500 < point.value.int64_value < 700 for point in points)


def test_a_point_appears_exactly_when_its_lag_is_over(cloud: Cloud) -> None:
    def newest() -> datetime:
        return by_code(ask(cloud))["200"].points[0].interval.end_time

    cloud.clock.advance(29)
    assert newest() == NOW - timedelta(minutes=3)
    cloud.clock.advance(1)
    assert newest() == NOW - timedelta(minutes=2)


def test_the_interval_excludes_its_start_and_includes_its_end(cloud: Cloud) -> None:
    end = NOW - timedelta(minutes=5)
    points = by_code(ask(cloud, minutes=2, until=end))["200"].points
    assert [point.interval.end_time for point in points] == [end, end - timedelta(minutes=1)]


def test_minutes_without_requests_have_no_point_and_silent_releases_no_series(cloud: Cloud) -> None:
    errors = by_code(ask(cloud, minutes=60))["500"].points
    assert 0 < len(errors) < 57
    assert all(point.value.int64_value > 0 for point in errors)
    assert not ask(cloud, WEB.replace('"web"', '"quiet"'))
    assert {one.resource.labels["revision_name"] for one in ask(cloud)} == {NEW}


def test_the_split_in_force_shows_minute_by_minute(cloud: Cloud) -> None:
    cloud.route({NEW: 90, OLD: 10})
    cloud.clock.advance(8)
    cloud.route({OLD: 100})
    cloud.clock.advance(600)
    cloud.service()
    moved = {
        one.resource.labels["revision_name"]: one
        for one in ask(cloud, f'{WEB} AND metric.labels.response_code = "200"')
    }
    first_minute = NOW + timedelta(minutes=1)
    old = {point.interval.end_time: point.value.int64_value for point in moved[OLD].points}
    new = {point.interval.end_time: point.value.int64_value for point in moved[NEW].points}
    assert old[first_minute] + new[first_minute] == pytest.approx(594, abs=130)
    assert new[first_minute] < old[first_minute]
    assert first_minute + timedelta(minutes=1) not in new
    assert old[first_minute + timedelta(minutes=1)] == pytest.approx(594, abs=125)


def test_a_bad_release_shows_in_the_errors(cloud: Cloud) -> None:
    cloud.route({BAD: 100})
    cloud.settle()
    cloud.clock.advance(1800)
    (errors,) = ask(
        cloud,
        f'{WEB} AND metric.labels.response_code_class = "5xx"',
        minutes=20,
        aggregation=EACH | {"group_by_fields": []},
    )
    requests = ask(cloud, minutes=20, aggregation=EACH | {"group_by_fields": []})[0]
    rate = sum(p.value.int64_value for p in errors.points) / sum(p.value.int64_value for p in requests.points)
    assert rate == pytest.approx(0.05, abs=0.01)


def test_alignment_adds_up_and_periods_end_where_the_interval_ends(cloud: Cloud) -> None:
    end = NOW - timedelta(seconds=170)
    raw = by_code(ask(cloud, minutes=20, until=end))["200"].points
    aligned = by_code(
        ask(
            cloud,
            minutes=20,
            until=end,
            aggregation={"alignment_period": {"seconds": 300}, "per_series_aligner": "ALIGN_DELTA"},
        )
    )["200"]
    assert [point.interval.end_time for point in aligned.points] == [end - timedelta(minutes=5 * n) for n in range(4)]
    assert all(p.interval.end_time - p.interval.start_time == timedelta(minutes=5) for p in aligned.points)
    assert sum(p.value.int64_value for p in aligned.points) == sum(p.value.int64_value for p in raw)
    assert (aligned.metric_kind, aligned.value_type) == (2, 2)


@pytest.mark.parametrize("period", [60, 300, 3600])
def test_a_rate_is_a_gauge_in_requests_a_second(cloud: Cloud, period: int) -> None:
    aggregation = {
        "alignment_period": {"seconds": period},
        "per_series_aligner": "ALIGN_RATE",
        "cross_series_reducer": "REDUCE_SUM",
    }
    (rate,) = ask(cloud, minutes=120, until=NOW - timedelta(minutes=3), aggregation=aggregation)
    assert (rate.metric_kind, rate.value_type, rate.unit) == (1, 3, "1/s")
    assert len(rate.points) == 120 * 60 / period
    assert rate.points[1].value.double_value == pytest.approx(10, rel=0.25)
    assert rate.points[0].interval.start_time == rate.points[0].interval.end_time
    assert dict(rate.resource.labels) == {"project_id": "shop"}


def test_sums_by_release_and_class_over_thirty_days_agree_with_the_world(cloud: Cloud) -> None:
    series = ask(
        cloud,
        minutes=30 * 1440,
        aggregation=EACH | {"alignment_period": {"seconds": 86_400}, "per_series_aligner": "ALIGN_SUM"},
    )
    total = {
        (one.resource.labels["revision_name"], one.metric.labels["response_code_class"]): sum(
            p.value.int64_value for p in one.points
        )
        for one in series
    }
    assert set(total) == {(release, code) for release in (OLD, BAD, NEW) for code in ("2xx", "4xx", "5xx")}
    days = {OLD: 10, BAD: 8, NEW: 2}
    for release, rate in ((OLD, 0.0004), (BAD, 0.05), (NEW, 0.0004)):
        assert total[release, "5xx"] == pytest.approx(days[release] * 864_000 * rate, rel=0.15)


def test_points_come_in_pages_and_a_series_may_go_on_in_the_next(cloud: Cloud) -> None:
    request = {
        "name": "projects/shop",
        "filter": WEB,
        "interval": {"start_time": NOW - timedelta(minutes=60), "end_time": NOW},
        "page_size": 40,
    }
    pages = list(cloud.metrics.list_time_series(request=request).pages)
    sizes = [sum(len(one.points) for one in page.time_series) for page in pages]
    assert sizes[:-1] == [40] * (len(pages) - 1)
    merged: dict[str, list[datetime]] = {}
    for page in pages:
        for one in page.time_series:
            merged.setdefault(one.metric.labels["response_code"], []).extend(p.interval.end_time for p in one.points)
    whole = {code: [p.interval.end_time for p in one.points] for code, one in by_code(ask(cloud, minutes=60)).items()}
    assert merged == whole


def test_headers_alone_have_no_points(cloud: Cloud) -> None:
    view = monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS
    series = ask(cloud, view=view, page_size=2)
    assert len(series) == 3
    assert not any(one.points for one in series)


@pytest.mark.parametrize(
    ("project", "text", "services"),
    [
        ("shop", TYPE, {"web", "far"}),
        ("4711", TYPE, {"web", "far"}),
        ("shop", f'{TYPE} AND resource.labels.location = "us-central1"', {"far"}),
        ("shop", f'{TYPE} AND resource.labels.service_name = one_of("web", "far")', {"web", "far"}),
        ("shop", f'{TYPE} AND resource.labels.project_id = "other"', set()),
        ("other", TYPE, {"web"}),
    ],
)
def test_a_filter_selects_across_the_services_of_a_project(
    cloud: Cloud, project: str, text: str, services: set[str]
) -> None:
    assert {one.resource.labels["service_name"] for one in ask(cloud, text, project=project)} == services


def test_points_older_than_six_weeks_are_gone(cloud: Cloud) -> None:
    cloud.clock.advance(50 * 86_400)
    series = by_code(
        ask(
            cloud,
            minutes=60 * 1440,
            aggregation={"alignment_period": {"seconds": 86_400}, "per_series_aligner": "ALIGN_SUM"},
        )
    )
    assert min(p.interval.end_time for p in series["200"].points) >= cloud.clock.now() - timedelta(days=42)


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"filter": "nonsense"}, gx.InvalidArgument, "Field filter had an invalid value"),
        ({"filter": 'metric.type = "run.googleapis.com/nope"'}, gx.NotFound, "Cannot find metric"),
        ({"filter": f'{TYPE} AND resource.type = "gce_instance"'}, gx.InvalidArgument, "valid combination"),
        ({"interval": {"end_time": NOW}}, gx.InvalidArgument, "end time and a start time"),
        ({"interval": {"start_time": NOW, "end_time": NOW}}, gx.InvalidArgument, "must be earlier"),
        ({"aggregation": EACH | {"alignment_period": {"seconds": 59}}}, gx.InvalidArgument, "at least 60 seconds"),
        ({"aggregation": {"per_series_aligner": "ALIGN_SUM"}}, gx.InvalidArgument, "at least 60 seconds"),
        ({"aggregation": {"cross_series_reducer": "REDUCE_SUM"}}, gx.InvalidArgument, "perSeriesAligner must be set"),
        (
            {"aggregation": EACH | {"per_series_aligner": "ALIGN_MEAN"}},
            gx.InvalidArgument,
            "does not align by ALIGN_MEAN",
        ),
        (
            {"aggregation": EACH | {"cross_series_reducer": "REDUCE_MAX"}},
            gx.InvalidArgument,
            "does not reduce by REDUCE_MAX",
        ),
        ({"aggregation": EACH | {"group_by_fields": ["zone"]}}, gx.InvalidArgument, "groupByFields"),
        ({"secondary_aggregation": EACH}, gx.InvalidArgument, "no secondary aggregation"),
        ({"order_by": "x"}, gx.InvalidArgument, "orderBy is not supported"),
        ({"name": "projects/nobody"}, gx.PermissionDenied, "Permission monitoring.timeSeries.list denied"),
    ],
)
def test_refusals(cloud: Cloud, change: dict[str, Any], error: Any, complaint: str) -> None:
    interval = {"start_time": NOW - timedelta(minutes=5), "end_time": NOW}
    request = {"name": "projects/shop", "filter": WEB, "interval": interval, **change}
    with pytest.raises(error, match=complaint):
        list(cloud.metrics.list_time_series(request=request))


def test_metrics_can_be_absent_for_one_service_until_cleared(cloud: Cloud) -> None:
    cloud.fault("metrics_absent", service="web", times=0)
    assert not ask(cloud)
    assert ask(cloud, f'{TYPE} AND resource.labels.service_name = "far"')
    cloud.world.faults.clear()
    assert ask(cloud)


def test_metrics_can_be_later_than_usual_once(cloud: Cloud) -> None:
    cloud.fault("metrics_late", service="web", seconds=480)
    late, usual = (by_code(ask(cloud, minutes=30))["200"].points[0].interval.end_time for _ in range(2))
    assert late == NOW - timedelta(minutes=8)
    assert usual == NOW - timedelta(minutes=3)
