"""google.monitoring.v3.MetricService: ListTimeSeries of Cloud Run's request_count and request_latencies."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from google.cloud import monitoring_v3

from bot.sandbox.cloud_run.state import ServiceState
from bot.sandbox.faults import METRICS
from bot.sandbox.method import Api, Method
from bot.sandbox.monitoring import latency, series, traffic
from bot.sandbox.monitoring.filters import Filter, combination, parse
from bot.sandbox.monitoring.series import Alignment, Metric, Series
from bot.sandbox.names import short
from bot.sandbox.paging import page
from bot.sandbox.refusal import Refused, denied, invalid
from bot.sandbox.world import World

RESOURCE = "cloud_run_revision"
COUNT = Metric("run.googleapis.com/request_count")
LATENCIES = Metric("run.googleapis.com/request_latencies", histograms=True)
KNOWN = {metric.type: metric for metric in (COUNT, LATENCIES)}
_KEPT = timedelta(weeks=6)  # cloud.google.com/monitoring/quotas: retention of Google Cloud metrics
_MOST_POINTS = 10_000  # of one page; the API allows itself 100,000


def api(world: World) -> Api:
    metrics = _Metrics(world)
    method = Method(
        monitoring_v3.ListTimeSeriesRequest,
        monitoring_v3.ListTimeSeriesResponse,
        metrics.list_time_series,
        lambda request: str(request.name),
        "name",
        "monitoring.timeSeries.list",
        concerns=metrics.concerned,
    )
    methods = {"ListTimeSeries": method}
    return Api("google.monitoring.v3.MetricService", "monitoring.googleapis.com", methods, permission)


def permission(needed: str, resource: str) -> Refused:
    return denied(f"Permission {needed} denied (or the resource may not exist).", needed, resource)


class _Metrics:
    def __init__(self, world: World) -> None:
        self._world = world

    def concerned(self, request: monitoring_v3.ListTimeSeriesRequest) -> str:
        """The service that a filter names, if it names one."""
        try:
            asked = parse(request.filter)
        except Refused:
            return ""
        name = asked.one("resource.labels.service_name")
        found = [state.name for state in self._services(request.name, asked) if short(state.name) == name]
        return found[0] if len(found) == 1 else name

    def list_time_series(self, request: monitoring_v3.ListTimeSeriesRequest) -> monitoring_v3.ListTimeSeriesResponse:
        self._check(request)
        asked = parse(request.filter)
        metric = KNOWN.get(asked.one("metric.type"))
        if not metric:
            raise Refused("NOT_FOUND", f'Cannot find metric(s) that match type = "{asked.one("metric.type")}".')
        how = series.alignment(request.aggregation, metric)
        if "resource.type" in asked.allowed and asked.one("resource.type") != RESOURCE:
            raise combination()
        found = self._found(request.name, asked, how, *series.interval(request.interval))
        return _answer(request, found, metric, how)

    def _check(self, request: monitoring_v3.ListTimeSeriesRequest) -> None:
        if not self._project(request.name):
            raise permission("monitoring.timeSeries.list", request.name)
        if request.order_by:
            raise invalid("order_by", "Field orderBy is not supported.")
        if request.secondary_aggregation.per_series_aligner or request.secondary_aggregation.cross_series_reducer:
            raise invalid("secondary_aggregation", "The sandbox has no secondary aggregation.")

    def _found(self, name: str, asked: Filter, how: Alignment, start: datetime, end: datetime) -> list[Series]:
        found: list[Series] = []
        for state in self._services(name, asked):
            struck = self._world.faults.strike(METRICS, state.name, "ListTimeSeries")
            late_s = struck["metrics_late"].seconds if "metrics_late" in struck else self._world.plan.metrics_lag_s
            if "metrics_absent" not in struck:
                found += self._of_service(
                    state, asked, start, min(end, self._world.clock.now() - timedelta(seconds=late_s))
                )
        if not how.is_raw:
            found = [series.align(one, how, end.timestamp()) for one in found]
        return series.reduce_sum(found, how) if how.reducer else found

    def _of_service(self, state: ServiceState, asked: Filter, start: datetime, end: datetime) -> Iterator[Series]:
        """Raw series whose points end in (start, end]; minutes without requests have no point."""
        start = max(start, self._world.clock.now() - _KEPT)
        first, last = math.floor(start.timestamp() / 60), math.floor(end.timestamp() / 60)
        for release in state.truths:
            span = traffic.served(state, release)
            if span is None or not _may_match(asked, state, release):
                continue
            since, until = max(first, math.floor(span[0] / 60)), int(min(last, span[1] / 60 + 1))
            if since < until:
                yield from self._of_release(state, asked, release, since, until)

    def _of_release(self, state: ServiceState, asked: Filter, release: str, since: int, until: int) -> Iterator[Series]:
        for code, counts in traffic.requests(self._world.seed, state, release, since, until).items():
            labels = _labels(state, release) | _code_labels(code) | {"metric.type": asked.one("metric.type")}
            some = np.flatnonzero(counts)
            if len(some) and asked.accepts(labels):
                values = counts
                if KNOWN[labels["metric.type"]].histograms:
                    values = latency.histograms(self._world.seed, state, release, code, since, counts)
                yield Series(labels, (some + since + 1).astype(np.float64) * 60, values[some].astype(np.float64))

    def _services(self, name: str, asked: Filter) -> list[ServiceState]:
        project = self._project(name)
        found = [
            state for state in self._world.cloud_run.services.values() if state.name.startswith(f"projects/{project}/")
        ]
        return [state for state in found if _may_match(asked, state, "")]

    def _project(self, name: str) -> str:
        """The project's id from its id or number, "" if unknown."""
        asked = name.removeprefix("projects/")
        numbers = {str(number): project for project, number in self._world.vault.numbers.items()}
        return asked if asked in numbers.values() else numbers.get(asked, "")


