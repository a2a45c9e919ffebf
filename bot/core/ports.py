"""What a platform can do: one Protocol a capability. `…Reads` change nothing, so planning is given nothing else.

Every method names its `Target`, by which the engine picks the provider. Every write takes an `Effect` first and is
at most once by contract: the provider stamps `effect.key` on what it changes, refuses unless the target is at
`effect.version`, and makes the cloud check what was just read (an etag). Two calls with the same effect can
therefore commit only once, however late the first one arrives.
"""

from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from bot.core.request import Target

LATEST = "LATEST"  # in a split: whatever release is the newest ready one
Traffic = dict[str, int]  # release name (or LATEST) to percent; the sum is 100


class Effect(BaseModel, frozen=True):
    """One write, named by us before it is made."""

    key: str  # OPERATION/POSITION/do or …/undo; unique for ever
    version: str  # of the target; what it must be when the write commits


class Progress(BaseModel, frozen=True):
    """How far the cloud is with one of its long-running operations."""

    state: Literal["running", "succeeded", "failed"]
    version: str = ""  # of the target after it; while it runs only where the platform takes another write over it
    detail: str = ""


class SecretUse(BaseModel, frozen=True):
    """A secret that a release reads; `version` may be "latest"."""

    secret: str
    version: str


class Release(BaseModel, frozen=True):
    """One deployed version of a service."""

    name: str
    created_at: datetime
    ready: bool  # it started once and could serve; also true of one that was retired since
    reason: str = ""  # why it is not ready
    image: str = ""  # as deployed: …/backend@sha256:…, or a tag
    secrets: tuple[SecretUse, ...] = ()
    labels: dict[str, str] = {}
    max_instances: int | None = None
    by: str = ""  # who deployed it, where the platform tells


class Sizing(BaseModel, frozen=True):
    """How big a service is to be; None leaves as it is."""

    min_instances: int | None = Field(None, ge=0)
    max_instances: int | None = Field(None, ge=1)
    cpu: float | None = Field(None, gt=0)  # virtual CPUs of one instance
    memory_mb: int | None = Field(None, gt=0)  # MiB of one instance
    concurrency: int | None = Field(None, ge=1)  # requests that one instance works on at a time


class ServiceState(BaseModel, frozen=True):
    """One service as it is now."""

    asked: Traffic  # what the configuration says, with LATEST as such
    serving: Traffic  # what is really served, by release name, as far as the platform shows it
    tags: dict[str, str] = {}  # preview tag to release
    version: str  # moves when somebody changes the service, never by the cloud's own bookkeeping
    busy: bool  # a change is being rolled out
    latest_ready: str = ""  # the newest release that could serve
    min_instances: int | None = None
    max_instances: int | None = None
    cpu: float | None = None  # of one instance of the newest release, as are the next two
    memory_mb: int | None = None
    concurrency: int | None = None
    url: str = ""
    trouble: str = ""  # what the platform complains of; empty when it does not
    changed_by: str = ""  # who changed it last, where the platform tells


@runtime_checkable
class ComputeReads(Protocol):
    """Looking at services."""

    def service(self, target: Target) -> ServiceState: ...

    def releases(self, target: Target) -> tuple[Release, ...]:
        """Newest first."""
        ...

    def release_named(self, target: Target, name: str) -> Release:
        """One release; what is asked again and again while it starts. Raises NotFound when there is none."""
        ...

    def release_name(self, target: Target, suffix: str) -> str:
        """What a release is called whose name is to end so; `suffix` is of lowercase letters and digits."""
        ...

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        """Of every service that runs where the target does, in the same project and region, the `place`."""
        ...

    def makes_release(self, target: Target, sizing: Sizing) -> bool:
        """Whether `scale` to this size makes a new release, as things are now."""
        ...

    def preview_url(self, target: Target, tag: str) -> str:
        """Where a release with this preview tag answers, with or without traffic; empty where nobody can tell."""
        ...

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        """The command line that a person would type for `set_traffic`."""
        ...

    def by_hand_release(self, target: Target, name: str, image: str, tag: str = "") -> str:
        """The command line that a person would type for `release`."""
        ...

    def by_hand_scale(self, target: Target, sizing: Sizing) -> str:
        """The command line that a person would type for `scale`."""
        ...


@runtime_checkable
class Compute(ComputeReads, Protocol):
    """Changing services."""

    def set_traffic(self, effect: Effect, /, target: Target, traffic: Traffic) -> str:
        """Start a change of the split, keeping preview tags; returns the cloud's operation id."""
        ...

    def release(
        self,
        effect: Effect,
        /,
        target: Target,
        name: str,
        image: str,
        traffic: Traffic,
        tag: str = "",
        sizing: Sizing | None = None,
        labels: dict[str, str] | None = None,
    ) -> str:
        """Start a release that gets no traffic, otherwise like the newest one; returns the cloud's operation id.

        `name` is one of `release_name`; `image` is named by digest, since a tag may have moved by now. `traffic`, by
        release name, is what serves meanwhile, asked for in the same change, so that nothing follows the new release.
        `tag` is a preview tag for it; `labels` are added to those of the newest release. The operation has succeeded
        once the release is made: whether it is ready is told by itself, and may take long.
        """
        ...

    def scale(self, effect: Effect, /, target: Target, sizing: Sizing) -> str:
        """Start a change of the size; returns the cloud's operation id.

        Where that makes a new release, it takes the traffic when it is ready; Permanent is raised when traffic is
        held at named releases, since the new size would serve nobody.
        """
        ...


