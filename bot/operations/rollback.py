"""Rollback: back to the release that served well last, whether or not anything else works."""

from collections.abc import Iterator

from bot.core.catalog import Catalog
from bot.core.counts import Counts
from bot.core.memory import Memory, bar_of
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Hold, Moment, Plan, Verdict
from bot.core.ports import ComputeReads, ImageReads, MetricReads, SecretReads, ServiceState
from bot.core.request import Target
from bot.core.rollout import Rollout, existing, lasting, shifted
from bot.core.safety import can_take, served_well
from bot.core.system import HistoryReads
from bot.core.traffic import describe


class Rollback(
    Rollout,
    risk=Risk.ROLLOUT,
    examples=("rollback backend", 'rollback backend --to backend-00041-kex --reason "5xx since 14:02"'),
):
    """Send all traffic back to the last release that served well."""

    service: ServiceRef = param("Service to roll back.", positional=True)
    to: str | None = param(
        "Release to go to; default: the last one that served all traffic and was healthy.",
        default=None,
        completes="releases of service",
    )

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        secrets: SecretReads,
        metrics: MetricReads,
        history: HistoryReads,
        catalog: Catalog,
        moment: Moment,
    ) -> Plan:
        now, releases = compute.service(self.service), compute.releases(self.service)
        counts, bar = Counts(metrics, self.service, moment.now), bar_of(self.service, catalog, moment.now)
        memory = Memory(self.service, now, releases, bar, history, counts)
        good = existing(self.service, self.to, releases) if self.to else memory.last_good()
        traffic = {good.name: 100}
        if now.asked == now.serving == traffic:
            why = f"{good.name} already serves all traffic of {self.service}"
            return Plan(target=self.service, version=now.version, why=why)
        past = memory.of(good.name)
        proven = past is None and now.serving == traffic  # by serving now, however little is remembered
        findings = (
            *can_take(self.service, traffic, now, releases, catalog, images, secrets),
            *(() if proven else served_well(past, good, moment.now, bar.max_age)),
        )
        total, errors = counts.recent()
        return shifted(self, now, traffic, compute, f"send all traffic to {good.name}").model_copy(
            update={
                "summary": f"{self.service}: {_outcome(good.name, now)}",
                "verdict": Verdict(findings=findings),
                "chosen": {"to": good.name},
                "hold": Hold(traffic=traffic, away_from=memory.left_behind(good.name)),
                "notes": (*_notes(self.service, now, good.name, catalog), *memory.notes(good.name)),
                "measured": {"error_rate_pct": 100 * errors / total} if total else {},
            }
        )


def _outcome(good: str, now: ServiceState) -> str:
    """What will be different, as people read it."""
    if now.serving == {good: 100}:
        return f"traffic held at {good}, which serves all of it already"
    others = {name: share for name, share in now.serving.items() if name != good}
    return f"all traffic to {good}, away from {describe(others or now.asked)}"


def _notes(service: Target, now: ServiceState, good: str, catalog: Catalog) -> Iterator[str]:
    """What people should know of the service."""
    if now.busy:
        yield "A change of the service is still being rolled out; this replaces it."
    yield f"Traffic then stays at {good}: new releases get none until `unpin {service}`."
    yield from lasting(catalog.entry(service))
