"""Systems, environments and groups as targets, where all that is in them is meant; and patterns of targets."""

from collections.abc import Iterator

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.places import covers
from bot.core.request import Target

WIDE = ("system", "environment", "group", "pattern")
SHOWN = 60  # characters of what was typed that an answer repeats


def wide(catalog: Catalog) -> Iterator[Target]:
    """Every system, environment and group, each as what stands for all that is in it."""
    for name, system in catalog.systems.items():
        yield _target("system", name)
        for environment, one in system.environments.items():
            yield _target("environment", name, environment)
            yield from (_target("group", name, environment, group) for group in one.groups if group not in one.services)


def fitting(catalog: Catalog, kind: str) -> Iterator[Target]:
    """All that a reference of this kind ("any", "service", "service|environment|system") can name; wide ones last."""
    kinds = kind.split("|")
    yield from (target for target in catalog.targets() if kinds == ["any"] or target.kind in kinds)
    yield from (target for target in wide(catalog) if target.kind in kinds)


def within(catalog: Catalog, place: Target) -> tuple[Target, ...]:
    """Everything in a system, an environment or a group, or that a pattern covers; of anything else itself."""
    if place.kind == "group":
        return catalog.group(place.system, place.environment, place.name)
    return tuple(target for target in catalog.targets() if covers(place.full_name, target.full_name))


def meant(catalog: Catalog, parts: list[str], kind: str, default: tuple[str, str]) -> tuple[Target, ...]:
    """The systems, environments and groups, or the pattern, that a name's parts may mean; `default` is the channel's.

    Raises UserError for a pattern that covers nothing.
    """
    kinds = kind.split("|")
    if "pattern" in kinds and any(mark in part for part in parts for mark in "*?"):
        return (_pattern(catalog, parts),)
    named = [one for one in wide(catalog) if one.kind in kinds]
    said = {"/".join(one) for one in _readings(catalog, parts, default)}
    return tuple(one for one in named if one.full_name in said)


def _readings(catalog: Catalog, parts: list[str], default: tuple[str, str]) -> Iterator[list[str]]:
    """What a name may be short for: an environment of the channel's system, a group of the usual environment."""
    yield parts
    if len(parts) == 1:
        yield from ([default[0], *parts], [*default, *parts])
    elif len(parts) == 2 and (system := catalog.systems.get(parts[0])):
        usual = default[1] if default[0] == parts[0] else system.default_environment
        yield [parts[0], usual or "", parts[1]]


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
