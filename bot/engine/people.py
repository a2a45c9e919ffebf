"""Who people are: a door knows their name and whether they are still active, roles.yaml what they may be."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel

from bot.core.request import Actor
from bot.core.rules import Roles


class Person(BaseModel, frozen=True):
    """What a door knows of somebody; `active` is None when it could not ask."""

    name: str
    active: bool | None = True
    zone: str = "UTC"
    groups: tuple[str, ...] = ()


class Source(Protocol):
    """One door's knowledge of people, by the id behind the colon."""

    def person(self, id: str) -> Person: ...


class People:
    """Actors by "door:id". Somebody of a door that this process does not have may be active or not."""

    def __init__(self, roles: Roles, sources: Mapping[str, Source]) -> None:
        self._roles, self._sources = roles, sources

    def source(self, door: str) -> Source | None:
        """Who knows a door's people."""
        return self._sources.get(door)

    def actor(self, id: str) -> Actor:
        door, _, name = id.partition(":")
        source = self._sources.get(door)
        person = source.person(name) if source else Person(name=name, active=None)
        roles = self._roles.roles_of(id, person.groups)
        return Actor(id=id, name=person.name, roles=roles, active=person.active, zone=person.zone)
