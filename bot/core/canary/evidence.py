"""How much counts say against one release beside another that serves at the same time: a sequential test.

Given how many answers of one minute were bad, how many of these fell to the canary depends on its share of the
requests and on how much worse it is, and not on how bad that minute was for both: an outage that both share, or a
weight that changes, cancels out. The test may be looked at after every minute, because what it sums up is an e-value:
were the canary no worse, it would ever reach 1/a in at most a share a of all rollouts (Ville's inequality).

Sources: Robbins 1970 and Johari et al. 2015 (mixtures that are valid at any time); Lindon et al. 2022, arXiv
2205.14762 (regressions found by counts at Netflix).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

RISKS = tuple(1.5 * (40 / 1.5) ** (step / 11) for step in range(12))  # how many times as often bad: 1.5 to 40
EARLY = 240  # half of what spoils a release later than its first minute is expected within so many minutes
_LOG_RISKS = tuple(math.log(risk) for risk in RISKS)
_NONE = (0.0,) * len(RISKS)
_EVEN = (1.0,) * len(RISKS)
_LARGEST = 600.0  # of a logarithm; what is beyond was decided long ago
_CAP = math.exp(_LARGEST)


class Sample(NamedTuple):
    """What both releases answered in some minutes; a minute is a number that grows by one."""

    canary: int = 0
    canary_bad: int = 0
    stable: int = 0
    stable_bad: int = 0
    bad_minutes: int = 0  # in which the canary answered badly
    until: int = 0  # the end of the last minute

    def plus(self, later: "Sample") -> "Sample":
        return Sample(
            self.canary + later.canary,
            self.canary_bad + later.canary_bad,
            self.stable + later.stable,
            self.stable_bad + later.stable_bad,
            self.bad_minutes + later.bad_minutes,
            later.until,
        )

    def since(self, start: "Sample") -> "Sample":
        """What was added to `start`."""
        return Sample(
            self.canary - start.canary,
            self.canary_bad - start.canary_bad,
            self.stable - start.stable,
            self.stable_bad - start.stable_bad,
            self.bad_minutes - start.bad_minutes,
            self.until,
        )

    @property
    def canary_share(self) -> float:
        """Of the canary's answers that were bad, 0..1."""
        return share(self.canary_bad, self.canary)

    @property
    def stable_share(self) -> float:
        return share(self.stable_bad, self.stable)

    @property
    def excess(self) -> float:
        """-1..1"""
        return self.canary_share - self.stable_share


def share(bad: float, total: float) -> float:
    """0..1; 0 without requests."""
    return bad / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the minutes so far say about one metric; `total` may begin with no counts, and the minute before the first.

    For each risk `mixtures` sums up the likelihood ratio of "so many times as often bad since minute j" over all j,
    `peaks` has the largest term, and `starts` the counts before its minute.
    """

    total: Sample
    minutes: int = 0
    mixtures: tuple[float, ...] = _NONE
    peaks: tuple[float, ...] = _NONE
    starts: tuple[Sample, ...] = ()

    def after(self, minute: Sample, bursts: float, least_part: float = 0.0) -> "Evidence":
        """With one more minute, in which both served; `bursts` (1 or more) was known before that minute.

        `least_part` (0..1) is for a minute in which the canary did not have the same part of the requests all the time:
        the largest that it had. However few of the minute's requests it answered, it is taken to have had that much.
        """
        ratios, weight, fresh = _ratios(minute, bursts, least_part), _expected_at(self.minutes), self.total
        starts = self.starts or (fresh,) * len(RISKS)
        return Evidence(
            fresh.plus(minute),
            self.minutes + 1,
            tuple([min(_CAP, (old + weight) * ratio) for old, ratio in zip(self.mixtures, ratios, strict=True)]),
            tuple([min(_CAP, max(old, weight) * ratio) for old, ratio in zip(self.peaks, ratios, strict=True)]),
            tuple([start if old > weight else fresh for old, start in zip(self.peaks, starts, strict=True)]),
        )

    @property
    def e_value(self) -> float:
        """1 without evidence; a good release ever reaches 200 in at most 1 of 200 rollouts."""
        return sum(self.mixtures) / len(RISKS) + _expected_from(self.minutes)

    @property
    def start(self) -> Sample:
        """The counts before the minute from which on the canary is most likely worse."""
        return self.starts[self.peaks.index(max(self.peaks))] if self.starts else self.total


def _ratios(minute: Sample, bursts: float, least_part: float) -> tuple[float, ...] | list[float]:
    """For each risk, how much likelier it makes the split of one minute's bad answers than no risk.

    With `part` the canary's part of the requests, a bad answer is the canary's with probability risk x part /
    (1 + (risk - 1) x part). Binomial instead of hypergeometric errs to the safe side: the latter spreads less
    (Hoeffding 1963), and so does a `part` that is too large: each bad answer of a canary that is no worse was its own
    with at most that probability, whenever in the minute it came. Answers that are bad in bursts count that much less.
    """
    bad = minute.canary_bad + minute.stable_bad
    if not bad:
        return _EVEN
    part, canary_bad = max(least_part, minute.canary / (minute.canary + minute.stable)), minute.canary_bad
    return [
        math.exp(min(_LARGEST, (canary_bad * log_risk - bad * math.log1p((risk - 1) * part)) / bursts))
        for risk, log_risk in zip(RISKS, _LOG_RISKS, strict=True)
    ]


def _expected_at(minute: int) -> float:
    """How likely it is beforehand that a release spoils in this minute: half for the first, the rest in a long tail."""
    return 0.5 if minute == 0 else 0.5 * EARLY / ((minute + EARLY - 1) * (minute + EARLY))


def _expected_from(minute: int) -> float:
    """The sum of that from this minute on."""
    return 1.0 if minute == 0 else 0.5 * EARLY / (minute + EARLY - 1)
