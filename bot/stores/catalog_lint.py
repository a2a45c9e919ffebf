"""Finds what is wrong in catalog/, file by file and between the files, without stopping at the first."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bot.core.catalog import Catalog
from bot.core.contradictions import contradictions
from bot.core.errors import ConfigError, ConfigErrors
from bot.core.estate import System
from bot.stores.catalog_files import HEADER, read
from bot.stores.remarks import remarks
from bot.stores.yaml_file import Place, YamlFile, dotted

Read = dict[str, tuple[YamlFile, System]]


class Problem(NamedTuple):
    """Something to mend; a warning may stay."""

    level: Literal["error", "warning"]
    file: str
    line: int
    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.level}: {self.file}:{self.line}: {self.field}{': ' if self.field else ''}{self.sentence}"


def lint(folder: Path) -> list[Problem]:
    """Everything that is wrong, errors as well as warnings, in the order of the files."""
    files: Read = {}
    found: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            files[path.stem] = read(path)
        except ConfigErrors as error:
            found += [_broken(one) for one in error.errors]
        except ConfigError as error:
            found.append(_broken(error))
    for file, system in files.values():
        found += [*_header(file), *_contradictions(file, system), *_alerts(file, system), *_names(file, system, files)]
    found += [*_channels(files), *_resources(files)]
    return sorted(found, key=lambda problem: (problem.file, problem.line))


def _broken(error: ConfigError) -> Problem:
    return Problem("error", error.file, error.line, error.field, error.problem)


def _problem(level: Literal["error", "warning"], file: YamlFile, place: Place, sentence: str) -> Problem:
    return Problem(level, file.name, file.line(place), dotted(place), sentence)


def _header(file: YamlFile) -> Iterator[Problem]:
    if not file.text.startswith(HEADER):
        yield _problem("warning", file, (), f"begin with `{HEADER}`, so that editors know the fields")


def _contradictions(file: YamlFile, system: System) -> Iterator[Problem]:
    known = {remark.line for remark in remarks(file) if remark.kind == "conflict"}
    for place, sentence in contradictions(system):
        if file.line(place) not in known:
            yield _problem("error", file, place, f"{sentence}; mend it, or say `# conflict: why` there")


def _alerts(file: YamlFile, system: System) -> Iterator[Problem]:
    for name, environment in system.environments.items():
        for alert, rule in environment.alerts.items():
            if not rule.runbook:
                yield _problem("warning", file, ("environments", name, "alerts", alert), "starts no runbook")


def _names(file: YamlFile, system: System, files: Read) -> Iterator[Problem]:
    for name, environment in system.environments.items():
        at: Place = ("environments", name)
        if name in files:
            yield _problem("error", file, at, f"`{name}` is a system too; `{name}/…` would mean either")
        for field in ("services", "groups"):
            for thing in getattr(environment, field):
                if thing in system.environments:
                    yield _problem("error", file, (*at, field, thing), f"`{thing}` is an environment too")
        for group in environment.groups:
            if group in environment.services:
                yield _problem("error", file, (*at, "groups", group), f"`{group}` is a service too")


def _channels(files: Read) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, (file, system) in files.items():
        for channel in system.channels:
            if owner := owners.get(channel):
                yield _problem("error", file, ("channels", channel), f"{owner} has this channel already")
            owners.setdefault(channel, name)


def _resources(files: Read) -> Iterator[Problem]:
    catalog = Catalog(systems={name: system for name, (_, system) in files.items()})
    owners: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for target in catalog.targets():
        same = owners[(target.type, *sorted(target.place.items()))]
        if same:
            file, place = files[target.system][0], ("environments", target.environment, "services", target.name)
            yield _problem("error", file, place, f"is the same {target.type} as {same[0]}")
        same.append(target.full_name)
