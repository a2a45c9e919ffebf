"""What the judge makes of the sandbox's own counts, as a deploy reads them: how soon, over many seeds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from google.cloud import run_v2

from bot.core.canary.verdict import Verdict
from bot.core.deploying.counting import Counting
from bot.core.deploying.judging import next_look
from bot.core.deploying.stage import Watched
from bot.core.judge import judge
from bot.core.ports import Metric, Point, Requests
from bot.core.promises import Slo
from bot.core.request import Target
from bot.sandbox.cloud_run.state import ServiceState, Truth
from bot.sandbox.demo_canary import BAD_ERRORS, GOOD_ERRORS, LATE_S, STABLE_ERRORS, WITHIN
from bot.sandbox.monitoring import traffic

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TARGET = Target(system="s", environment="e", name="n", kind="service", type="cloud_run", cloud="gcp")
SLO = Slo(objective_pct=99.5)
WATCHED = Watched(
    release="new", stable="old", weight_pct=10, weights_pct=(10, 25, 50, 100), bake_s=600, watch_s=1800, warm_up_s=0,
    goes_on="by evidence",
)  # fmt: skip
SEEDS, USUAL_MS = range(1, 21), 200


def shifted(seed: int) -> datetime:
    """When the release gets its traffic: by the seeds, all through a minute of the clock."""
    return NOON + timedelta(seconds=3 * (seed - 1))


class Monitoring:
    """MetricReads over the sandbox's traffic: ten requests a second, and LATE_S until a minute is counted."""

    def __init__(self, seed: int, error_rate: float) -> None:
        self.seed, self.now = seed, shifted(seed)
        self.state = ServiceState(run_v2.Service(name="projects/p/locations/l/services/s"), rps=10.0, not_found_rate=0)
        before = NOON - timedelta(hours=2)
        self.state.splits = [(before, {"old": 100}), (self.now, {"old": 90, "new": 10})]
        for name, rate in (("old", STABLE_ERRORS), ("new", error_rate)):
            self.state.truths[name] = Truth(run_v2.RevisionTemplate(), error_rates=[(before, rate)])

    def lag_s(self, target: Target) -> int:
        return 180

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        return (Point(release="old", until=until, value=USUAL_MS),)

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        counted = min(until, self.now - timedelta(seconds=LATE_S))
        first, last = int(since.timestamp()) // 60, int(counted.timestamp()) // 60
        return tuple(one for name in ("old", "new") for one in self._of(name, first, last) if one.total)

    def _of(self, name: str, first: int, last: int) -> Iterator[Requests]:
        found = traffic.requests(self.seed, self.state, name, first, last)
        for index in range(last - first):
            failed = int(found[traffic.FAILED][index])
            until = datetime.fromtimestamp((first + index + 1) * 60, UTC)
            total = sum(int(codes[index]) for codes in found.values())
            slow = round(total * 0.05)  # what is slower than the 95th percentile, of both
            yield Requests(release=name, until=until, total=total, errors=failed, slow=slow, slow_from_ms=USUAL_MS)


def looks(seed: int, error_rate: float, minutes: int) -> Iterator[tuple[timedelta, Verdict]]:
    """As a deploy looks: at once, and then twice a minute."""
    monitoring, began = Monitoring(seed, error_rate), shifted(seed)
    counting = Counting(TARGET, WATCHED, monitoring)
    record = counting.begun(began, began, SLO)
    while monitoring.now < began + timedelta(minutes=minutes):
        record = counting.read(record, monitoring.now)
        yield monitoring.now - began, judge(record)
        monitoring.now = next_look(monitoring.now)


def put_back(seed: int) -> timedelta:
    """How long a release with 5 % errors has traffic."""
    return next(took for took, verdict in looks(seed, BAD_ERRORS, 30) if verdict.decision == "roll_back")


def test_a_bad_release_is_put_back_within_minutes_whatever_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    took = sorted(put_back(seed) for seed in SEEDS)
    within = sum(one <= WITHIN for one in took)
    with capsys.disabled():
        spread = f"{took[0]} to {took[-1]}, median {median(took)}; {within} of {len(took)} within {WITHIN}"
        print(f"\n5 % errors at 10 % of 10 requests a second, put back after {spread}")
    assert within == len(took), "of any seeds about 97 of 100"


def test_the_one_of_the_demo_is() -> None:
    assert put_back(1) <= WITHIN


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_release_is_never_put_back(seed: int) -> None:
    decisions = [verdict.decision for _, verdict in looks(seed, GOOD_ERRORS, 20)]
    assert "roll_back" not in decisions and decisions[-1] == "promote"
