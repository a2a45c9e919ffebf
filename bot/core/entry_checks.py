"""What can be wrong with one entry although every field is right: against its cloud, or against its neighbours."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.core.compute import CloudRun, Compute
from bot.core.data import CloudSql, Memorystore
from bot.core.edges import Edge, Kong
from bot.core.entry import Entry
from bot.core.environment import Environment
from bot.core.kubernetes import Gke, GkeCluster
from bot.core.units import Fault

Found = Iterator[Fault]
MINUTES_AN_HOUR = 60


def backup_outside_maintenance(entry: CloudSql, _: str, place: Environment) -> Found:
    window, backup = entry.maintenance or place.maintenance, entry.backup
    if window and backup and window.zone == backup.zone and window.covers(backup.at):
        yield ("backup", "at"), f"the backup falls into the maintenance window {window.start}-{window.end}"


def machine_exists(entry: CloudSql, _: str, __: Environment) -> Found:
    """https://cloud.google.com/sql/docs/postgres/instance-settings: shared cores and db-custom only."""
    if entry.engine == "postgres" and entry.machine_type.startswith("db-n1-"):
        yield ("machine_type",), "PostgreSQL has no db-n1 machines; take db-custom-CPUS-MEMORY or a shared core"


def image_stands_still(entry: Compute, _: str, __: Environment) -> Found:
    if entry.image.endswith(":latest"):
        yield ("image",), "a moving tag: going back to it goes nowhere; deploy digests"


def image_is_ours(entry: Compute, _: str, place: Environment) -> Found:
    addresses = [registry.address for registry in place.registries.values()]
    if entry.image and addresses and not any(entry.image.startswith(f"{one}/") for one in addresses):
        yield ("image",), f"is in none of the registries: {', '.join(addresses)}"


def health_is_ours(entry: Compute, _: str, place: Environment) -> Found:
    delivery = entry.delivery or place.delivery
    if delivery and delivery.undo_on_failed_health and entry.health and entry.health.not_ours:
        others = ", ".join(entry.health.not_ours)
        yield ("health", "not_ours"), f"a failed health check undoes a release, also when only {others} is down"


def schedule_keeps_bounds(entry: Compute, _: str, __: Environment) -> Found:
    if bounds := entry.bounds:
        for one in entry.schedule:
            if one.min < bounds.min or one.max > bounds.max:
                yield ("schedule",), f"{one.min} to {one.max} leaves the bounds {bounds.min} to {bounds.max}"


def cdn_caches(entry: Compute, _: str, place: Environment) -> Found:
    edge = place.services.get(entry.cdn)
    if isinstance(edge, Edge) and not edge.cdn:
        yield ("cdn",), f"`{entry.cdn}` does not cache"


def metrics_exist(entry: CloudRun, _: str, __: Environment) -> Found:
    """https://cloud.google.com/run/docs/about-instance-autoscaling: CPU and concurrency."""
    if "memory" in entry.scales_on:
        yield ("scales_on",), "Cloud Run does not scale on memory"


def autoscaler_finds_deployment(entry: Gke, name: str, _: Environment) -> Found:
    deployment = entry.resource or name
    if entry.autoscaler and entry.autoscaler.scales != deployment:
        yield ("autoscaler", "scales"), f"the deployment is `{deployment}`, so nothing scales it"


def one_autoscaler_a_metric(entry: Gke, _: str, __: Environment) -> Found:
    """https://github.com/kubernetes/autoscaler, vertical-pod-autoscaler/docs/known-limitations.md."""
    auto = entry.autoscaler
    if auto and (auto.cpu_pct or auto.memory_pct) and entry.resizes_pods != "Off":
        yield ("resizes_pods",), "two autoscalers follow the same metrics; switch one off"


def pools_reach_nodes(entry: GkeCluster, _: str, __: Environment) -> Found:
    most = sum(pool.max for pool in entry.pools.values())
    if entry.nodes and entry.pools and entry.nodes.max > most:
        yield ("nodes",), f"up to {entry.nodes.max}, but its pools end at {most}"


def basic_is_basic(entry: Memorystore, _: str, __: Environment) -> Found:
    if entry.service_tier == "basic":
        fields = {"persistence": entry.persistence, "high_availability": entry.high_availability}
        yield from (((field,), "a basic instance has none") for field, wanted in fields.items() if wanted)


def memorystore_persists(entry: Memorystore, _: str, __: Environment) -> Found:
    """https://cloud.google.com/memorystore/docs/cluster/about-persistence: aof or rdb, or none."""
    if len(entry.persistence) > 1:
        yield ("persistence",), "Memorystore takes either aof or rdb"
    if entry.backup and entry.backup.method == "rdb":
        yield ("backup", "method"), "Memorystore exports; it refuses the replication that redis-cli --rdb needs"


def limits_are_met(entry: Kong, _: str, __: Environment) -> Found:
    reached = (entry.per_minute or 0) * MINUTES_AN_HOUR
    if entry.per_hour and 0 < reached < entry.per_hour:
        yield ("per_hour",), f"is never met: {entry.per_minute} a minute are {reached} an hour"


CHECKS: tuple[tuple[type[Entry], Callable[[Any, str, Environment], Found]], ...] = (
    (CloudSql, backup_outside_maintenance),
    (CloudSql, machine_exists),
    (Compute, image_stands_still),
    (Compute, image_is_ours),
    (Compute, health_is_ours),
    (Compute, schedule_keeps_bounds),
    (Compute, cdn_caches),
    (CloudRun, metrics_exist),
    (Gke, autoscaler_finds_deployment),
    (Gke, one_autoscaler_a_metric),
    (GkeCluster, pools_reach_nodes),
    (Memorystore, basic_is_basic),
    (Memorystore, memorystore_persists),
    (Kong, limits_are_met),
)
