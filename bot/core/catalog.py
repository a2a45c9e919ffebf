"""The catalog: which systems there are, what each consists of, and what is promised for it."""

from functools import cached_property
from typing import TypeVar

from pydantic import BaseModel

from bot.core.entry import Entry
from bot.core.environment import Environment
from bot.core.errors import UserError
from bot.core.estate import System
from bot.core.promises import Delivery, Recovery, RollbackRule, Slo, Window
from bot.core.request import Target
from bot.core.units import hint

T = TypeVar("T")
SLO = Slo(objective_pct=99)  # where neither service nor environment nor system promises anything
ROLLBACK = RollbackRule()


class Catalog(BaseModel, frozen=True):
    """All systems by name."""

    systems: dict[str, System]

    @cached_property
    def _targets(self) -> dict[str, Target]:
        found = (
            _target(system, environment, name, place, entry)
            for system, whole in self.systems.items()
            for environment, place in whole.environments.items()
            for name, entry in place.services.items()
        )
        return {target.full_name: target for target in found}

    def targets(self) -> tuple[Target, ...]:
        """Everything that can be operated on, in the order of the files."""
        return tuple(self._targets.values())

    def target(self, system: str, environment: str, name: str) -> Target:
        """Raises UserError when there is no such thing."""
        full = f"{system}/{environment}/{name}"
        if full not in self._targets:
            raise UserError(f"the catalog has no {full}{hint(full, self._targets)}")
        return self._targets[full]

    def system(self, target: Target) -> System:
        """Raises UserError when the catalog no longer has the target; so do the methods below."""
        return self.systems[self.target(target.system, target.environment, target.name).system]

    def environment(self, target: Target) -> Environment:
        return self.system(target).environments[target.environment]

    def entry(self, target: Target) -> Entry:
        """The model by the target's `type`."""
        return self.environment(target).services[target.name]

    def group(self, system: str, environment: str, name: str) -> tuple[Target, ...]:
        """The members of a group of services; empty when there is no such group."""
        place = self.systems[system].environments[environment]
        return tuple(self.target(system, environment, member) for member in place.groups.get(name, ()))

    def slo(self, target: Target) -> Slo:
        """Of the service, else of its environment, else of its system, else 99 % of requests."""
        return self._promised(target, "slo", Slo) or SLO

    def rollback(self, target: Target) -> RollbackRule:
        """When a release counts as one that served well; looked up like `slo`."""
        return self._promised(target, "rollback", RollbackRule) or ROLLBACK

    def delivery(self, target: Target) -> Delivery | None:
        return self._promised(target, "delivery", Delivery)

    def recovery(self, target: Target) -> Recovery | None:
        return self._promised(target, "recovery", Recovery)

    def maintenance(self, target: Target) -> Window | None:
        return self._promised(target, "maintenance", Window)

    def _promised(self, target: Target, field: str, promise: type[T]) -> T | None:
        owners = (self.entry(target), self.environment(target), self.system(target))
        found = (getattr(owner, field, None) for owner in owners)
        return next((one for one in found if isinstance(one, promise)), None)


def _target(system: str, environment: str, name: str, place: Environment, entry: Entry) -> Target:
    project = entry.project or place.project or place.account
    return Target(
        system=system,
        environment=environment,
        name=name,
        kind=entry.kind,
        type=entry.type,
        cloud=entry.cloud,
        place=entry.place(entry.resource or name, project, entry.region or place.region),
    )
