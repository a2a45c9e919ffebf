"""What is promised: objectives, recovery, backups, windows, how releases go out, how things scale."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, StrictBool, model_validator

from bot.core.burn import ALERTS, BurnAlert, never_fires
from bot.core.units import Bounds, Day, Duration, Model, Percent, Time, Weights

Strategy = Literal["rolling", "blue-green", "canary", "all-at-once"]
Scenario = Literal["full", "restore", "pitr", "failover", "rollback", "cache-loss", "region"]


class Latency(Model):
    """The time below which so many percent of the answers must stay."""

    percentile: Literal[50, 90, 95, 99]
    below_ms: int = Field(gt=0)


class Slo(Model):
    """Service level objective over a rolling window."""

    objective_pct: float = Field(gt=0, lt=100)  # of requests answered well
    latency: tuple[Latency, ...] = ()
    window: Duration = timedelta(days=30)
    burn_alerts: tuple[BurnAlert, ...] = ALERTS  # what counts as burning the error budget too fast

    @property
    def error_ratio(self) -> float:
        """The share of requests that may fail, 0..1."""
        return round(1 - self.objective_pct / 100, 9)

    def never_fires(self, alert: BurnAlert) -> str:
        """Why an alert on this could not fire were every answer bad, and what to write instead; empty when it could."""
        return never_fires(alert, self.error_ratio, self.window)


class RollbackRule(Model):
    """When a release counts as one that served well: over at least so many requests, at most so long ago."""

    min_requests: int = Field(500, ge=1)
    max_age: Duration = timedelta(days=30)


class Drill(Model):
    """How often recovery is rehearsed."""

    every: Duration
    scenarios: tuple[Scenario, ...] = ("full",)


class Recovery(Model):
    """How long an outage may last, and how much written data may be lost."""

    rto: Duration
    rpo: Duration
    drill: Drill | None = None


class Window(Model):
    """A weekly window; it ends on the day on which it starts."""

    day: Day
    start: Time
    end: Time
    zone: str = "UTC"

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self

    def covers(self, time: str) -> bool:
        """Whether a daily job at this time of day (same zone) falls into the window."""
        return self.start <= time < self.end


class Backup(Model):
    """Copies of a database or cache. `point_in_time` is how far back the log reaches; none means not offered."""

    at: Time
    zone: str = "UTC"
    every: Duration = timedelta(days=1)
    keep: Duration
    point_in_time: Duration | None = None
    cross_region: StrictBool = False
    location: str = ""
    method: Literal["automated", "pg_dump", "rdb"] = "automated"
    to: str = ""  # bucket and folder, where the copy leaves the service


class Copies(Model):
    """Copies of disks, configuration or secrets."""

    every: Duration
    keep_last: int | None = Field(None, ge=1)
    to: str = ""
    encrypted_offline: StrictBool = False


class Stages(Model):
    """Stages in which a release gets its traffic, where they differ from what is usual for the strategy."""

    weights_pct: Weights | None = None  # of the traffic, one after the other
    bake: Duration | None = None  # how long each is watched at least
    watch: Duration | None = None  # how long the last one, with all traffic, is
    warm_up: Duration | None = None  # after each shift, left out of the counts
    max_hold: Duration | None = None  # how much longer one may stay undecided before a person is asked


class Migration(Model):
    """Jobs that bring the database to the schema that a release needs. `backup_job` is run before `job`."""

    job: str = Field(min_length=1)
    backup_job: str = ""
    with_release_image: StrictBool = True  # the job runs the image of the release; else the one that it has


class Delivery(Model):
    """How releases go out, and what must hold before."""

    strategy: Strategy
    stages: Stages | None = None
    gradual: StrictBool = False
    circuit_breaker: StrictBool = False
    undo_on_failed_health: StrictBool = False
    takes: Duration | None = None  # a usual deployment
    pipeline: str = ""  # what deploys beside aisq
    migrations_first: StrictBool = False
    backup_before_migration: StrictBool = False
    no_critical_vulnerabilities: StrictBool = False


class ScheduledBounds(Bounds):
    """Other bounds between two times of day."""

    days: tuple[Day, ...]
    start: Time
    end: Time
    zone: str = "UTC"


class ScalingTargets(Model):
    """What an environment's autoscaling aims at."""

    cpu_pct: Percent | None = None
    memory_pct: Percent | None = None
    requests_per_s: float | None = Field(None, gt=0)
    queue_depth: int | None = Field(None, gt=0)
