"""A canary's minutes as a short script, read minute by minute as the bot would read them.

A script is a list of scenes: so many `minutes` in which both answered alike (`canary` and `stable` as [requests,
errors] or [requests, errors, slow ones]), with `unread: true` before anybody looks; minutes without counts (`gap`);
looks that find nothing new (`wait`); another `weight`; or a minute that monitoring tells otherwise now (`revise`, by
its number).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.canary.record import CanaryRecord, Minute, Shift, Tally
from bot.core.canary.rules import ERRORS, CanaryRules, slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITED = ERRORS.model_copy(update={"limit_pct": 7.2})
CANARY, STABLE = "backend-00042", "backend-00041"
NAMES = ("errors", "slow")


def tally(counts: list[int]) -> Tally:
    return Tally(total=counts[0], bad=dict(zip(NAMES, counts[1:], strict=False)))


def rules(case: dict[str, Any]) -> CanaryRules:
    """Errors with a limit, unless the case has rules or an edge of latency."""
    metrics = (LIMITED, slow(case["edge_ms"])) if "edge_ms" in case else (LIMITED,)
    return CanaryRules(**{"metrics": metrics, **case.get("rules", {})})


class Play:
    """Plays scenes into a record."""

    def __init__(self, case: dict[str, Any]) -> None:
        lag_s, history = case.get("lag_s", 0), [tally(counts) for counts in case.get("history", [])]
        first = Shift(since=NOON, weight_pct=case.get("weight", 10))
        self.record = CanaryRecord(
            canary=CANARY, stable=STABLE, rules=rules(case), lag_s=lag_s, history=tuple(history), shifts=(first,)
        )
        self._now, self._lag = NOON, timedelta(seconds=lag_s)
        self._minutes: dict[int, Minute] = {}
        for scene in case["script"]:
            self._play(scene)

    def _play(self, scene: dict[str, Any]) -> None:
        for _ in range(scene.get("minutes", 0)):
            self._count(scene)
            if not scene.get("unread"):
                self._read()
        for _ in range(scene.get("wait", 0)):
            self._now += MINUTE
            self._read()
        self._now += MINUTE * scene.get("gap", 0)
        if "weight" in scene:
            self.record = self.record.shifted(self._now + self._lag, scene["weight"])
        if "revise" in scene:
            self._revise(scene)

    def _count(self, scene: dict[str, Any]) -> None:
        self._now += MINUTE
        minute = Minute(until=self._now, canary=tally(scene["canary"]), stable=tally(scene["stable"]))
        self._minutes[minute.number] = minute

    def _read(self) -> None:
        self.record = self.record.read(self._now + self._lag, tuple(self._minutes.values()))

    def _revise(self, scene: dict[str, Any]) -> None:
        until = NOON + MINUTE * scene["revise"]
        minute = Minute(until=until, canary=tally(scene["canary"]), stable=tally(scene["stable"]))
        self._minutes[minute.number] = minute
        self._read()


def played(script: list[dict[str, Any]], **case: Any) -> CanaryRecord:
    """The record of a script."""
    return Play({"script": script, **case}).record
