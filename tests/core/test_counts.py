"""Reading what monitoring counted: in two grains, and in vain only once."""

from datetime import UTC, datetime, timedelta

from bot.core.counts import Counts
from bot.core.errors import Permanent, Transient
from bot.core.ports import Requests
from bot.core.request import Target

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")


class Metrics:
    """Answers every question with one request in its newest step, and notes what was asked."""

    def __init__(self, *, fails_at: int = 0, no_lag: bool = False) -> None:
        self.asked: list[tuple[timedelta, timedelta, int]] = []
        self.fails_at, self.no_lag = fails_at, no_lag

    def lag_s(self, target: Target) -> int:
        if self.no_lag:
            raise Permanent("nobody counts")
        return 180

    def requests(self, target: Target, since: datetime, until: datetime, step_s: int) -> tuple[Requests, ...]:
        self.asked.append((NOW - since, NOW - until, step_s))
        if len(self.asked) == self.fails_at:
            raise Transient("503 from monitoring")
        return (Requests(release=f"every {step_s}", until=until, total=10, errors=1),)


def test_the_last_hours_are_looked_at_closely() -> None:
    metrics = Metrics()
    fine, coarse = Counts(metrics, TARGET, NOW).spans(timedelta(days=30), frozenset())
    assert metrics.asked == [
        (timedelta(hours=3), timedelta(0), 60),
        (timedelta(days=30), timedelta(hours=3), 3600),
    ]
    assert (fine.split, fine.until) == ({"every 60": 100}, NOW)
    assert (coarse.split, coarse.until) == ({"every 3600": 100}, NOW - timedelta(hours=3))


def test_previews_are_left_out() -> None:
    (coarse,) = Counts(Metrics(), TARGET, NOW).spans(timedelta(days=30), frozenset({"every 60"}))
    assert coarse.split == {"every 3600": 100}


def test_the_last_minutes_reach_back_as_far_as_monitoring_lags() -> None:
    metrics = Metrics()
    counts = Counts(metrics, TARGET, NOW)
    assert (counts.recent(), counts.trouble) == ((10, 1), "")
    assert metrics.asked == [(timedelta(minutes=8), timedelta(0), 60)]


def test_who_failed_once_is_not_asked_again() -> None:
    metrics = Metrics(fails_at=1)
    counts = Counts(metrics, TARGET, NOW)
    assert counts.spans(timedelta(days=30), frozenset()) == ()
    assert (counts.recent(), counts.trouble) == ((0, 0), "503 from monitoring")
    assert len(metrics.asked) == 1


def test_what_was_read_before_it_failed_counts() -> None:
    counts = Counts(Metrics(fails_at=2), TARGET, NOW)
    assert [span.split for span in counts.spans(timedelta(days=30), frozenset())] == [{"every 60": 100}]
    assert counts.trouble == "503 from monitoring"


def test_a_platform_that_nobody_counts_for() -> None:
    metrics = Metrics(no_lag=True)
    counts = Counts(metrics, TARGET, NOW)
    assert (counts.recent(), counts.trouble, metrics.asked) == ((0, 0), "nobody counts", [])
    assert counts.recent() == (0, 0)


def test_the_first_trouble_is_the_one_that_is_told() -> None:
    metrics = Metrics(fails_at=1, no_lag=True)
    counts = Counts(metrics, TARGET, NOW)
    counts.spans(timedelta(days=30), frozenset())
    counts.recent()
    assert counts.trouble == "503 from monitoring"
