"""One system: its environments, and what holds for all of them."""

from collections.abc import Iterator

from pydantic import Field, model_validator

from bot.core.environment import Environment
from bot.core.money import Phase
from bot.core.promises import Delivery, Recovery, RollbackRule, Slo, Window
from bot.core.units import Fault, Model, Name, Path, hint, refuse


class Slack(Model):
    """Channels by name: where people talk, and where alerts go."""

    ops: str = Field(pattern="^#")
    alerts: str = Field(pattern="^#")


class System(Model):
    """One system. `channels` maps a Slack channel id to the environment that is meant there."""

    system: Name
    title: str
    owner: str
    about: str = ""
    default_environment: Name | None = None
    channels: dict[str, Name] = Field({})
    slack: Slack | None = None
    slo: Slo | None = None
    rollback: RollbackRule | None = None
    recovery: Recovery | None = None
    delivery: Delivery | None = None
    maintenance: Window | None = None
    promotion: tuple[Name, ...] = ()  # a release goes through these, in this order
    roadmap: dict[str, Phase] = Field({})
    environments: dict[Name, Environment] = Field(min_length=1)

    @model_validator(mode="after")
    def _knows_its_environments(self) -> "System":
        faults: list[Fault] = [
            (at, f"no environment `{name}`{hint(name, self.environments)}")
            for at, name in self._mentions()
            if name and name not in self.environments
        ]
        refuse("System", faults or list(self._not_lent()))
        return self

    def _mentions(self) -> Iterator[tuple[Path, str | None]]:
        yield ("default_environment",), self.default_environment
        yield from ((("channels", channel), name) for channel, name in self.channels.items())
        yield from ((("promotion",), name) for name in self.promotion)
        yield from ((("roadmap", phase, "environment"), one.environment) for phase, one in self.roadmap.items())
        for name, one in self.environments.items():
            yield ("environments", name, "twin_of"), one.twin_of
            yield from ((("environments", name, "borrows", thing), lender) for thing, lender in one.borrows.items())

    def _not_lent(self) -> Iterator[Fault]:
        for name, one in self.environments.items():
            for thing, lender in one.borrows.items():
                there = self.environments[lender].services
                if thing not in there:
                    yield ("environments", name, "borrows", thing), f"{lender} has no `{thing}`{hint(thing, there)}"
