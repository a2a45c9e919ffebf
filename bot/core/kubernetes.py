"""GKE: deployments, their autoscalers, clusters and node pools."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field, StrictBool

from bot.core.compute import Compute
from bot.core.entry import Entry, Mention, Place
from bot.core.units import Bounds, Duration, Memory, Model, Name, Percent


class ScalePolicy(Model):
    """At most so many pods, or so many percent of them, in a period."""

    percent: int | None = Field(None, gt=0)
    pods: int | None = Field(None, gt=0)
    every: Duration


class ScaleBehaviour(Model):
    """One direction of a HorizontalPodAutoscaler; of several policies the strongest counts unless said otherwise."""

    after: Duration = timedelta(0)  # the stabilisation window
    policies: tuple[ScalePolicy, ...]
    select: Literal["max", "min"] = "max"


class PodAutoscaler(Bounds):
    """A HorizontalPodAutoscaler. `scales` is the deployment that it names."""

    resource: str
    scales: str
    cpu_pct: Percent | None = None
    memory_pct: Percent | None = None
    up: ScaleBehaviour | None = None
    down: ScaleBehaviour | None = None


class Resources(Model):
    """Cores and memory of one pod."""

    cpu: float = Field(gt=0)
    memory: Memory


class Gke(Compute):
    """A Kubernetes deployment on GKE. `cluster` is the cluster's own name."""

    type: Literal["gke"]
    cluster: str
    namespace: str = "default"
    container: str = ""
    replicas: int = Field(ge=0)
    autoscaler: PodAutoscaler | None = None
    resizes_pods: Literal["Off", "Initial", "Recreate", "Auto"] = "Off"  # VerticalPodAutoscaler
    requests: Resources | None = None
    limits: Resources | None = None
    mesh: Literal["istio"] | None = None

    @property
    def bounds(self) -> Bounds | None:
        return self.autoscaler

    def mentions(self) -> Iterator[Mention]:
        yield from super().mentions()
        yield ("cluster",), self.cluster, "cluster"

    def place(self, name: str, project: str, region: str) -> Place:
        where = {"project": project, "region": region, "cluster": self.cluster}
        return {**where, "namespace": self.namespace, "deployment": name}


class NodePool(Bounds):
    """A group of like machines."""

    machine_type: str
    disk_gb: int | None = Field(None, gt=0)
    disk_type: str = ""
    spot: StrictBool = False
    taint: str = ""


class GkeCluster(Entry):
    """A GKE cluster. `nodes` bounds the whole; `cores` and `memory_gb` bound what auto-provisioning may add."""

    KIND: ClassVar[str] = "cluster"
    type: Literal["gke_cluster"]
    machine_type: str
    initial_nodes: int | None = Field(None, gt=0)
    nodes: Bounds | None = None
    cores: Bounds | None = None
    memory_gb: Bounds | None = None
    disk_gb: int | None = Field(None, gt=0)
    disk_type: str = ""
    image: str = ""
    shrinks_after: Duration | None = None
    pools: dict[Name, NodePool] = Field({})
    private_nodes: StrictBool = False
    private_endpoint: StrictBool = False
    authorized_networks: dict[str, str] = Field({})

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "region": region, "cluster": name}
