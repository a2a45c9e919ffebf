"""Scale: between how many instances a service runs, and how big each is."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.operation import Change, Risk, ServiceRef, param
from bot.core.plan import Checked, Plan, step
from bot.core.ports import Compute, ComputeReads, ServiceState, Sizing
from bot.core.rollout import still, still_open
from bot.core.sizing import (
    allowed,
    before,
    changed,
    check_sized,
    declared,
    described,
    differing,
    look_sized,
    merged,
    must_serve,
    size_of,
)
from bot.core.units import Memory, mebibytes


class Scale(Change, risk=Risk.OPERATE, examples=("scale backend --min 2 --max 20", "scale backend --memory 1Gi")):
    """Set between how many instances a service runs, and how big each is."""

    service: ServiceRef = param("Service to scale.", positional=True)
    min: Annotated[int, Field(ge=0)] | None = param("Fewest instances.", default=None)
    max: Annotated[int, Field(ge=1)] | None = param("Most instances.", default=None)
    cpu: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = param(
        "CPUs of an instance, such as 0.5 or 2.", default=None
    )
    memory: Memory | None = param("Memory of an instance, such as 512Mi or 2Gi.", default=None)
    concurrency: Annotated[int, Field(ge=1)] | None = param(
        "Requests that an instance works on at a time.", default=None
    )

    def plan(self, compute: ComputeReads, catalog: Catalog) -> Plan:
        now = compute.service(self.service)
        is_now = size_of(now)
        wanted = self._wanted(is_now)
        self._check(wanted, is_now, catalog)
        change = changed(wanted, is_now)
        if not described(change):
            return Plan(target=self.service, version=now.version, why=f"{self.service} has {described(wanted)} already")
        still(self.service, now)
        starts = compute.makes_release(self.service, change)
        if starts:
            must_serve(self.service, now)
        return self._plan(change, now, starts, compute, catalog)

    def check_sized(self, compute: ComputeReads, sizing: Sizing, starts: bool) -> Checked:
        """Whether the service has the size, and what had to start for it did."""
        return check_sized(self.service, compute, sizing, starts=starts)

    def _wanted(self, now: Sizing) -> Sizing:
        """What is asked for. Raises UserError when nothing is."""
        memory_mb = mebibytes(self.memory) if self.memory else None
        wanted = Sizing(
            min_instances=self.min,
            max_instances=self.max,
            cpu=self.cpu,
            memory_mb=memory_mb,
            concurrency=self.concurrency,
        )
        if described(wanted):
            return wanted
        there = described(now) or "an unknown size"
        raise UserError(f"Say what to change, such as `scale {self.service} --max 20`; it has {there}.")

    def _check(self, wanted: Sizing, now: Sizing, catalog: Catalog) -> None:
        """Raises UserError for bounds that cross, or that the catalog does not allow."""
        after, bounds = merged(wanted, now), allowed(catalog.entry(self.service))
        least, most = after.min_instances, after.max_instances
        if least is not None and most is not None and least > most:
            both = self.min is not None and self.max is not None
            hint = "" if both else f" Say {'--max' if self.max is None else '--min'} too."
            raise UserError(f"At least {least} is more than at most {most} instances.{hint}")
        outside = [one for one in (self.min, self.max) if bounds and one is not None and one not in bounds]
        if bounds and outside:
            raise UserError(
                f"{outside[0]} is outside of what the catalog allows {self.service}: {bounds.min} to {bounds.max}"
                " instances. Stay within, or change the catalog first."
            )

    def _plan(self, change: Sizing, now: ServiceState, starts: bool, compute: ComputeReads, catalog: Catalog) -> Plan:
        was = before(change, size_of(now))
        go = step(Compute.scale, self.service, sizing=change).called(f"scale to {described(change)}")
        return Plan(
            target=self.service,
            version=now.version,
            summary=f"{self.service}: {described(change)}; before: {described(size_of(now)) or 'unknown'}",
            steps=(
                go.undone_by(step(Compute.scale, self.service, sizing=was)) if was else go,
                look_sized(change, starts=starts),
            ),
            notes=tuple(self._notes(change, was, now, starts, catalog)),
            by_hand=(compute.by_hand_scale(self.service, change),),
            undo_by_hand=(compute.by_hand_scale(self.service, was),) if was else (),
            facts={"size": size_of(now).model_dump(mode="json"), "traffic_moved_pct": 100 if starts else 0},
        )

    def _notes(
        self, change: Sizing, was: Sizing | None, now: ServiceState, starts: bool, catalog: Catalog
    ) -> Iterator[str]:
        if starts:
            yield "Each release has its own size: a new one, otherwise the same, takes the traffic when it is ready."
            yield from still_open(self.service, catalog)
        else:
            yield "No release is made; what serves goes on serving."
        if change.min_instances == 0 and now.min_instances:
            yield "With no instance kept, the first request after a pause waits for one to start."
        if other := described(differing(change, declared(catalog.entry(self.service)))):
            yield f"The catalog does not say {other}: change it too, or `drift` reports it."
        if was is None:
            yield "What it was before is not known whole, so aisq cannot undo this."
