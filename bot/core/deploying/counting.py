"""The counts by which a canary is judged, as monitoring tells them: minute by minute, of both releases."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.core.canary.record import CanaryRecord, Minute, Shift, Tally
from bot.core.canary.rules import ERRORS, CanaryRules, slow
from bot.core.deploying.stage import Watched
from bot.core.ports import MetricReads, Requests
from bot.core.promises import Slo
from bot.core.request import Target

MINUTE_S, DAY_S = 60, 86_400
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LAG_STEP_S = 30  # in which it is told how late counts are, and how often they are looked at


def whole_minute(at: datetime) -> datetime:
    """The last one that has begun; monitoring counts from one to the next."""
    return at.replace(second=0, microsecond=0)


class Counting:
    """Of one rollout."""

    def __init__(self, target: Target, watched: Watched, metrics: MetricReads) -> None:
        self._target, self._watched, self._metrics = target, watched, metrics

    def begun(self, since: datetime, now: datetime, slo: Slo) -> CanaryRecord:
        """The record of a canary that has had traffic since then: the rules, and how the stable release did before."""
        edge_ms = self._edge_ms(since, slo)
        before = self._requests(whole_minute(since) - HOUR, whole_minute(since), edge_ms)
        history = [one for one in before if one.release == self._watched.stable]
        rules = CanaryRules(
            weights_pct=self._watched.weights_pct if len(self._watched.weights_pct) > 1 else (50, 100),
            metrics=(ERRORS,) if edge_ms is None else (ERRORS, slow(edge_ms)),
            bake_s=self._watched.bake_s,
            watch_s=self._watched.watch_s,
            warm_up_s=self._watched.warm_up_s,
        )
        return CanaryRecord(
            canary=self._watched.release,
            stable=self._watched.stable,
            rules=rules.limited_by(slo),
            lag_s=self._lag_s(history, now),
            history=tuple(map(_tally, history)),
            shifts=(Shift(since=since, weight_pct=self._watched.weight_pct),),
        )

    def read(self, record: CanaryRecord, now: datetime) -> CanaryRecord:
        """With one more look at everything since the first shift, unless that would tell nothing new."""
        edge_ms = next((metric.edge_ms for metric in record.rules.metrics if metric.edge_ms), None)
        counted = self._requests(whole_minute(record.shifts[0].since), whole_minute(now), edge_ms)
        lag_s = min(record.lag_s, self._lag_s(counted, now))
        seen = record.model_copy(update={"lag_s": lag_s}).read(now, tuple(self._minutes(counted)))
        return seen if seen.readings[-1].minutes or _is_due(record, now) else record

    def _minutes(self, counted: Iterable[Requests]) -> Iterable[Minute]:
        by_minute: dict[datetime, dict[str, Tally]] = {}
        for one in counted:
            by_minute.setdefault(one.until, {})[one.release] = _tally(one)
        for until, tallies in sorted(by_minute.items()):
            canary, stable = (tallies.get(name, Tally()) for name in (self._watched.release, self._watched.stable))
            yield Minute(until=until, canary=canary, stable=stable)

    def _requests(self, since: datetime, until: datetime, edge_ms: int | None) -> tuple[Requests, ...]:
        return self._metrics.requests(self._target, since, until, MINUTE_S, edge_ms) if since < until else ()

    def _edge_ms(self, since: datetime, slo: Slo) -> int | None:
        """From where on an answer is slow: what the objective says, else the stable release's usual 95th percentile;
        at an edge of the platform's. None where nobody can tell."""
        wanted = slo.latency[0].below_ms if slo.latency else self._usual_ms(since)
        if wanted is None:
            return None
        counted = self._requests(whole_minute(since) - HOUR, whole_minute(since), wanted)
        return next((one.slow_from_ms for one in counted if one.slow_from_ms), None)

    def _usual_ms(self, since: datetime) -> int | None:
        until = whole_minute(since)
        points = self._metrics.series(self._target, "latency_p95", until - DAY, until, DAY_S)
        found = [math.ceil(point.value) for point in points if point.release == self._watched.stable]
        return max(found, default=None)

    def _lag_s(self, counted: Iterable[Requests], now: datetime) -> int:
        """How late counts are, at most, by what is there now; what comes later changes a verdict, and no more."""
        usual_s = self._metrics.lag_s(self._target)
        newest = max((one.until for one in counted), default=None)
        if newest is None:
            return usual_s
        return min(usual_s, int((now - newest).total_seconds()) // LAG_STEP_S * LAG_STEP_S)


def _is_due(record: CanaryRecord, now: datetime) -> bool:
    """Whether a look is to be kept that found nothing: the first at a weight, and one a minute."""
    last = record.readings[-1].at if record.readings else None
    return last is None or last < record.shifts[-1].since or abs(now - last) >= MINUTE


def _tally(one: Requests) -> Tally:
    bad = {"errors": one.errors} | ({} if one.slow is None else {"slow": one.slow})
    return Tally(total=one.total, bad=bad)
