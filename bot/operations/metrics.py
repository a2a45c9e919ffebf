"""How a service did, as lines over time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.core.answer import Answer, Mood, Part, Series, Text
from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.instants import in_zone
from bot.core.lastgood import percent
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.plan import Moment
from bot.core.ports import METRICS, Metric, MetricReads, Point
from bot.core.request import Actor
from bot.core.when import Past

MOST_POINTS, SHORTEST_S = 60, 60
MOST_LINES, MIDDLE = 6, "p95"  # of one chart; the percentile that is left when there would be more
LONGEST = timedelta(days=42)  # for so long Google keeps them (cloud.google.com/monitoring/quotas)
USUALLY = timedelta(hours=1)
TITLES = {"/s": "Requests", "%": "Errors", "ms": "Latency"}


class Metrics(Look, risk=Risk.READ, examples=("metrics backend", "metrics backend --since yesterday 14:05")):
    """Show how a service did: requests, errors and latency of each release."""

    service: ServiceRef = param("Service whose metrics are shown.", positional=True)
    since: Past | None = param("From when on; default: an hour ago.", default=None)
    until: Past | None = param("Until when; default: now.", default=None)

    def answer(self, metrics: MetricReads, catalog: Catalog, actor: Actor, moment: Moment) -> Answer:
        since, until = self._span(actor, moment)
        step_s = _step_s(until - since)
        read = {metric: metrics.series(self.service, metric, since, until, step_s) for metric in METRICS}
        between = f"{in_zone(since, actor.zone)} to {in_zone(until, actor.zone)}"
        title = f"Metrics of {self.service}"
        if not any(read.values()):
            said = (
                f"No requests were counted from {between}; what was is told up to {metrics.lag_s(self.service)} s late."
            )
            return Answer(title=title, parts=(Text(text=said),))
        parts: list[Part] = [Text(text=f"From {between}, each value of {step_s // 60} min.")]
        return Answer(title=title, parts=(*parts, *self._promised(read, step_s, catalog), *_series(read)))

    def _span(self, actor: Actor, moment: Moment) -> tuple[datetime, datetime]:
        """Whole steps. Raises UserError."""
        until = self.until or moment.now
        since = self.since or until - USUALLY
        if since >= until:
            raise UserError(
                f"--since ({in_zone(since, actor.zone)}) must be before --until ({in_zone(until, actor.zone)})."
            )
        if since < moment.now - LONGEST:
            first = in_zone(moment.now - LONGEST, actor.zone)
            raise UserError(f"Metrics are kept for {LONGEST.days} days: ask for nothing before {first}.")
        return since, until

    def _promised(self, read: dict[Metric, tuple[Point, ...]], step_s: int, catalog: Catalog) -> Iterator[Text]:
        """Beside what was promised."""
        slo = catalog.slo(self.service)
        total = sum(one.value for one in read["requests"]) * step_s
        rates = {(one.release, one.until): one.value for one in read["errors"]}
        failed = sum(one.value * step_s * rates.get((one.release, one.until), 0) / 100 for one in read["requests"])
        mood: Mood = "bad" if total and failed / total > slo.error_ratio else "good"
        rate = percent(failed / total) if total else percent(0)
        yield Text(text=f"{round(total):,} requests, {rate} errors ({percent(slo.error_ratio)} allowed).", mood=mood)
        for promise in slo.latency:
            yield from _beside(promise.percentile, promise.below_ms, read)


def _beside(percentile: int, below_ms: int, read: dict[Metric, tuple[Point, ...]]) -> Iterator[Text]:
    """How often a percentile was over what is promised."""
    values = [one.value for metric, points in read.items() if metric == f"latency_p{percentile}" for one in points]
    if not values:
        return
    over = sum(value >= below_ms for value in values)
    said = f"p{percentile} was {max(values):,.0f} ms at most"
    often = f", over the {below_ms:,} ms that are promised in {over} of {len(values)} values" if over else ""
    yield Text(text=f"{said}{often or f' ({below_ms:,} ms promised)'}.", mood="warning" if over else "good")


def _step_s(span: timedelta) -> int:
    """Whole minutes, so that there are not more values than people can tell apart."""
    return max(SHORTEST_S, math.ceil(span.total_seconds() / MOST_POINTS / 60) * 60)


def _series(read: dict[Metric, tuple[Point, ...]]) -> Iterator[Series]:
    """One chart a unit."""
    for unit in dict.fromkeys(METRICS.values()):
        here = {metric: points for metric, points in read.items() if METRICS[metric] == unit and points}
        if here:
            yield _drawn(TITLES.get(unit, unit), unit, here)


def _drawn(title: str, unit: str, read: dict[Metric, tuple[Point, ...]]) -> Series:
    at = sorted({one.until for points in read.values() for one in points})
    lines: dict[str, tuple[float | None, ...]] = {}
    releases = {one.release for points in read.values() for one in points}
    for metric, points in read.items():
        kind = metric.partition("_")[2]
        if len(releases) * len(read) > MOST_LINES and kind not in ("", MIDDLE):
            continue
        for release in dict.fromkeys(one.release for one in points):
            name = f"{release} {kind}".strip()
            lines[name] = _line(
                at, [one for one in points if one.release == release], nothing=0.0 if unit == "/s" else None
            )
    return Series(title=title, unit=unit, at=tuple(at), lines=lines)


def _line(at: Sequence[datetime], points: Iterable[Point], nothing: float | None) -> tuple[float | None, ...]:
    """A value for each instant; `nothing` where there was no request."""
    known = {one.until: round(one.value, 3) for one in points}
    return tuple(known.get(instant, nothing) for instant in at)
