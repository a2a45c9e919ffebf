"""What serves releases: Cloud Run, GKE, virtual machines, ECS, static sites; and the clusters below."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field

from bot.core.entry import Entry, Mention, Place
from bot.core.promises import Delivery, Migration, RollbackRule, ScheduledBounds, Slo
from bot.core.units import Bounds, Duration, Memory, Model, Name, Percent


class Health(Model):
    """Paths that the service answers about itself, and what its answer depends on."""

    path: str = Field("/health", pattern="^/")
    ready: str = Field("", pattern="^(/.*)?$")
    port: int | None = None
    every: Duration = timedelta(seconds=10)
    first_after: Duration = timedelta(0)
    ready_every: Duration | None = None
    ready_first_after: Duration | None = None
    covers: tuple[str, ...] = ()
    not_ours: tuple[str, ...] = ()  # of those: what a rollback cannot heal


class Websockets(Model):
    """Open connections outlive a shift of traffic."""

    max_connections: int | None = Field(None, gt=0)


class Compute(Entry):
    """Serves releases."""

    KIND: ClassVar[str] = "service"
    image: str = ""  # as it is deployed
    port: int | None = Field(None, ge=1, le=65535)
    url: str = ""
    slo: Slo | None = None
    rollback: RollbackRule | None = None
    delivery: Delivery | None = None
    schema_label: str = ""  # the release's label that holds the schema version it needs
    migration: Migration | None = None
    secrets: tuple[str, ...] = ()
    health: Health | None = None
    websockets: Websockets | None = None
    cdn: Name | Literal[""] = ""  # the edge that caches it
    schedule: tuple[ScheduledBounds, ...] = ()

    @property
    def bounds(self) -> Bounds | None:
        """Between what its autoscaler may choose; none where nothing scales it."""
        return None

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield from ((("secrets",), secret, "secret") for secret in self.secrets)
        if self.cdn:
            yield ("cdn",), self.cdn, "edge"


class CloudRun(Compute):
    """A Cloud Run service."""

    type: Literal["cloud_run"]
    instances: Bounds
    cpu: float | None = Field(None, gt=0)
    memory: Memory | None = None
    concurrency: int | None = Field(None, ge=1, le=1000)
    scales_on: tuple[Literal["cpu", "memory", "requests"], ...] = ()

    @property
    def bounds(self) -> Bounds | None:
        return self.instances

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "region": region, "service": name}


class GithubPages(Compute):
    """A static site; watched only."""

    CLOUD: ClassVar[str] = "github"
    type: Literal["github_pages"]

    def place(self, name: str, project: str, region: str) -> Place:
        return {"repository": name}


class Gce(Compute):
    """A virtual machine that runs one container."""

    type: Literal["gce"]
    zone: str
    machine_type: str
    cpus: int | None = Field(None, gt=0)
    memory: Memory | None = None
    os: str = ""
    disk_gb: int | None = Field(None, gt=0)
    deploys_by: Literal["start-up metadata", "container declaration"] = "start-up metadata"

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "zone": self.zone, "instance": name}


class TaskStep(Model):
    """So many tasks more or fewer, at most once in `every`."""

    tasks: int = Field(gt=0)
    every: Duration


class TargetTracking(Model):
    """How ECS follows a metric."""

    metric: Literal["cpu", "memory", "requests"]
    target_pct: Percent
    out: TaskStep
    back: TaskStep = Field(alias="in")


class EcsFargate(Compute):
    """An ECS service on Fargate."""

    CLOUD: ClassVar[str] = "aws"
    type: Literal["ecs_fargate"]
    cluster: str
    instances: Bounds  # tasks
    autoscaling: TargetTracking | None = None
    load_balancer: Name | None = None

    @property
    def bounds(self) -> Bounds | None:
        return self.instances

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        if self.load_balancer:
            yield ("load_balancer",), self.load_balancer, "edge"

    def place(self, name: str, project: str, region: str) -> Place:
        return {"account": project, "region": region, "cluster": self.cluster, "service": name}
