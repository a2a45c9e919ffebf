"""What stands between users and services, and models that others serve; both are mostly watched."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field, StrictBool

from bot.core.entry import Entry, Mention, Place
from bot.core.units import Duration, Model, Name


class Cdn(Model):
    """How an edge caches. After a rollback, stale answers live up to `max_ttl` and `stale_for`."""

    mode: Literal["static", "all", "origin"] = "static"
    default_ttl: Duration
    client_ttl: Duration | None = None
    max_ttl: Duration
    errors_too: StrictBool = False
    stale_for: Duration = timedelta(0)


class Route(Model):
    """Paths, and which service answers them."""

    paths: tuple[str, ...]
    to: Name


class Edge(Entry):
    """What stands between users and services."""

    KIND: ClassVar[str] = "edge"
    routes: tuple[Route, ...] = ()
    ports: tuple[int, ...] = ()
    timeout: Duration | None = None
    cdn: Cdn | None = None
    ends_tls: StrictBool = False
    redirects_to_https: StrictBool = False

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield from ((("routes",), route.to, "service") for route in self.routes)


class LoadBalancer(Edge):
    """Google's external load balancer."""

    type: Literal["load_balancer"]

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "backend_service": name}


class Alb(Edge):
    """An AWS application load balancer."""

    CLOUD: ClassVar[str] = "aws"
    type: Literal["alb"]

    def place(self, name: str, project: str, region: str) -> Place:
        return {"account": project, "region": region, "load_balancer": name}


class Cloudflare(Edge):
    """A Cloudflare zone."""

    CLOUD: ClassVar[str] = "cloudflare"
    type: Literal["cloudflare"]
    does: tuple[Literal["dns", "cache", "ddos", "tls", "geo", "workers"], ...] = ()

    def place(self, name: str, project: str, region: str) -> Place:
        return {"zone": name}


class Kong(Edge):
    """Kong; its limits hold for our own probes too."""

    type: Literal["kong"]
    per_minute: int | None = Field(None, gt=0)
    per_hour: int | None = Field(None, gt=0)
    max_message_kb: int | None = Field(None, gt=0)


class Vertex(Entry):
    """Vertex AI; only its health is watched."""

    KIND: ClassVar[str] = "ai"
    type: Literal["vertex"]


class AzureOpenai(Entry):
    """Azure OpenAI; only its health is watched."""

    KIND: ClassVar[str] = "ai"
    CLOUD: ClassVar[str] = "azure"
    type: Literal["azure_openai"]
    endpoint: str
    deployment: str

    def place(self, name: str, project: str, region: str) -> Place:
        return {"endpoint": self.endpoint, "deployment": self.deployment}