class JobState(BaseModel, frozen=True):
    """A task that runs to its end beside the services, such as a migration."""

    name: str
    image: str
    version: str  # moves when somebody changes the job
    last_run: str = ""  # the newest one
    last_ended: Literal["", "running", "succeeded", "failed", "cancelled"] = ""
    trouble: str = ""  # what the platform complains of


@runtime_checkable
class JobReads(Protocol):
    """Looking at jobs."""

    def job(self, target: Target, job: str) -> JobState:
        """A job where the target is. Raises NotFound when there is none of that name."""
        ...

    def by_hand_job(self, target: Target, job: str, image: str = "") -> str:
        """The command line that a person would type for `run_job`."""
        ...


@runtime_checkable
class Jobs(JobReads, Protocol):
    """Running jobs."""

    def run_job(self, effect: Effect, /, target: Target, job: str, image: str = "") -> str:
        """Start one run of a job, of an image named by digest if one is given; returns the cloud's operation id.

        The run is named after `effect.key`, so there is never a second one. It leaves the target as it is: the
        operation ends, when the run does, with the version that the target had. The job keeps the image.
        """
        ...


class Image(BaseModel, frozen=True):
    """A container image in a registry."""

    digest: str
    uploaded_at: datetime | None = None


Severity = Literal["critical", "high", "medium", "low", "minimal", "unknown"]


class Vulnerabilities(BaseModel, frozen=True):
    """What a scan of an image found; an image that was not scanned has none that anybody knows of."""

    by_severity: dict[Severity, int] = {}
    scanned_at: datetime | None = None  # None: not scanned, or not to its end


@runtime_checkable
class ImageReads(Protocol):
    """Looking at container images."""

    def image(self, target: Target, reference: str) -> Image:
        """Raises NotFound when the registry has no such image."""
        ...

    def vulnerabilities(self, target: Target, reference: str) -> Vulnerabilities:
        """By tag or by digest. Raises NotFound when the registry has no image of that tag."""
        ...

    def by_hand_copy(self, target: Target, image: str, to: str) -> str:
        """The command line that a person would type to have an image by digest in repository `to` too."""
        ...


@runtime_checkable
class SecretReads(Protocol):
    """Looking at secrets, never at their payload."""

    def secret_state(self, target: Target, secret: SecretUse) -> Literal["enabled", "disabled", "destroyed"]:
        """Raises NotFound when there is no such secret or version."""
        ...


class Requests(BaseModel, frozen=True):
    """Requests that a release answered in the `step_s` seconds up to `until`."""

    release: str
    until: datetime
    total: int
    errors: int  # answers 5xx
    slow: int | None = None  # answers that took `slow_from_ms` or longer; None: not asked for
    slow_from_ms: int | None = None  # an edge of the platform's buckets, not below what was asked for


Metric = Literal["requests", "errors", "latency_p50", "latency_p95", "latency_p99"]
METRICS: dict[Metric, str] = {  # and their units
    "requests": "/s",
    "errors": "%",  # of the requests, answered 5xx
    "latency_p50": "ms",
    "latency_p95": "ms",
    "latency_p99": "ms",
}


class Point(BaseModel, frozen=True):
    """What a metric of a release was in the `step_s` seconds up to `until`."""

    release: str
    until: datetime
    value: float


@runtime_checkable
class MetricReads(Protocol):
    """Looking at what monitoring counted. It is late; `lag_s` says how much, at most."""

    def requests(
        self, target: Target, since: datetime, until: datetime, step_s: int, slower_than_ms: int | None = None
    ) -> tuple[Requests, ...]:
        """Per release and step, oldest first; a step without requests is left out.

        With `slower_than_ms`, slow answers are counted too, exactly: over the platform's next edge, in `slow_from_ms`.
        """
        ...

    def series(
        self, target: Target, metric: Metric, since: datetime, until: datetime, step_s: int
    ) -> tuple[Point, ...]:
        """Per release and step, oldest first; a step without requests is left out."""
        ...

    def lag_s(self, target: Target) -> int: ...


LogLevel = Literal["default", "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]


class LogEntry(BaseModel, frozen=True):
    """One entry of a log. Its text is foreign, and may hold what nobody should see: redact it before it is shown."""

    at: datetime
    level: LogLevel  # "default": whoever wrote it did not say
    text: str
    release: str = ""
    log: str = ""  # requests, stdout, stderr, …


@runtime_checkable
class LogReads(Protocol):
    """Looking at what releases wrote, and what was written of their requests."""

    def logs(
        self,
        target: Target,
        *,
        since: datetime,
        until: datetime,
        release: str = "",
        errors_only: bool = False,
        containing: str = "",
        limit: int,
    ) -> tuple[LogEntry, ...]:
        """The newest `limit` from `since` and before `until`, newest first.

        `errors_only`: of level "error" or worse, which answers 5xx are; `containing` is looked for in all of an entry,
        without regard to case.
        """
        ...


@runtime_checkable
class Effects(Protocol):
    """What the engine asks of every provider that writes, whatever the write was."""

    def find(self, target: Target, key: str) -> str | None:
        """The cloud's operation that carries our key; None when no such write was committed so far."""
        ...

    def poll(self, target: Target, cloud_operation: str) -> Progress: ...


# Every port, and what a platform without it does not offer.
SUBJECTS: dict[type, str] = {
    ComputeReads: "reading services",
    Compute: "changing services",
    JobReads: "reading jobs",
    Jobs: "running jobs",
    ImageReads: "reading images",
    SecretReads: "reading secrets",
    MetricReads: "reading metrics",
    LogReads: "reading logs",
    Effects: "following changes",
}
PORTS: dict[str, type] = {port.__name__: port for port in SUBJECTS}
