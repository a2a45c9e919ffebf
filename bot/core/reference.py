"""`[system/[environment/]]name` to one target. What is not plain is asked back, never guessed."""

from collections.abc import Iterable

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.parser import near
from bot.core.reach import WIDE, meant
from bot.core.request import Target

Default = tuple[str, str]  # the channel's system and environment; empty texts where it has none
NO_DEFAULT: Default = ("", "")
SHOWN = 60  # characters of what was typed that an answer repeats


def channel_default(catalog: Catalog, channel: str) -> Default:
    """The system and environment that a channel means."""
    for name, system in catalog.systems.items():
        if channel in system.channels:
            return name, system.channels[channel]
    return NO_DEFAULT


def resolve(catalog: Catalog, text: str, kind: str = "any", default: Default = NO_DEFAULT) -> Target:
    """The one target that is meant; `kind` is "any", one kind, or several as "database|cache" and "service|system".

    Raises UserError, whose `choices` are full names or words that would be right.
    """
    parts = [part.strip().casefold() for part in text.split("/")]
    narrow = "|".join(one for one in kind.split("|") if one not in WIDE)
    if not all(parts):
        raise UserError(_unfinished(text, narrow))
    wide = meant(catalog, parts, kind, default)
    if not wide:
        return _narrow(catalog, text, parts, narrow, default)
    if "/".join(parts) in (one.full_name for one in wide):
        return wide[0]
    found = {one.full_name: one for one in (*wide, *_also(catalog, text, parts, narrow, default))}
    if len(found) > 1:
        raise UserError(f"`{text.strip()}` may mean several; write one of: {', '.join(found)}", choices=tuple(found))
    return wide[0]


def _also(catalog: Catalog, text: str, parts: list[str], kind: str, default: Default) -> tuple[Target, ...]:
    """What else the name of a system or an environment may mean."""
    try:
        return (_narrow(catalog, text, parts, kind, default),)
    except UserError:
        return ()


def _narrow(catalog: Catalog, text: str, parts: list[str], kind: str, default: Default) -> Target:
    """The one entry of the catalog that is meant. Raises UserError."""
    if len(parts) == 1:
        return _Search(catalog, kind).name(parts[0], default)
    if len(parts) == 2:
        return _Search(catalog, kind).within_system(parts[0], parts[1], default)
    if len(parts) == 3:
        return _Search(catalog, kind).full(*parts)
    raise UserError(f"`{text[:SHOWN]}` has too many slashes; write system/environment/name")


def _unfinished(text: str, kind: str) -> str:
    if not text.strip(" /"):
        return f"name {_an(kind)}: [system/[environment/]]name"
    return f"`{text[:SHOWN]}` has nothing beside a slash; write system/environment/name"