def _labels(state: ServiceState, release: str) -> dict[str, str]:
    project, location, name = state.name.split("/")[1::2]
    return {
        "resource.type": RESOURCE,
        "resource.labels.project_id": project,
        "resource.labels.location": location,
        "resource.labels.service_name": name,
        "resource.labels.revision_name": release,
        "resource.labels.configuration_name": name,
    }


def _code_labels(code: str) -> dict[str, str]:
    return {"metric.labels.response_code": code, "metric.labels.response_code_class": f"{code[0]}xx"}


def _may_match(asked: Filter, state: ServiceState, release: str) -> bool:
    """Whether the labels that are known do not exclude the service, or the release if one is given."""
    known = _labels(state, release)
    keys = [key for key in asked.allowed if key in known and (release or key != "resource.labels.revision_name")]
    return all(known[key] in asked.allowed[key] for key in keys)


def _answer(
    request: monitoring_v3.ListTimeSeriesRequest, found: list[Series], metric: Metric, how: Alignment
) -> monitoring_v3.ListTimeSeriesResponse:
    """A page: `page_size` counts points (series, if only headers are asked for); a series may go on in the next one."""
    if request.view == monitoring_v3.ListTimeSeriesRequest.TimeSeriesView.HEADERS:
        shown, token = page(found, request.page_size, request.page_token, _MOST_POINTS)
        heads = [series.wire(one, metric, how, slice(0), points=False) for one in shown]
        return monitoring_v3.ListTimeSeriesResponse(time_series=heads, next_page_token=token)
    sizes = [len(one.ends) for one in found]
    places, token = page(range(sum(sizes)), request.page_size, request.page_token, _MOST_POINTS)
    answer = monitoring_v3.ListTimeSeriesResponse(next_page_token=token)
    before = 0
    for one, size in zip(found, sizes, strict=True):
        here = slice(max(0, places[0] - before) if places else 0, max(0, places[-1] + 1 - before) if places else 0)
        if here.start < min(size, here.stop):
            answer.time_series.append(series.wire(one, metric, how, here, points=True))
        before += size
    return answer
