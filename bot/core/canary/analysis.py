"""The counts of one canary as they come, and what has been found in them so far, metric by metric."""

import math
from collections.abc import Iterable
from itertools import takewhile
from statistics import NormalDist
from typing import NamedTuple

from bot.core.canary.bounds import dispersion, highest_excess, sure_dispersion
from bot.core.canary.evidence import Evidence, Sample, share
from bot.core.canary.minutes import Minutes
from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally, number_of
from bot.core.canary.rules import Metric

NOW_MINUTES = 5  # the last ones, which say how it is at present
LIMIT_MINUTES, LIMIT_OVER, LIMIT_REQUESTS = 10, 5, 100  # in so many, more than so many, over so many requests
FEW = 3  # bad answers, below which a release is not called bad
LARGEST_MARGIN = 0.5


class Found(NamedTuple):
    """What was found of one metric. `margin` is what `highest` must be below before a promotion; both are shares."""

    metric: Metric
    bursts: float  # how many bad answers of the stable release come at once
    total: Sample  # of all minutes in which both served
    whole: Sample  # of these, without those in which the canary's weight changed
    worse: Sample  # of these, since the canary is most likely worse
    worse_since: int  # the minute that had just ended
    e_value: float
    worse_bursts: float  # how many bad answers of the canary come at once, since then
    highest: float
    margin: float
    now: Sample
    now_minutes: int
    over_limit: bool  # the canary is beyond its static limit and the stable release is not

    @property
    def per_minute(self) -> tuple[float, float]:
        """Requests of canary and stable, as they come at present."""
        count = max(1, self.now_minutes)
        return self.now.canary / count, self.now.stable / count

    @property
    def steady_e_value(self) -> float:
        """The same, should the canary's bad answers come in larger bursts than the stable release's: two bursts of ten
        are no more evidence than two answers."""
        return math.pow(self.e_value, min(1.0, self.bursts / self.worse_bursts))

    @property
    def matters(self) -> bool:
        """Whether the canary is that much worse, as far as it is, that a rollback is worth it."""
        return self.worse.excess * 100 >= self.metric.worse_by_pp

    @property
    def canary_bad(self) -> bool:
        """Whether the canary is beyond its limit at present."""
        return self.now.canary_bad >= FEW and self.now.canary_share > self.metric.limit

    @property
    def stable_bad(self) -> bool:
        return self.now.stable_bad >= FEW and self.now.stable_share > self.metric.limit


