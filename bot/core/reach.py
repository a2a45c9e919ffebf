"""Systems and environments as targets, where all that is in them is meant; and patterns of targets."""

from collections.abc import Iterator

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.places import covers
from bot.core.request import Target

WIDE = ("system", "environment", "pattern")
SHOWN = 60  # characters of what was typed that an answer repeats


def wide(catalog: Catalog) -> Iterator[Target]:
    """Every system and environment, each as what stands for all that is in it."""
    for name, system in catalog.systems.items():
        yield _target("system", name)
        yield from (_target("environment", name, environment) for environment in system.environments)


def fitting(catalog: Catalog, kind: str) -> Iterator[Target]:
    """Everything that a reference of this kind ("any", "service", "service|environment|system") can name."""
    kinds = kind.split("|")
    yield from (target for target in wide(catalog) if target.kind in kinds)
    yield from (target for target in catalog.targets() if kinds == ["any"] or target.kind in kinds)


def within(catalog: Catalog, place: Target) -> tuple[Target, ...]:
    """Everything in a system or an environment, or that a pattern covers; of anything else itself."""
    return tuple(target for target in catalog.targets() if covers(place.full_name, target.full_name))


def meant(catalog: Catalog, parts: list[str], kind: str, default: tuple[str, str]) -> tuple[Target, ...]:
    """The systems and environments, or the pattern, that the parts of a name may mean; `default` is the channel's.

    Raises UserError for a pattern that covers nothing.
    """
    kinds = kind.split("|")
    if "pattern" in kinds and any(mark in part for part in parts for mark in "*?"):
        return (_pattern(catalog, parts),)
    here = [default[0], *parts] if len(parts) == 1 else parts
    named = [one for one in wide(catalog) if one.kind in kinds]
    return tuple(one for one in named if one.full_name in ("/".join(parts), "/".join(here)))


def _pattern(catalog: Catalog, parts: list[str]) -> Target:
    text = "/".join(parts)
    made = _target("pattern", *parts[:3])
    if parts[0] not in catalog.systems or len(parts) > 3:
        raise UserError(f"`{text[:SHOWN]}` must begin with a system, as `shop/prod*` does.")
    if not within(catalog, made):
        raise UserError(f"`{text[:SHOWN]}` covers nothing that is in the catalog.")
    return made


def _target(kind: str, system: str, environment: str = "", name: str = "") -> Target:
    return Target(system=system, environment=environment, name=name, kind=kind, type="", cloud="")
