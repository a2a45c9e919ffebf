"""Where a service is otherwise than the catalog says: its size, images, secrets, and the label of its schema.

Only what both tell is compared. Of which release serves, the catalog says nothing, so that is no drift.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bot.core.catalog import Catalog
from bot.core.compute import Compute
from bot.core.errors import CloudError
from bot.core.ports import ComputeReads, Release, ServiceState, Sizing
from bot.core.request import Target
from bot.core.sizing import before, declared, described, differing, size_of

Key = frozenset[tuple[str, str]]
OPTIONS = {
    "min_instances": "min",
    "max_instances": "max",
    "cpu": "cpu",
    "memory_mb": "memory",
    "concurrency": "concurrency",
}
WORDS = {
    "min_instances": "fewest instances",
    "max_instances": "most instances",
    "cpu": "CPU",
    "memory_mb": "memory",
    "concurrency": "requests at a time",
}


class Difference(NamedTuple):
    """One thing that differs; `mended_by` is the command that makes it as the catalog says, if there is one."""

    what: str
    catalog: str
    live: str
    mended_by: str = ""


class Beside(NamedTuple):
    """Services that the catalog does not have, each with one of it that runs there, and why some were not listed."""

    found: tuple[tuple[Target, str], ...]
    troubles: tuple[str, ...]


def differences(name: str, entry: Compute, now: ServiceState, releases: Sequence[Release]) -> Iterator[Difference]:
    """Everything about a service whose full name is `name`; `releases` are its own."""
    live = [one for one in releases if one.name in now.serving or one.name == now.latest_ready]
    yield from _size(name, entry, size_of(now))
    yield from _images(entry.image, live)
    if entry.secrets and live:
        yield from _secrets(set(entry.secrets), {_short(used.secret) for one in live for used in one.secrets})
    bare = [one.name for one in live if entry.schema_label not in one.labels]
    if entry.schema_label and bare:
        yield Difference("schema", f"label {entry.schema_label}", f"no such label on {', '.join(bare)}")


def beside(services: Iterable[Target], compute: ComputeReads, catalog: Catalog) -> Beside:
    """What runs where one of these services does, and is nowhere in the catalog; each is listed once."""
    known, listed = {_key(one.place) for one in catalog.targets()}, set[Key]()
    found: list[tuple[Target, str]] = []
    troubles: dict[str, None] = {}
    for target in services:
        if _key(target.place) in listed:
            continue
        try:
            places = compute.places_beside(target)
        except CloudError as error:
            troubles[str(error)] = None
            continue
        found += [(target, _told_apart(one, target.place)) for one in places if _key(one) not in known | listed]
        listed.update(map(_key, places))
    return Beside(tuple(found), tuple(troubles))


def _told_apart(place: dict[str, str], other: dict[str, str]) -> str:
    return " ".join(value for name, value in place.items() if other.get(name) != value)


def _key(place: dict[str, str]) -> Key:
    return frozenset(place.items())


def untold(entry: Compute, now: ServiceState) -> tuple[str, ...]:
    """What of the size the catalog says, and the platform does not."""
    said, live = declared(entry).model_dump(), size_of(now).model_dump()
    return tuple(words for field, words in WORDS.items() if said[field] is not None and live[field] is None)


def _size(name: str, entry: Compute, live: Sizing) -> Iterator[Difference]:
    """By the scheduled bounds that come nearest, if not by the usual ones: they come and go by themselves."""
    usual = declared(entry)
    bounds = ({"min_instances": one.min, "max_instances": max(one.max, 1)} for one in entry.schedule)
    any_time = (usual, *(usual.model_copy(update=one) for one in bounds))
    said = min(any_time, key=lambda one: len(differing(live, one).model_dump(exclude_none=True)))
    other = differing(live, said)
    wanted = before(other, said)
    if described(other) and wanted:
        yield Difference("size", described(wanted), described(other), f"scale {name} {_options(wanted)}")


def _options(size: Sizing) -> str:
    said = size.model_dump(exclude_none=True)
    written = {field: f"{value}Mi" if field == "memory_mb" else f"{value:g}" for field, value in said.items()}
    return " ".join(f"--{OPTIONS[field]} {value}" for field, value in written.items())


def _images(said: str, live: Iterable[Release]) -> Iterator[Difference]:
    """Tags and digests are of releases; where the images come from is of the service."""
    others = dict.fromkeys(_repository(one.image) for one in live if one.image)
    if said:
        yield from (Difference("image", _repository(said), one) for one in others if one != _repository(said))


def _repository(reference: str) -> str:
    folder, slash, name = reference.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}"


def _secrets(said: set[str], live: set[str]) -> Iterator[Difference]:
    yield from (Difference("secret", one, "not used") for one in sorted(said - live))
    yield from (Difference("secret", "not named", one) for one in sorted(live - said))


def _short(secret: str) -> str:
    """One of another project has a longer name."""
    return secret.rpartition("/")[2]