class Analysis:
    """One canary, reading by reading; of `record` it takes all but the readings and the later shifts."""

    def __init__(self, record: CanaryRecord) -> None:
        self.record, self.rules = record, record.rules
        self.minutes = Minutes(record)
        self.began = self.shifted = record.shifts[0]
        self.at = self.began.since
        self.z = NormalDist().inv_cdf(self.rules.bound_pct / 100)
        self._history = [_history(record.history, metric) for metric in self.rules.metrics]
        self._bursts = [dispersion(history) for history in self._history]
        self._begin()
        self.shift(self.began)

    def shift(self, shift: Shift) -> None:
        """The canary has another weight."""
        self.shifted = shift
        self.minutes.shift(shift)

    def read(self, reading: Reading) -> None:
        """Monitoring was looked at."""
        self.at = reading.at
        if self.minutes.read(reading):
            self._begin()
        for minute in self.minutes.settle():
            self._add(minute)

    def found(self) -> tuple[Found, ...]:
        """Of each metric, in the order of the rules."""
        return tuple(self._found(index, metric) for index, metric in enumerate(self.rules.metrics))

    @property
    def counted(self) -> bool:
        """Whether any minute could be judged so far."""
        return bool(self._samples[0])

    def since_shift(self) -> tuple[Sample, ...]:
        """What was counted at the weight of now, metric by metric."""
        minutes = self.minutes.settled - number_of(self.shifted.since)
        return tuple(_sum(self._last(index, minutes)) for index in range(len(self.rules.metrics)))

    def _begin(self) -> None:
        began = Sample(until=number_of(self.began.since))
        self._evidence = [Evidence(began) for _ in self.rules.metrics]
        self._mixed = [Sample() for _ in self.rules.metrics]
        self._samples: list[list[Sample]] = [[] for _ in self.rules.metrics]

    def _add(self, minute: Minute) -> None:
        least_part = self.minutes.least_part(minute.number)
        for index, metric in enumerate(self.rules.metrics):
            sample = _sample(minute, metric)
            self._samples[index].append(sample)
            if sample.canary and sample.stable:
                self._evidence[index] = self._evidence[index].after(sample, self._bursts[index], least_part)
                self._mixed[index] = self._mixed[index].plus(sample) if least_part else self._mixed[index]

    def _last(self, index: int, minutes: int) -> list[Sample]:
        """What was counted of one metric in the last so many minutes, newest first."""
        return self._after(index, self.minutes.settled - minutes)

    def _after(self, index: int, number: int) -> list[Sample]:
        """What was counted of one metric after a minute, newest first."""
        return list(takewhile(lambda sample: sample.until > number, reversed(self._samples[index])))

    def _found(self, index: int, metric: Metric) -> Found:
        evidence, bursts = self._evidence[index], self._bursts[index]
        start, last = evidence.start, self._last(index, NOW_MINUTES)
        suspected = self._after(index, start.until) if evidence.e_value > 1 else []  # else there is nothing to weaken
        now = _sum(last)
        whole = evidence.total.since(self._mixed[index])
        to_pct = self.rules.next_pct(self.shifted.weight_pct) or 100
        return Found(
            metric=metric,
            bursts=bursts,
            total=evidence.total,
            whole=whole,
            worse=evidence.total.since(start),
            worse_since=start.until,
            e_value=evidence.e_value,
            worse_bursts=sure_dispersion((one.canary, one.canary_bad) for one in suspected),
            highest=highest_excess(whole, bursts, self.z),
            margin=min(LARGEST_MARGIN, metric.tolerated_pp / to_pct),
            now=now,
            now_minutes=len(last),
            over_limit=now.canary_bad > 0
            and metric.limit_pct is not None
            and self._over(index, metric.limit_pct / 100),
        )

    def _over(self, index: int, limit: float) -> bool:
        """Whether the canary was over its limit in more than half of the last minutes, and the stable release was not.

        One burst of bad answers is in one minute. A stable release that serves no more is taken by what it did before.
        """
        samples, history = self._last(index, LIMIT_MINUTES), self._history[index]
        if sum(sample.canary_share > limit for sample in samples) <= LIMIT_OVER:
            return False
        whole, before = _sum(samples), sum(total for total, _ in history)
        stable = whole.stable_share if whole.stable else share(sum(bad for _, bad in history), before)
        return whole.canary >= LIMIT_REQUESTS and whole.canary_share > limit >= stable


def _sample(minute: Minute, metric: Metric) -> Sample:
    """One minute of one metric; empty when that was not counted or contradicts itself."""
    canary, stable = minute.canary, minute.stable
    if not (canary.tells(metric.name) and stable.tells(metric.name)):
        return Sample(until=minute.number)
    canary_bad, stable_bad = canary.bad.get(metric.name, 0), stable.bad.get(metric.name, 0)
    return Sample(canary.total, canary_bad, stable.total, stable_bad, int(canary_bad > 0), minute.number)


def _sum(samples: Iterable[Sample]) -> Sample:
    canary = canary_bad = stable = stable_bad = bad_minutes = 0
    for sample in samples:
        canary, canary_bad = canary + sample.canary, canary_bad + sample.canary_bad
        stable, stable_bad = stable + sample.stable, stable_bad + sample.stable_bad
        bad_minutes += sample.bad_minutes
    return Sample(canary, canary_bad, stable, stable_bad, bad_minutes)


def _history(tallies: Iterable[Tally], metric: Metric) -> list[tuple[int, int]]:
    """(requests, bad ones) of each minute before."""
    return [(tally.total, tally.bad.get(metric.name, 0)) for tally in tallies if tally.tells(metric.name)]
