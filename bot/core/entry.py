"""What everything under `services:` of an environment has in common."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, StrictBool

from bot.core.units import Model, Name, Path

Place = dict[str, str]
What = Literal["service", "secret", "edge", "cluster", "database", "service with releases"]
Mention = tuple[Path, str, What]  # the field, the name in it, and what must have that name


class Entry(Model):
    """One thing. `resource` is its name at the provider (default: its key), `tier` how much stands on it.

    Tier 0: all else stops without it. 1: users notice at once. 2: they notice later. 3: only we do.
    """

    KIND: ClassVar[str]
    CLOUD: ClassVar[str] = "gcp"
    type: str
    about: str = ""
    resource: str = ""
    project: str = ""  # where it differs from the environment's
    region: str = ""
    tier: int = Field(2, ge=0, le=3)
    needs: tuple[Name, ...] = ()
    planned: StrictBool = False  # not built yet

    @property
    def kind(self) -> str:
        """What it is to people: service, database, cache, …"""
        return self.KIND

    @property
    def cloud(self) -> str:
        """Whose it is."""
        return self.CLOUD

    def place(self, name: str, project: str, region: str) -> Place:
        """What the provider needs to find it; `project` is the account where the cloud has accounts."""
        return {"project": project, "region": region, "instance": name}

    def mentions(self) -> Iterator[Mention]:
        """What it names of its own environment."""
        yield from ((("needs",), other, "service") for other in self.needs)
