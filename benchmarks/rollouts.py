"""What becomes of canaries by our judge, and by the rules that Flagger and Argo Rollouts show in their documentation.

Flagger (docs.flagger.app/usage/metrics): every minute the canary's success rate of that minute must be at least a
threshold, or its 99th percentile at most 500 ms; after five checks that failed it goes back, and no traffic is a check
that failed. Argo Rollouts (argo-rollouts.readthedocs.io/en/stable/features/analysis): every five minutes the success
rate of these; it goes back when more than `failureLimit` measurements failed (3 in the example; 0 is the default).
Both raise the weight every ten minutes, and have promoted after thirty. Their threshold is the true share of errors
and one percentage point more, which nobody knows in advance.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.streams import EDGE_MS, MINUTES, WEIGHTS, Arm, Counts, Scenario, Split, Stream
from bot.core.canary.analysis import Analysis
from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally
from bot.core.canary.rules import ERRORS, CanaryRules, slow
from bot.core.judge import verdict
from bot.core.promises import Slo

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNTIL = [NOON + timedelta(minutes=minute + 1) for minute in range(MINUTES)]
RULES = CanaryRules(metrics=(ERRORS, slow(EDGE_MS))).limited_by(Slo(objective_pct=99.5))
STEP_MINUTES, LAST = 10, 30
FLAGGER_FAILURES, FLAGGER_P99, ARGO_MINUTES, ARGO_LIMITS = 5, 0.01, 5, (0, 3)
TOLERANCE = 0.01


class Ended(NamedTuple):
    """When each run ended in one way or the other, in minutes from the beginning; NaN where it did not."""

    rolled_back: NDArray[np.float64]
    promoted: NDArray[np.float64]


def judged(requests: Stream) -> Ended:
    """By our judge, asked every minute; at most four hours."""
    runs = requests.before.total.shape[0]
    rolled_back, promoted = np.full(runs, np.nan), np.full(runs, np.nan)
    for run in range(runs):
        ending, minute = _judged(requests, run)
        if ending:
            (rolled_back if ending == "roll_back" else promoted)[run] = minute
    return Ended(rolled_back, promoted)


def _judged(requests: Stream, run: int) -> tuple[str, int]:
    """The verdict that ended a run, if any, and when."""
    before = tuple(_tally(*counts) for counts in zip(*_rows(requests.before, run), strict=True))
    shifts, weight = (Shift(since=NOON, weight_pct=WEIGHTS[0]),), WEIGHTS[0]
    analysis = Analysis(CanaryRecord(canary="canary", stable="stable", rules=RULES, history=before, shifts=shifts))
    readings = {weight: _Readings(requests.at[weight], run) for weight in WEIGHTS}
    for number, until in enumerate(UNTIL):
        analysis.read(readings[weight].at(number))
        given = verdict(analysis)
        if given.decision == "roll_back" or given.to_pct == 100:
            return given.decision, number + 1
        if given.to_pct:
            weight = given.to_pct
            analysis.shift(Shift(since=until, weight_pct=weight))
    return "", MINUTES


def read(requests: Stream, run: int, weight: int) -> Iterator[Reading]:
    """All minutes of a run at one weight, each as soon as it is over."""
    readings = _Readings(requests.at[weight], run)
    return (readings.at(number) for number in range(MINUTES))


class _Readings:
    """One run at one weight, as monitoring would tell it, minute by minute."""

    def __init__(self, split: Split, run: int) -> None:
        self._canary, self._stable = (_rows(arm, run) for arm in split)

    def at(self, number: int) -> Reading:
        canary, stable = (_tally(*(counts[number] for counts in rows)) for rows in (self._canary, self._stable))
        minute = Minute.model_construct(until=UNTIL[number], canary=canary, stable=stable)
        return Reading.model_construct(at=UNTIL[number], minutes=(minute,))


def _rows(arm: Arm, run: int) -> list[list[int]]:
    """Requests, errors and slow answers of one run, as Python's own numbers."""
    return [counts[run].tolist() for counts in (arm.total, arm.errors, arm.slow)]


def _tally(total: int, errors: int, late: int) -> Tally:
    """Without the validation, which these counts do not need and which takes longer than the verdicts."""
    return Tally.model_construct(total=total, bad={"errors": errors, "slow": late})


def by_flagger(scenario: Scenario, requests: Stream) -> Ended:
    """On errors, or, where it is about latency, on the 99th percentile."""
    canary = _scheduled(requests)
    if scenario.slower:
        failed = canary.over_500 > np.floor(FLAGGER_P99 * canary.total)
    else:
        failed = canary.errors > (scenario.usual + TOLERANCE) * canary.total
    return _ended(np.cumsum(failed | (canary.total == 0), axis=1) >= FLAGGER_FAILURES, 1)


def by_argo(scenario: Scenario, requests: Stream, limit: int) -> Ended:
    """On errors only: its documentation shows no rule for latency."""
    canary = _scheduled(requests)
    total, errors = (_windows(counts) for counts in (canary.total, canary.errors))
    failed = (errors > (scenario.usual + TOLERANCE) * total) | (total == 0)
    return _ended(np.cumsum(failed, axis=1) > limit, ARGO_MINUTES)


def _scheduled(requests: Stream) -> Arm:
    """The canary with a weight that is raised every ten minutes."""
    steps = [(weight, slice(step * STEP_MINUTES, (step + 1) * STEP_MINUTES)) for step, weight in enumerate(WEIGHTS)]
    parts = [[counts[:, span] for counts in requests.at[weight].canary] for weight, span in steps]
    return Arm(*(np.hstack(columns) for columns in zip(*parts, strict=True)))


def _windows(counts: Counts) -> Counts:
    runs, minutes = counts.shape
    summed: Counts = counts.reshape(runs, minutes // ARGO_MINUTES, ARGO_MINUTES).sum(axis=2)
    return summed


def _ended(over: NDArray[np.bool_], minutes: int) -> Ended:
    """`over` is true from the look on that rolls back; looks are so many minutes apart."""
    back = over.any(axis=1)
    when = (over.argmax(axis=1) + 1.0) * minutes
    return Ended(np.where(back, when, np.nan), np.where(back, np.nan, float(LAST)))
