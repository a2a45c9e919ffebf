"""Watching one stage of a rollout: what the judge says, and what no judge is needed for."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from pydantic import JsonValue

from bot.core.canary.record import RECORD, VERDICT, CanaryRecord
from bot.core.canary.verdict import Verdict
from bot.core.deploying.counting import LAG_STEP_S, Counting, whole_minute
from bot.core.deploying.looks import changed_by_others
from bot.core.deploying.stage import Watched
from bot.core.errors import NotFound
from bot.core.judge import judge
from bot.core.plan import Checked, Moment
from bot.core.ports import ComputeReads, MetricReads
from bot.core.promises import Slo
from bot.core.request import Target
from bot.core.stages import StageRecord
from bot.core.system import LedgerReads
from bot.core.traffic import describe

LOOK_EVERY = timedelta(seconds=5)  # until traffic has arrived
NOT_AGAINST = ("too few requests", "no requests")  # what does not keep a stage that goes on in time


class Judging:
    """The look at one stage of an operation."""

    def __init__(self, target: Target, watched: Watched, operation: str, moment: Moment) -> None:
        self._target, self._watched = target, watched
        self._operation, self._moment = operation, moment

    def look(self, compute: ComputeReads, metrics: MetricReads, ledger: LedgerReads, slo: Slo) -> Checked:
        """What is found now. Raises CloudError when something cannot be read."""
        now = compute.service(self._target)
        if said := changed_by_others(now, ledger, self._operation) or self._trouble(compute):
            return Checked(state="broken", sentence=said)
        if now.serving != self._watched.traffic:
            said = f"traffic was sent to {describe(self._watched.traffic)}, but {describe(now.serving)} serves"
            return Checked(state="not yet", sentence=said, look_again_at=self._moment.now + LOOK_EVERY)
        return self._judged(metrics, ledger.stages(self._operation), slo)

    def _trouble(self, compute: ComputeReads) -> str:
        """Why the release may have no traffic at all."""
        try:
            release = compute.release_named(self._target, self._watched.release)
        except NotFound:
            return f"{self._watched.release} is gone"
        return "" if release.ready else f"{release.name} is no longer ready: {release.reason or 'no reason is given'}"

    def _judged(self, metrics: MetricReads, stages: Iterable[StageRecord], slo: Slo) -> Checked:
        counting, now = Counting(self._target, self._watched, metrics), self._moment.now
        began = self._moment.started_at
        kept = _kept(stages)
        record = counting.begun(began, now, slo) if kept is None else self._shifted(kept)
        record = counting.read(record, now)
        verdict = judge(record)
        evidence: dict[str, JsonValue] = {
            RECORD: record.model_dump(mode="json"),
            VERDICT: verdict.model_dump(mode="json"),
        }
        state = self._state(verdict, record, now)
        return Checked(state=state, sentence=verdict.sentence, evidence=evidence, look_again_at=next_look(now))

    def _shifted(self, record: CanaryRecord) -> CanaryRecord:
        """With this stage's weight."""
        if record.shifts[-1].weight_pct == self._watched.weight_pct:
            return record
        return record.shifted(self._moment.started_at, self._watched.weight_pct)

    def _state(self, verdict: Verdict, record: CanaryRecord, now: datetime) -> Literal["holds", "broken", "not yet"]:
        if verdict.decision == "roll_back":
            return "broken"
        baked_at = self._moment.started_at + timedelta(seconds=self._watched.bake_s + record.lag_s)
        in_time = self._watched.goes_on == "in time" and verdict.why in NOT_AGAINST and now >= baked_at
        return "holds" if verdict.decision == "promote" or in_time else "not yet"


def next_look(now: datetime) -> datetime:
    """Twice a minute, a little after it began and a little after its middle: counts come once, at some time in it."""
    minute = whole_minute(now)
    looks = (minute + LOOK_EVERY + number * timedelta(seconds=LAG_STEP_S) for number in range(4))
    return next(at for at in looks if at > now)


def _kept(stages: Iterable[StageRecord]) -> CanaryRecord | None:
    """What was counted so far, in this stage or in those before."""
    records = [one.evidence[RECORD] for one in stages if RECORD in one.evidence]
    return CanaryRecord.model_validate(records[-1]) if records else None
