"""One environment of a system: its services by name, and what holds for all of them."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from bot.core.compute import CloudRun, EcsFargate, Gce, GithubPages
from bot.core.data import Bigquery, CloudSql, Disks, Gcs, Memorystore, Redis
from bot.core.edges import Alb, AzureOpenai, Cloudflare, Kong, LoadBalancer, Vertex
from bot.core.entry import Mention, What
from bot.core.kubernetes import Gke, GkeCluster
from bot.core.money import Budget, Cost
from bot.core.others import Other, OtherService
from bot.core.promises import Copies, Delivery, Recovery, RollbackRule, ScalingTargets, Slo, Window
from bot.core.units import Fault, Model, Name, Path, hint, refuse
from bot.core.watching import Alert, Domain, Logs, Monitoring, Registry, SecretRule, UptimeCheck


def tag_of(entry: Any) -> str:
    """By which model an entry is read: its `type`; one that aisq does not ship brings `kind` and `place`."""
    if isinstance(entry, Other | OtherService):
        return "other service" if isinstance(entry, OtherService) else "other"
    if not isinstance(entry, dict):
        return str(getattr(entry, "type", ""))
    if "kind" in entry and "place" in entry:
        return "other service" if entry["kind"] == "service" else "other"
    return str(entry.get("type", ""))


Service = Annotated[
    Annotated[CloudRun, Tag("cloud_run")]
    | Annotated[GithubPages, Tag("github_pages")]
    | Annotated[Gke, Tag("gke")]
    | Annotated[Gce, Tag("gce")]
    | Annotated[EcsFargate, Tag("ecs_fargate")]
    | Annotated[CloudSql, Tag("cloud_sql")]
    | Annotated[Memorystore, Tag("memorystore")]
    | Annotated[Redis, Tag("redis")]
    | Annotated[Gcs, Tag("gcs")]
    | Annotated[Bigquery, Tag("bigquery")]
    | Annotated[Disks, Tag("disks")]
    | Annotated[GkeCluster, Tag("gke_cluster")]
    | Annotated[LoadBalancer, Tag("load_balancer")]
    | Annotated[Alb, Tag("alb")]
    | Annotated[Cloudflare, Tag("cloudflare")]
    | Annotated[Kong, Tag("kong")]
    | Annotated[Vertex, Tag("vertex")]
    | Annotated[AzureOpenai, Tag("azure_openai")]
    | Annotated[OtherService, Tag("other service")]
    | Annotated[Other, Tag("other")],
    Discriminator(tag_of),
]


class Environment(Model):
    """Where a system runs. `project` (Google Cloud) or `account` (AWS) and `region` hold for every service."""

    stage: Literal["prod", "staging", "dev"]
    about: str = ""
    project: str = ""
    account: str = ""
    region: str = ""
    twin_of: Name | None = None  # the environment that runs the same on another cloud
    planned: StrictBool = False  # not built yet
    slo: Slo | None = None
    rollback: RollbackRule | None = None
    recovery: Recovery | None = None
    delivery: Delivery | None = None
    maintenance: Window | None = None
    scaling: ScalingTargets | None = None
    budget: Budget | None = None
    cost: Cost | None = None
    logs: Logs | None = None
    monitoring: Monitoring | None = None
    backups: dict[Literal["config", "secrets"], Copies] = Field({})
    registries: dict[Name, Registry] = Field({})
    secrets: dict[Name, SecretRule] = Field({})
    services: dict[Name, Service]
    borrows: dict[Name, Name] = Field({})  # what it uses of another environment of the system: name to environment
    groups: dict[Name, tuple[Name, ...]] = Field({})  # services that are rolled back together
    domains: dict[str, Domain] = Field({})
    alerts: dict[str, Alert] = Field({})
    uptime: dict[Name, UptimeCheck] = Field({})

    @model_validator(mode="after")
    def _knows_its_names(self) -> "Environment":
        known = {what: list(self._known(what)) for what in get_args(What)}
        faults: list[Fault] = [
            (at, f"no {what} `{name}`{hint(name, known[what])}")
            for at, name, what in self._mentions()
            if name not in known[what]
        ]
        refuse("Environment", faults)
        return self

    def _known(self, what: str) -> Iterable[str]:
        if what == "secret":
            return self.secrets
        if what == "cluster":
            return (one.resource or name for name, one in self.services.items() if one.kind == what)
        kind = "service" if what == "service with releases" else what
        everything = what in ("service", "database")  # it may be borrowed; of what kind, nobody here knows
        own = (name for name, one in self.services.items() if what == "service" or one.kind == kind)
        return (*own, *(self.borrows if everything else ()))

    def _mentions(self) -> Iterator[Mention]:
        for name, entry in self.services.items():
            yield from ((("services", name, *field), other, what) for field, other, what in entry.mentions())
        for group, members in self.groups.items():
            yield from ((("groups", group), member, "service with releases") for member in members)
        for at, service in self._watched():
            yield (*at, "service"), service, "service"

    def _watched(self) -> Iterator[tuple[Path, str]]:
        lines = self.cost.lines if self.cost else {}
        watched: Iterable[tuple[Path, str | None]] = (
            *((("alerts", name), alert.service) for name, alert in self.alerts.items()),
            *((("uptime", name), check.service) for name, check in self.uptime.items()),
            *((("domains", name), domain.service) for name, domain in self.domains.items()),
            *((("cost", "lines", name), line.service) for name, line in lines.items()),
        )
        yield from ((at, service) for at, service in watched if service)
