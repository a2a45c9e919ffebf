"""Entries of a `type` that aisq does not ship: a provider's file and these fields are all that it takes."""

from pydantic import Field

from bot.core.compute import Compute
from bot.core.entry import Entry, Place
from bot.core.units import FileName


class Own(Entry):
    """Says itself what it is, whose and where; `place` reaches the provider beside project and region."""

    type: FileName
    own_kind: str = Field(alias="kind", pattern="^[a-z]+$")
    own_cloud: str = Field(alias="cloud", pattern="^[a-z]+$")
    own_place: Place = Field(alias="place")

    @property
    def kind(self) -> str:
        return self.own_kind

    @property
    def cloud(self) -> str:
        return self.own_cloud

    def place(self, name: str, project: str, region: str) -> Place:
        return {"project": project, "region": region, "resource": name, **self.own_place}


class Other(Own):
    """Something that serves no releases."""


class OtherService(Own, Compute):
    """Something that serves releases."""
