"""What a deploy sees at each look: whether its release started, who else was there, and what the judge says."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.canary.record import RECORD, VERDICT, CanaryRecord
from bot.core.deploying.judging import Judging, next_look
from bot.core.deploying.looks import check_followed, check_ready
from bot.core.deploying.stage import Watched
from bot.core.errors import NotFound
from bot.core.plan import Moment
from bot.core.ports import LATEST, Release, Requests, ServiceState
from bot.core.promises import Slo
from bot.core.request import Target
from bot.core.stages import StageRecord
from bot.operations.deploy import Deploy

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TARGET = Target(system="s", environment="e", name="n", kind="service", type="t", cloud="c")
SLO = Slo(objective_pct=99.5)
BEGAN = NOON - timedelta(minutes=20)


def platform(release: dict[str, Any] | None, **state: Any) -> Any:
    """ComputeReads: one service and its newest release, `None` for one that is not there."""
    now = ServiceState.model_validate(
        {"asked": {"old": 90, "new": 10}, "serving": {"old": 90, "new": 10}, "version": "9", "busy": False, **state}
    )

    def named(target: Target, name: str) -> Release:
        if release is None:
            raise NotFound(f"no release {name}")
        return Release.model_validate({"name": name, "created_at": BEGAN, "ready": True, **release})

    return SimpleNamespace(service=lambda target: now, release_named=named)


def books(*versions: str, stages: tuple[StageRecord, ...] = ()) -> Any:
    """LedgerReads: what our writes left, and the stages so far."""
    effects = tuple(SimpleNamespace(ending="succeeded", version=version) for version in versions)
    return SimpleNamespace(effects=lambda operation: effects, stages=lambda operation: stages)


def ready(compute: Any, ledger: Any = None) -> Any:
    return check_ready(TARGET, "new", compute, ledger or books("9"), "op", Moment(started_at=BEGAN, now=NOON))


# --- whether it started


@pytest.mark.parametrize(
    "compute, state, sentence",
    [
        (platform({}), "holds", "new is ready"),
        (platform(None), "not yet", "new is not there yet"),
        (platform({"ready": False, "reason": "it is starting"}), "not yet", "new is not ready: it is starting"),
        (
            platform({"ready": False, "reason": "no port"}, trouble="not ready", busy=True),
            "not yet",
            "new is not ready: no port",
        ),
        (
            platform({"ready": False, "reason": "no port"}, trouble="not ready"),
            "broken",
            "new does not start: no port",
        ),
        (platform({"ready": False}, trouble="not ready"), "broken", "new does not start: not ready"),
        (
            platform({}, version="10", changed_by="eve@x"),
            "broken",
            "eve@x changed the service meanwhile: traffic is asked to be old 90 %, new 10 %",
        ),
        (
            platform({}, version="10"),
            "broken",
            "somebody changed the service meanwhile: traffic is asked to be old 90 %, new 10 %",
        ),
    ],
)
def test_whether_it_started(compute: Any, state: str, sentence: str) -> None:
    found = ready(compute)
    assert (found.state, found.sentence) == (state, sentence)
    assert (found.look_again_at is not None) == (state == "not yet")


# --- whether traffic follows it


@pytest.mark.parametrize(
    "state, found, sentence",
    [
        ({}, "holds", "new 100 % serves"),
        ({"serving": {"old": 100}}, "not yet", "traffic was sent to new 100 %, but old 100 % serves"),
        ({"latest_ready": "old", "serving": {"old": 100}, "busy": True}, "not yet", "but old 100 % serves"),
        ({"latest_ready": "old", "serving": {"old": 100}}, "broken", "the newest ready release is old, not new"),
        ({"latest_ready": "theirs", "serving": {"theirs": 100}}, "broken", "the newest ready release is theirs, not"),
        ({"latest_ready": ""}, "broken", "the newest ready release is unknown, not new"),
        ({"asked": {"old": 100}}, "broken", "somebody else set traffic to old 100 % meanwhile"),
    ],
)
def test_traffic_that_follows_the_newest_release_follows_this_one(
    state: dict[str, Any], found: str, sentence: str
) -> None:
    whole = {"asked": {LATEST: 100}, "serving": {"new": 100}, "latest_ready": "new", **state}
    compute = platform({}, **whole)
    checked = check_followed(TARGET, "new", compute)
    assert (checked.state, sentence in checked.sentence) == (found, True)
    assert Deploy.model_construct(service=TARGET).check_followed(compute, "new") == checked


# --- a stage


class Monitoring:
    """MetricReads: so many requests a minute of each release, and how many of them fail."""

    def __init__(self, canary: tuple[int, int] = (600, 0), stable: tuple[int, int] = (5400, 2)) -> None:
        self.counts = {"new": canary, "old": stable}

    def lag_s(self, target: Target) -> int:
        return 0

    def series(self, *_: Any) -> tuple[()]:
        return ()

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        minutes = int((until - since) / timedelta(minutes=1))
        return tuple(
            Requests(release=name, until=since + timedelta(minutes=minute + 1), total=total, errors=errors)
            for minute in range(minutes)
            for name, (total, errors) in self.counts.items()
            if total and (name == "old" or since + timedelta(minutes=minute + 1) > BEGAN)
        )


def watched(weight_pct: int = 10, goes_on: str = "by evidence", **more: Any) -> Watched:
    said = {"bake_s": 600, "watch_s": 600, "warm_up_s": 0, "weights_pct": (10, 50, 100), **more}
    return Watched.model_validate(
        {"release": "new", "stable": "old", "weight_pct": weight_pct, "goes_on": goes_on, **said}
    )


def look(
    of: Watched, compute: Any, metrics: Any, *, began: datetime = BEGAN, stages: Any = (), now: datetime = NOON
) -> Any:
    judging = Judging(TARGET, of, "op", Moment(started_at=began, now=now))
    return judging.look(compute, metrics, books("8", "9", stages=tuple(stages)), SLO)


def test_a_good_release_goes_on_and_the_counts_are_kept() -> None:
    found = look(watched(), platform({}), Monitoring())
    assert found.state == "holds" and found.sentence.startswith("Promote new to 50 %: as good as old")
    assert found.look_again_at == NOON + timedelta(seconds=5)
    kept = CanaryRecord.model_validate(found.evidence[RECORD])
    assert kept.readings[-1].at == NOON and found.evidence[VERDICT]["decision"] == "promote"


def test_a_bad_one_goes_back() -> None:
    found = look(watched(), platform({}), Monitoring(canary=(600, 30)))
    assert found.state == "broken" and found.sentence.startswith("Roll back new: 5 % errors")


def test_traffic_that_has_not_arrived_is_waited_for() -> None:
    found = look(watched(), platform({}, serving={"old": 100}), Monitoring())
    assert (found.state, found.sentence) == ("not yet", "traffic was sent to old 90 %, new 10 %, but old 100 % serves")
    assert found.look_again_at == NOON + timedelta(seconds=5) and found.evidence == {}


@pytest.mark.parametrize(
    "compute, sentence",
    [
        (platform(None), "new is gone"),
        (platform({"ready": False, "reason": "out of memory"}), "new is no longer ready: out of memory"),
        (platform({"ready": False}), "new is no longer ready: no reason is given"),
        (platform({}, version="10"), "somebody changed the service meanwhile"),
    ],
)
def test_what_needs_no_judge_is_over_at_once(compute: Any, sentence: str) -> None:
    found = look(watched(), compute, Monitoring())
    assert found.state == "broken" and found.sentence.startswith(sentence)


def stage(evidence: dict[str, Any]) -> StageRecord:
    return StageRecord(operation="op", position=3, started_at=BEGAN, evidence=evidence)


def test_a_look_that_finds_nothing_new_is_not_kept() -> None:
    first = look(watched(), platform({}), Monitoring())
    soon, later = (
        look(watched(), platform({}), Monitoring(), stages=[stage(first.evidence)], now=NOON + after)
        for after in (timedelta(seconds=35), timedelta(seconds=65))
    )
    assert (soon.evidence, soon.sentence) == (first.evidence, first.sentence)
    assert len(CanaryRecord.model_validate(later.evidence[RECORD]).readings) == 2


def test_the_next_stage_shifts() -> None:
    """Also when its first look finds nothing new: it is not left for what was found at the weight before."""
    first = look(watched(), platform({}), Monitoring())
    assert first.state == "holds"
    now = platform({}, serving={"old": 50, "new": 50})
    began = NOON + timedelta(seconds=10)
    stages = [stage(first.evidence), stage({})]
    second = look(watched(50), now, Monitoring(), began=began, stages=stages, now=began)
    shifts = CanaryRecord.model_validate(second.evidence[RECORD]).shifts
    assert [(one.since, one.weight_pct) for one in shifts] == [(BEGAN, 10), (began, 50)]
    assert (second.state, "it bakes for another" in second.sentence) == ("not yet", True)


@pytest.mark.parametrize("now_s, next_s", [(0, 5), (5, 35), (25, 35), (35, 65), (59, 65)])
def test_counts_are_looked_at_twice_a_minute(now_s: int, next_s: int) -> None:
    assert next_look(NOON + timedelta(seconds=now_s)) == NOON + timedelta(seconds=next_s)


FEW = Monitoring(canary=(3, 0), stable=(30, 0))


@pytest.mark.parametrize(
    "goes_on, began, metrics, state",
    [
        ("by evidence", BEGAN, FEW, "not yet"),
        ("in time", BEGAN, FEW, "holds"),
        ("in time", NOON - timedelta(minutes=9), FEW, "not yet"),
        ("in time", BEGAN, Monitoring(canary=(0, 0), stable=(0, 0)), "not yet"),
        ("in time", BEGAN, Monitoring(canary=(600, 30)), "broken"),
        ("in time", BEGAN, Monitoring(), "holds"),
    ],
)
def test_in_time_few_requests_do_not_keep_a_stage_but_no_counts_do(
    goes_on: str, began: datetime, metrics: Monitoring, state: str
) -> None:
    assert look(watched(goes_on=goes_on), platform({}), metrics, began=began).state == state
