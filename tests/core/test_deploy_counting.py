"""What a deploy reads to be judged by: which answers count as slow, how late counts are, what is kept of them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.deploying.counting import Counting
from bot.core.deploying.stage import Watched
from bot.core.ports import Metric, Point, Requests
from bot.core.promises import Latency, Slo
from bot.core.request import Target

SINCE = datetime(2026, 11, 20, 12, 0, 20, tzinfo=UTC)
NOON = SINCE.replace(second=0)
TARGET = Target(system="s", environment="e", name="n", kind="service", type="t", cloud="c")
WATCHED = Watched(
    release="new", stable="old", weight_pct=10, weights_pct=(10, 100), bake_s=600, watch_s=1800, warm_up_s=0,
    goes_on="by evidence",
)  # fmt: skip
SLO = Slo(objective_pct=99.5)
PROMISED = Slo(objective_pct=99.5, latency=(Latency(percentile=95, below_ms=250),))


class Monitoring:
    """MetricReads: `late` minutes, `p95` of the stable release; edges are at 100, 200, … ms."""

    def __init__(self, late: int = 2, p95: float | None = 130.4, quiet: bool = False) -> None:
        self.late, self.p95, self.quiet = late, p95, quiet
        self.asked: list[int | None] = []

    def lag_s(self, target: Target) -> int:
        return 180

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        assert (metric, until - since) == ("latency_p95", timedelta(days=1))
        points = [Point(release="other", until=until, value=900.0)]
        return tuple(points if self.p95 is None else [*points, Point(release="old", until=until, value=self.p95)])

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        self.asked.append(slower_than_ms)
        edge = None if slower_than_ms is None else -(-slower_than_ms // 100) * 100
        slow = {} if edge is None else {"slow": 5, "slow_from_ms": edge}
        minutes = int((until - since) / timedelta(minutes=1))
        ends = [since + timedelta(minutes=minute + 1) for minute in range(minutes)]
        counted = [end for end in ends if end <= NOON - timedelta(minutes=self.late) or end > NOON]
        names = [] if self.quiet else ["old", "new"]
        return tuple(
            Requests.model_validate({"release": name, "until": end, "total": 100, "errors": 1, **slow})
            for end in counted
            for name in names
        )


def begun(monitoring: Monitoring, slo: Slo = SLO, watched: Watched = WATCHED):
    return Counting(TARGET, watched, monitoring).begun(SINCE, SINCE, slo)


def test_slow_is_what_is_slower_than_the_stable_release_usually_is():
    errors, slow = begun(Monitoring()).rules.metrics
    assert (errors.name, slow.name, slow.edge_ms) == ("errors", "slow", 200)
    assert errors.limit_pct == pytest.approx(7.2), "what burns the budget 14.4 times too fast"
    assert slow.limit_pct is None, "nobody promised how fast"


def test_or_what_the_objective_says():
    monitoring = Monitoring()
    _, slow = begun(monitoring, PROMISED).rules.metrics
    assert slow.edge_ms == 300 and 250 in monitoring.asked
    assert slow.limit_pct == 50, "14.4 times the 5 % that may be slower is more than half"


def test_where_nobody_can_tell_only_errors_are_judged():
    assert [one.name for one in begun(Monitoring(p95=None)).rules.metrics] == ["errors"]
    assert [one.name for one in begun(Monitoring(quiet=True)).rules.metrics] == ["errors"]


def test_history_is_the_stable_releases_last_hour():
    record = begun(Monitoring())
    assert len(record.history) == 58
    assert {(one.total, one.bad["errors"], one.bad["slow"]) for one in record.history} == {(100, 1, 5)}
    assert (record.canary, record.stable, record.shifts[0].since) == ("new", "old", SINCE)


@pytest.mark.parametrize("late, lag_s", [(0, 0), (1, 60), (2, 120), (9, 180)])
def test_counts_are_waited_for_as_long_as_they_are_late_and_no_longer(late, lag_s):
    assert begun(Monitoring(late=late)).lag_s == lag_s


@pytest.mark.parametrize("late_s, lag_s", [(25, 0), (30, 30), (59, 30)])
def test_later_looks_tell_better_than_the_first_how_late_counts_are(late_s, lag_s):
    monitoring = Monitoring(late=1)
    counting, first = Counting(TARGET, WATCHED, monitoring), begun(monitoring)
    record = counting.read(first, NOON + timedelta(seconds=60 + late_s))
    assert (first.lag_s, record.lag_s, len(record.readings[-1].minutes)) == (60, lag_s, 1)


def test_of_a_service_that_nobody_asks_the_platform_says_how_late():
    assert begun(Monitoring(quiet=True)).lag_s == 180


def test_one_stage_alone_is_judged_by_its_limits():
    alone = WATCHED.model_copy(update={"weights_pct": (100,), "weight_pct": 100})
    record = begun(Monitoring(), watched=alone)
    assert record.rules.next_pct(record.shifts[0].weight_pct) is None


def test_a_look_reads_all_since_the_first_shift_and_keeps_what_is_new():
    monitoring = Monitoring()
    counting = Counting(TARGET, WATCHED, monitoring)
    record = counting.read(begun(monitoring), SINCE)
    assert record.readings[-1].minutes == (), "no whole minute yet"
    record = counting.read(record, SINCE + timedelta(minutes=3))
    (first, *_) = minutes = record.readings[-1].minutes
    assert [one.until for one in minutes] == [NOON + timedelta(minutes=number) for number in (1, 2, 3)]
    assert (first.canary.total, first.stable.total, first.canary.bad) == (100, 100, {"errors": 1, "slow": 5})
    assert monitoring.asked[-1] == 200, "the edge stays what it was at the beginning"
    assert counting.read(record, SINCE + timedelta(minutes=3)) == record, "nothing new is not kept"
    later = counting.read(record.model_copy(update={"readings": record.readings[:1]}), SINCE + timedelta(seconds=30))
    assert len(later.readings) == 1
