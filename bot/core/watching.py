"""What is watched: alerts, uptime, logs, metrics, secrets, images, certificates."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, StrictBool, model_validator

from bot.core.units import Duration, Model, Name

Severity = Literal["critical", "warning", "info"]


class Alert(Model):
    """A rule of the monitoring. Exactly one of `above` and `below`, in `unit`."""

    service: Name | None = None
    metric: Name
    above: float | None = None
    below: float | None = None
    unit: Literal["percent", "count", "per_s", "ms"] = "percent"
    lasting: Duration = Field(alias="for")
    severity: Severity
    source: Literal["prometheus", "cloud_monitoring", "cloudwatch", "uptime"]
    expression: str = ""
    runbook: Name | None = None

    @model_validator(mode="after")
    def _one_side(self) -> "Alert":
        if (self.above is None) == (self.below is None):
            raise ValueError("give `above` or `below`, one of them")
        return self


class UptimeCheck(Model):
    """A probe from outside."""

    service: Name
    path: str = Field("/", pattern="^/")
    every: Duration = timedelta(minutes=1)


class Logs(Model):
    """What is logged and for how long it is kept."""

    keep: Duration
    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Job(Model):
    """One thing that Prometheus scrapes."""

    address: str = ""
    path: str = "/metrics"
    every: Duration | None = None


class Monitoring(Model):
    """What is measured; `metrics` maps a name to its query, or to nothing when the platform has it by that name."""

    source: Literal["prometheus", "cloud_monitoring", "cloudwatch"]
    scrape_every: Duration | None = None
    evaluate_every: Duration | None = None
    jobs: dict[Name, Job] = Field({})
    metrics: dict[str, str] = Field({})


class SecretRule(Model):
    """A secret's name and its rotation, never its value."""

    rotate: Duration | Literal["never"]
    purpose: str = ""
    store: Literal["secret_manager", "kubernetes", "vault", "aws_secrets_manager"] = "secret_manager"


class Registry(Model):
    """Where images are kept, how many of each, and whether they are scanned."""

    type: Literal["artifact_registry", "gcr", "ecr"]
    address: str
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    keep_last: int | None = Field(None, ge=1)
    scanned: StrictBool = False


class Domain(Model):
    """A name that people type, and its certificate."""

    service: Name
    certificate: Literal["google_managed", "acm", "cloudflare", "github"] | None = None
    renews_itself: StrictBool = False
    remind_before: Duration = timedelta(days=30)
