"""Cloud Monitoring, through Google's own client (API v3)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from bot.core.errors import Permanent
from bot.core.ports import Requests
from bot.core.request import Target
from bot.providers._google import Google, place, translated

if TYPE_CHECKING:
    from google.cloud import monitoring_v3

LAG_S = 180  # counts are sampled every 60 s and visible up to two minutes later
FINEST_S = 60
RELEASE, CODES = "revision_name", "response_code_class"
FILTER = (
    'metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision" '
    'AND resource.labels.location = "{region}" AND resource.labels.service_name = "{service}"'
)


class CloudMonitoring:
    """Requests that releases of Cloud Run answered, as Cloud Monitoring counted them. Offers MetricReads.

    A target's place names `project`, `region` and `service`.
    """

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {"requests": ("monitoring.timeSeries.list",), "lag_s": ()}

    def __init__(self, google: Google) -> None:
        self._google = google

    def lag_s(self, target: Target) -> int:
        return LAG_S

    def requests(self, target: Target, since: datetime, until: datetime, step_s: int) -> tuple[Requests, ...]:
        """Whole steps only, counted back from `until`. Raises Permanent for a step under 60 s."""
        if step_s < FINEST_S:
            raise Permanent(f"Cloud Monitoring counts in steps of {FINEST_S} s or more, not of {step_s} s")
        whole_steps = (until - since) // timedelta(seconds=step_s)
        if whole_steps < 1:
            return ()
        start = until - whole_steps * timedelta(seconds=step_s)
        counted: dict[tuple[datetime, str], list[int]] = {}
        for release, at, count, failed in self._points(target, start, until, step_s):
            totals = counted.setdefault((at, release), [0, 0])
            totals[0] += count
            totals[1] += count if failed else 0
        return tuple(
            Requests(release=release, until=at, total=total, errors=errors)
            for (at, release), (total, errors) in sorted(counted.items())
            if total
        )

    def _points(
        self, target: Target, start: datetime, end: datetime, step_s: int
    ) -> Iterator[tuple[str, datetime, int, bool]]:
        """(release, end of the step, requests, whether they were answered 5xx)."""
        from google.cloud import monitoring_v3

        metrics = self._google.client(monitoring_v3.MetricServiceClient)
        request = _query(target, start, end, step_s)
        action = f"read the request counts of {place(target, 'service')} in {place(target, 'project')}"
        with translated(action, "monitoring.timeSeries.list"):
            for series in metrics.list_time_series(request, **self._google.reading):
                bare: Any = monitoring_v3.TimeSeries.pb(series)  # wrapped, thousands of points take a tenth of a second
                release, failed = bare.resource.labels[RELEASE], bare.metric.labels.get(CODES) == "5xx"
                for point in bare.points:
                    yield release, point.interval.end_time.ToDatetime(tzinfo=UTC), _count(point), failed


def _query(target: Target, start: datetime, end: datetime, step_s: int) -> "monitoring_v3.ListTimeSeriesRequest":
    """Points in (start, end], each labelled by the end of its step; steps are aligned to `end`."""
    from google.cloud import monitoring_v3

    return monitoring_v3.ListTimeSeriesRequest(
        name=f"projects/{place(target, 'project')}",
        filter=FILTER.format(region=place(target, "region"), service=place(target, "service")),
        interval=monitoring_v3.TimeInterval(start_time=start, end_time=end),
        aggregation=monitoring_v3.Aggregation(
            alignment_period=timedelta(seconds=step_s),
            per_series_aligner=monitoring_v3.Aggregation.Aligner.ALIGN_DELTA,
            cross_series_reducer=monitoring_v3.Aggregation.Reducer.REDUCE_SUM,
            group_by_fields=[f"resource.labels.{RELEASE}", f"metric.labels.{CODES}"],
        ),
        view=monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.FULL,
    )


def _count(point: Any) -> int:
    """Sums of INT64 are INT64; interpolation may make them DOUBLE."""
    return int(point.value.int64_value or round(point.value.double_value))
