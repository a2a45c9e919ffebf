"""Where what runs is otherwise than the catalog says."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.answer import Answer, Cell, Code, Part, Table, Text
from bot.core.catalog import Catalog
from bot.core.compute import Compute
from bot.core.drift import Difference, beside, differences, untold
from bot.core.errors import CloudError, NotFound
from bot.core.operation import Look, PlaceRef, Risk, param
from bot.core.ports import ComputeReads
from bot.core.reach import WIDE, within
from bot.core.reference import channel_default
from bot.core.request import Request, Target

COLUMNS = ("service", "what", "catalog", "live")
MOST = 10  # lines to copy


class Drift(Look, risk=Risk.READ, examples=("drift backend", "drift ai-square/prod")):
    """Show where what runs is otherwise than the catalog says: services, sizes, images, secrets."""

    place: PlaceRef | None = param(
        "Service, or environment or system to go through; default: the channel's environment.",
        positional=True,
        default=None,
    )

    def answer(self, compute: ComputeReads, catalog: Catalog, request: Request) -> Answer:
        targets = self._targets(catalog, request.channel)
        services = [one for one in targets if isinstance(catalog.entry(one), Compute)]
        seen = [look for one in services if (look := _look(one, compute, catalog))]
        listing = self.place is None or self.place.kind in WIDE
        others = beside([one.target for one in seen if listing and not one.unread], compute, catalog)
        found = [*(_row(one.target.full_name, differing) for one in seen for differing in one.differences)]
        found += [
            _row(f"{target.system}/{target.environment}", Difference("service", "not named", name))
            for target, name in others.found
        ]
        table = Table(title="", columns=COLUMNS, rows=tuple(found), empty=_empty(seen))
        parts = (table, *_mending(seen), *_unread(seen, others.troubles), *_untold(seen, len(targets) - len(services)))
        return Answer(title="Drift", parts=parts, good=not found and not any(one.unread for one in seen))

    def _targets(self, catalog: Catalog, channel: str) -> tuple[Target, ...]:
        """Everything in the place that is meant; in every system's usual environment when it is not said at all."""
        if self.place:
            return within(catalog, self.place)
        default = channel_default(catalog, channel)
        meant = {default} if all(default) else {
            (name, system.default_environment) for name, system in catalog.systems.items() if system.default_environment
        }  # fmt: skip
        return tuple(one for one in catalog.targets() if (one.system, one.environment) in meant)


@dataclass(frozen=True)
class _Seen:
    """One service; `unread` says why it could not be read."""

    target: Target
    differences: tuple[Difference, ...] = ()
    untold: tuple[str, ...] = ()
    unread: str = ""


def _look(target: Target, compute: ComputeReads, catalog: Catalog) -> _Seen | None:
    """Nothing of what is planned only, and cannot be read."""
    entry = catalog.entry(target)
    assert isinstance(entry, Compute), "nothing else is looked at"
    planned = entry.planned or catalog.environment(target).planned
    try:
        now, releases = compute.service(target), compute.releases(target)
    except NotFound:
        return _Seen(target, () if planned else (Difference("service", "is there", "not there"),))
    except CloudError as error:
        return None if planned else _Seen(target, unread=str(error))
    early = (Difference("service", "planned", "is there"),) if planned else ()
    found = differences(target.full_name, entry, now, releases)
    return _Seen(target, (*early, *found), untold(entry, now))


def _row(name: str, one: Difference) -> tuple[Cell, ...]:
    return name, one.what, one.catalog, one.live


def _mending(seen: list[_Seen]) -> Iterator[Part]:
    lines = tuple(one.mended_by for service in seen for one in service.differences if one.mended_by)
    if lines:
        yield Text(text="To have it as the catalog says again; or change the catalog:")
        yield Code(lines=lines[:MOST])


def _unread(seen: list[_Seen], troubles: tuple[str, ...]) -> Iterator[Part]:
    rows: tuple[tuple[Cell, ...], ...] = tuple((one.target.full_name, one.unread) for one in seen if one.unread)
    if rows:
        yield Table(title="Not read", columns=("service", "why"), rows=rows)
    for trouble in troubles:
        yield Text(text=f"What else runs there could not be listed: {trouble.rstrip('.')}.", mood="warning")


def _untold(seen: list[_Seen], others: int) -> Iterator[Part]:
    if len(seen) == 1 and seen[0].untold:
        yield Text(text=f"The platform does not tell: {', '.join(seen[0].untold)}.")
    if others:
        yield Text(text=f"Only services are compared: {others} of the catalog's entries there are none.")


def _empty(seen: list[_Seen]) -> str:
    if not seen:
        return "no service there"
    return "nothing differs" if any(not one.unread for one in seen) else "nothing could be read"
