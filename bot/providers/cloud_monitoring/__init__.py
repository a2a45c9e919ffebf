"""Cloud Monitoring, through Google's own client (API v3)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from bot.core.errors import Permanent
from bot.core.ports import Metric, Point, Requests
from bot.core.request import Target
from bot.providers._google import Google, place, translated
from bot.providers.cloud_monitoring.histogram import Histogram

if TYPE_CHECKING:
    from google.cloud import monitoring_v3

LAG_S = 180  # counts are sampled every 60 s and visible up to two minutes later
FINEST_S = 60
RELEASE, CODES = "revision_name", "response_code_class"
COUNTS, LATENCIES = "request_count", "request_latencies"
FILTER = (
    'metric.type = "run.googleapis.com/{metric}" AND resource.type = "cloud_run_revision" '
    'AND resource.labels.location = "{region}" AND resource.labels.service_name = "{service}"'
)
PERCENTILES: dict[Metric, float] = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
Step = tuple[datetime, str]  # its end, and the release


@dataclass(frozen=True)
class Seen:
    """One point: requests of a release in one step that were answered alike; `value` is the proto's."""

    step: Step
    failed: bool
    value: Any


class CloudMonitoring:
    """Requests that releases of Cloud Run answered, as Cloud Monitoring counted them. Offers MetricReads.

    A target's place names `project`, `region` and `service`.
    """

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {
        "requests": ("monitoring.timeSeries.list",),
        "series": ("monitoring.timeSeries.list",),
        "lag_s": (),
    }

    def __init__(self, google: Google) -> None:
        self._google = google

    def lag_s(self, target: Target) -> int:
        return LAG_S

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        """Whole steps only, counted back from `until`. Raises Permanent for a step under 60 s."""
        if slower_than_ms is not None:
            return self._by_latency(target, since, until, step_s, slower_than_ms)
        counted: dict[Step, list[int]] = defaultdict(lambda: [0, 0])
        for seen in self._points(COUNTS, target, since, until, step_s):
            totals, count = counted[seen.step], _count(seen.value)
            totals[0] += count
            totals[1] += count if seen.failed else 0
        return tuple(
            Requests(release=release, until=at, total=total, errors=errors)
            for (at, release), (total, errors) in sorted(counted.items())
            if total
        )

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        """Whole steps only, counted back from `until`. Raises Permanent for a step under 60 s."""
        if part := PERCENTILES.get(metric):
            found = self._histograms(target, since, until, step_s)
            took = ((step, sum(both[1:], both[0])) for step, both in sorted(found.items()))
            return tuple(_point(step, whole.percentile_ms(part)) for step, whole in took if whole.total)
        counted = self.requests(target, since, until, step_s)
        if metric == "errors":
            return tuple(_point((one.until, one.release), 100 * one.errors / one.total) for one in counted)
        return tuple(_point((one.until, one.release), one.total / step_s) for one in counted)

    def _by_latency(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int
    ) -> tuple[Requests, ...]:
        """All three counts from the latencies, so that they are of the same requests."""
        made = []
        for (at, release), (well, failed) in sorted(self._histograms(target, since, until, step_s).items()):
            whole, edge_ms = well + failed, well.edge_ms(slower_than_ms)
            one = {"release": release, "until": at, "total": whole.total, "errors": failed.total}
            made.append(Requests(**one, slow=whole.over(edge_ms), slow_from_ms=edge_ms))
        return tuple(one for one in made if one.total)

    def _histograms(
        self, target: Target, since: datetime, until: datetime, step_s: int
    ) -> dict[Step, tuple[Histogram, Histogram]]:
        """By step, of what was answered well and of what failed."""
        found: dict[Step, tuple[Histogram, Histogram]] = {}
        for seen in self._points(LATENCIES, target, since, until, step_s):
            took = Histogram.of(seen.value.distribution_value)
            none = Histogram(took.edges, (0,) * len(took.counts))
            well, failed = found.get(seen.step, (none, none))
            found[seen.step] = (well, failed + took) if seen.failed else (well + took, failed)
        return found

    def _points(self, metric: str, target: Target, since: datetime, until: datetime, step_s: int) -> Iterator[Seen]:
        from google.cloud import monitoring_v3

        if step_s < FINEST_S:
            raise Permanent(f"Cloud Monitoring counts in steps of {FINEST_S} s or more, not of {step_s} s")
        whole_steps = (until - since) // timedelta(seconds=step_s)
        if whole_steps < 1:
            return
        metrics = self._google.client(monitoring_v3.MetricServiceClient)
        request = _query(metric, target, until - whole_steps * timedelta(seconds=step_s), until, step_s)
        action = f"read the request counts of {place(target, 'service')} in {place(target, 'project')}"
        with translated(action, "monitoring.timeSeries.list"):
            for series in metrics.list_time_series(request, **self._google.reading):
                bare: Any = monitoring_v3.TimeSeries.pb(series)  # wrapped, thousands of points take a tenth of a second
                release, failed = bare.resource.labels[RELEASE], bare.metric.labels.get(CODES) == "5xx"
                for point in bare.points:
                    yield Seen((point.interval.end_time.ToDatetime(tzinfo=UTC), release), failed, point.value)


def _query(
    metric: str, target: Target, start: datetime, end: datetime, step_s: int
) -> "monitoring_v3.ListTimeSeriesRequest":
    """Points in (start, end], each labelled by the end of its step; steps are aligned to `end`."""
    from google.cloud import monitoring_v3

    where = {"region": place(target, "region"), "service": place(target, "service")}
    return monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{place(target, 'project')}",
        filter=FILTER.format(metric=metric, **where),
        interval=monitoring_v3.TimeInterval(start_time=start, end_time=end),
        aggregation=monitoring_v3.Aggregation(
            alignment_period=timedelta(seconds=step_s),
            per_series_aligner=monitoring_v3.Aggregation.Aligner.ALIGN_DELTA,
            cross_series_reducer=monitoring_v3.Aggregation.Reducer.REDUCE_SUM,
            group_by_fields=[f"resource.labels.{RELEASE}", f"metric.labels.{CODES}"],
        ),
        view=monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
    )


def _count(value: Any) -> int:
    """Sums of INT64 are INT64; interpolation may make them DOUBLE."""
    return int(value.int64_value or round(value.double_value))


def _point(step: Step, value: float) -> Point:
    return Point(until=step[0], release=step[1], value=value)