class _Search:
    """One question to the catalog."""

    def __init__(self, catalog: Catalog, kind: str) -> None:
        self._catalog, self._kind = catalog, kind

    def name(self, name: str, default: Default) -> Target:
        """A name alone: in the channel's environment, else wherever it is the only one."""
        if all(default):
            return self._find(*default, name)
        found = self._everywhere(name)
        if len(found) == 1:
            return found[0]
        if found:
            names = tuple(target.full_name for target in found)
            raise UserError(f"`{name}` is in several places; write one of: {', '.join(names)}", choices=names)
        raise self._unknown(name)

    def within_system(self, system: str, name: str, default: Default) -> Target:
        """The channel's environment when it is the channel's system, else the system's default environment."""
        self._check_system(system, name, usual=default[0])
        environments = self._catalog.systems[system].environments
        usual = self._catalog.systems[system].default_environment
        chosen = default[1] if default[0] == system else usual or ""
        if chosen or len(environments) == 1:
            return self._find(system, chosen or next(iter(environments)), name)
        names = tuple(f"{system}/{environment}/{name}" for environment in environments)
        raise UserError(f"{system} has several environments; write one of: {', '.join(names)}", choices=names)

    def full(self, system: str, environment: str, name: str) -> Target:
        self._check_system(system, f"{environment}/{name}")
        known = self._catalog.systems[system].environments
        if environment not in known:
            likely = near(environment, known) or tuple(known)
            choices = tuple(f"{system}/{one}/{name}" for one in likely)
            shown = environment[:SHOWN]
            raise UserError(f"{system} has no environment `{shown}`; it has {_listed(known)}", choices=choices)
        return self._find(system, environment, name)

    def _check_system(self, system: str, rest: str, *, usual: str = "") -> None:
        systems = self._catalog.systems
        if system in systems:
            return
        if usual and system in systems[usual].environments:
            meant = f"{usual}/{system}/{rest}"
            raise UserError(f"`{system}` is an environment; write `{meant}`", choices=(meant,))
        likely = near(system, systems)
        there = f"did you mean {_or(likely)}?" if likely else f"there are {_listed(systems)}"
        choices = tuple(f"{one}/{rest}" for one in likely)
        raise UserError(f"no system `{system[:SHOWN]}`; {there}", choices=choices)

    def _find(self, system: str, environment: str, name: str) -> Target:
        place = self._catalog.systems[system].environments[environment]
        if name not in place.services:
            raise self._missing(system, environment, name)
        target = self._catalog.target(system, environment, name)
        if not self._fits(target):
            fitting = [one.name for one in self._all() if (one.system, one.environment) == (system, environment)]
            there = f"; there {_is_are(fitting)} {_listed(fitting)}" if fitting else ""
            what = f"{_an(target.kind)}, not {_an(self._kind)}"
            raise UserError(f"`{name}` is {what}{there}", choices=tuple(fitting))
        return target

    def _missing(self, system: str, environment: str, name: str) -> UserError:
        """Nothing of that name there: a group, the same name elsewhere, or a slip of the pen."""
        here = self._catalog.systems[system].environments[environment]
        what = f"no {_words(self._kind)} `{name[:SHOWN]}` in {system}/{environment}"
        if members := here.groups.get(name):
            return UserError(f"`{name}` is a group; name one of {_listed(members)}", choices=members)
        fitting = [one.name for one in self._all() if (one.system, one.environment) == (system, environment)]
        if likely := near(name, fitting):
            return UserError(f"{what}; did you mean {_or(likely)}?", choices=likely)
        if elsewhere := tuple(target.full_name for target in self._all() if target.name == name):
            return UserError(f"{what}; it is in {_listed(elsewhere)}", choices=elsewhere)
        return UserError(f"{what}; there {_is_are(fitting)} {_listed(fitting) or 'none'}", choices=tuple(fitting))

    def _unknown(self, name: str) -> UserError:
        """Nothing of that name and kind anywhere."""
        others = [target for target in self._catalog.targets() if target.name == name]
        if others:
            return UserError(f"`{name}` is {_an(others[0].kind)}, not {_an(self._kind)}")
        if name in self._catalog.systems:
            inside = tuple(target.full_name for target in self._all() if target.system == name)
            return UserError(f"`{name}` is a system; say what of it: {_listed(inside)}", choices=inside)
        likely = near(name, [target.name for target in self._all()])
        asked = f"; did you mean {_or(likely)}?" if likely else ""
        return UserError(f"no {_words(self._kind)} `{name[:SHOWN]}` in any system{asked}", choices=likely)

    def _everywhere(self, name: str) -> list[Target]:
        """In each system: in its default environment, or else in all."""
        found = [target for target in self._all() if target.name == name]
        usual = {(target.system, self._catalog.systems[target.system].default_environment) for target in found}
        placed = {target.system for target in found if (target.system, target.environment) in usual}
        return [t for t in found if t.system not in placed or (t.system, t.environment) in usual]

    def _all(self) -> Iterable[Target]:
        return (target for target in self._catalog.targets() if self._fits(target))

    def _fits(self, target: Target) -> bool:
        return self._kind == "any" or target.kind in self._kind.split("|")


def _words(kind: str) -> str:
    return "entry" if kind == "any" else kind.replace("|", " or ")


def _an(kind: str) -> str:
    return f"{'an' if _words(kind)[0] in 'aeiou' else 'a'} {_words(kind)}"


def _is_are(names: list[str]) -> str:
    return "is" if len(names) < 2 else "are"


def _listed(names: Iterable[str], most: int = 8) -> str:
    shown = [f"`{name}`" for name in names]
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")


def _or(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)
