"""Time series between their source and the wire: raw, aligned, reduced."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from google.cloud import monitoring_v3

from bot.sandbox.monitoring import latency
from bot.sandbox.monitoring.traffic import MINUTE_S
from bot.sandbox.refusal import Refused, invalid

Floats = npt.NDArray[np.float64]
Aligner = monitoring_v3.Aggregation.Aligner
Reducer = monitoring_v3.Aggregation.Reducer
_ALIGNERS = {Aligner.ALIGN_NONE, Aligner.ALIGN_DELTA, Aligner.ALIGN_RATE, Aligner.ALIGN_SUM}
_REDUCERS = {Reducer.REDUCE_NONE, Reducer.REDUCE_SUM}
_LONGEST = timedelta(weeks=104)


@dataclass(frozen=True)
class Metric:
    """A DELTA metric of Cloud Run: whole numbers, or histograms of milliseconds."""

    type: str
    histograms: bool = False

    @property
    def unit(self) -> str:
        return "ms" if self.histograms else "1"


@dataclass
class Series:
    """`ends` are the points' end times in seconds since 1970, oldest first; labels by "metric.labels.X" and so on.

    `values` has a number for each of them, or a row of buckets.
    """

    labels: dict[str, str]
    ends: Floats
    values: Floats


@dataclass(frozen=True)
class Alignment:
    """What a request asks for, checked."""

    aligner: Aligner
    reducer: Reducer
    period_s: float
    group_by: tuple[str, ...]

    @property
    def is_raw(self) -> bool:
        return self.aligner == Aligner.ALIGN_NONE


def alignment(asked: monitoring_v3.Aggregation, metric: Metric) -> Alignment:
    """Refuses what the API refuses, and what the sandbox does not know."""
    aligner, reducer = Aligner(asked.per_series_aligner), Reducer(asked.cross_series_reducer)
    period = asked.alignment_period or timedelta()
    if aligner not in _ALIGNERS:
        raise invalid("aggregation.perSeriesAligner", f"The sandbox does not align by {aligner.name}.")
    if reducer not in _REDUCERS:
        raise invalid("aggregation.crossSeriesReducer", f"The sandbox does not reduce by {reducer.name}.")
    if metric.histograms and aligner == Aligner.ALIGN_RATE:
        raise invalid("aggregation.perSeriesAligner", "The sandbox has no rate of a distribution.")
    if reducer and not aligner:
        raise invalid("aggregation.perSeriesAligner", "perSeriesAligner must be set when crossSeriesReducer is set.")
    if aligner and not timedelta(seconds=60) <= period <= _LONGEST:
        message = "Field aggregation.alignmentPeriod must be at least 60 seconds and at most 104 weeks."
        raise invalid("aggregation.alignmentPeriod", message)
    return Alignment(aligner, reducer, period.total_seconds(), tuple(_group(name) for name in asked.group_by_fields))


def interval(asked: monitoring_v3.TimeInterval) -> tuple[datetime, datetime]:
    """(start, end], as the request must give them for a DELTA metric."""
    if not asked.end_time or not asked.start_time:
        raise invalid("interval", "Field interval must have an end time and a start time.")
    if asked.start_time >= asked.end_time:
        raise invalid("interval", "Field interval.startTime must be earlier than interval.endTime.")
    return asked.start_time, asked.end_time


def align(series: Series, how: Alignment, end_s: float) -> Series:
    """One value a period; periods end at the interval's end and count back, and those without points are left out."""
    back = np.floor((end_s - series.ends) / how.period_s).astype(np.int64)
    periods, places = np.unique(back, return_inverse=True)
    sums = _summed(series.values, places, len(periods))
    if how.aligner == Aligner.ALIGN_RATE:
        sums = sums / how.period_s
    ends: Floats = (end_s - periods * how.period_s).astype(np.float64)
    return Series(series.labels, ends[::-1], sums[::-1])


def reduce_sum(all_series: list[Series], how: Alignment) -> list[Series]:
    """Sums of aligned series that agree in the group's labels; project_id always stays."""
    groups: dict[tuple[tuple[str, str], ...], list[Series]] = {}
    for one in all_series:
        kept = {key: one.labels[key] for key in ("resource.labels.project_id", *how.group_by) if key in one.labels}
        groups.setdefault(tuple(sorted(kept.items())), []).append(one)
    return [_sum(dict(labels), members) for labels, members in groups.items()]


def wire(one: Series, metric: Metric, how: Alignment, newest: slice, *, points: bool) -> monitoring_v3.TimeSeries:
    """As the API answers; `newest` selects points, counted from the newest."""
    rate = how.aligner == Aligner.ALIGN_RATE
    head = {
        "metric": {"type": metric.type, "labels": _labels(one, "metric")},
        "resource": {"type": "cloud_run_revision", "labels": _labels(one, "resource")},
        "metric_kind": "GAUGE" if rate else "DELTA",
        "value_type": "DOUBLE" if rate else "DISTRIBUTION" if metric.histograms else "INT64",
        "unit": "1/s" if rate else metric.unit,
    }
    series = monitoring_v3.TimeSeries(head)
    if points:
        raw = monitoring_v3.TimeSeries.pb(series)
        span_s = 0.0 if rate else (MINUTE_S if how.is_raw else how.period_s)
        for end_s, value in zip(one.ends[::-1][newest], one.values[::-1][newest], strict=True):
            point = raw.points.add()
            point.interval.end_time.FromMicroseconds(round(float(end_s) * 1e6))
            point.interval.start_time.FromMicroseconds(round((float(end_s) - span_s) * 1e6))
            if rate:
                point.value.double_value = float(value)
            elif metric.histograms:
                _distribution(point.value.distribution_value, value.astype(np.int64))
            else:
                point.value.int64_value = int(value)
    return series


def _distribution(shown: Any, histogram: latency.Histograms) -> None:
    """The buckets' edges go with every point; empty buckets at the end are left out (proto `Distribution`)."""
    edges = shown.bucket_options.exponential_buckets
    edges.num_finite_buckets, edges.growth_factor, edges.scale = latency.FINITE, latency.GROWTH, latency.SCALE_MS
    shown.count, shown.mean = int(histogram.sum()), latency.mean_ms(histogram)
    shown.bucket_counts.extend(int(count) for count in np.trim_zeros(histogram, "b"))


def _labels(one: Series, kind: str) -> dict[str, str]:
    prefix = f"{kind}.labels."
    return {key.removeprefix(prefix): value for key, value in one.labels.items() if key.startswith(prefix)}


def _sum(labels: dict[str, str], members: list[Series]) -> Series:
    ends, places = np.unique(np.concatenate([one.ends for one in members]), return_inverse=True)
    values = _summed(np.concatenate([one.values for one in members]), places, len(ends))
    return Series(labels, ends, values)


def _summed(values: Floats, places: npt.NDArray[np.int64], size: int) -> Floats:
    """What goes to the same place added up: numbers, or rows."""
    sums = np.zeros((size, *values.shape[1:]))
    np.add.at(sums, places, values)
    return sums


def _group(name: str) -> str:
    """resource.labels.X, metric.labels.X, with label for labels; resource.type is always in."""
    kind, _, rest = name.partition(".")
    word, _, label = rest.partition(".")
    if kind not in ("resource", "metric") or word not in ("label", "labels", "type"):
        raise Refused("INVALID_ARGUMENT", f'Field aggregation.groupByFields had an invalid value of "{name}".')
    return f"{kind}.labels.{label}" if label else f"{kind}.type"
