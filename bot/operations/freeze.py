"""Freeze: no rollouts for a while, without a change of the policies."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AwareDatetime

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.instants import in_zone
from bot.core.locking import ALWAYS, announced, own, spoken
from bot.core.locks import Lock
from bot.core.operation import Change, PlaceRef, Risk, param
from bot.core.plan import Moment, Plan
from bot.core.reach import within
from bot.core.request import Actor
from bot.core.rules import Freezes
from bot.core.system import LockReads
from bot.core.when import When

MOST = 8  # names that a note lists


class Freeze(
    Change,
    risk=Risk.OPERATE,
    examples=(
        'freeze ai-square/prod --until tomorrow 08:00 --reason "year end"',
        'freeze eaili5 --until unfreeze --reason "the pager is silent"',
    ),
):
    """Let nothing be rolled out to a service, or anywhere in an environment or a system."""

    where: PlaceRef = param("What to freeze.", positional=True)
    until: Annotated[AwareDatetime | Literal["unfreeze"], When(ahead=True, word="unfreeze")] = param(
        "When the freeze ends by itself; `unfreeze`: not before somebody says so."
    )

    def plan(self, locks: LockReads, freezes: Freezes, catalog: Catalog, actor: Actor, moment: Moment) -> Plan:
        if not self.reason:
            raise UserError('Say why, for all who will meet it: `--reason "year end"`.')
        place, until = self.where.full_name, None if self.until == "unfreeze" else self.until
        there = own(locks.locks(), "freeze", place, moment.now)
        version = there.operation if there else ""
        if there and (there.until, there.reason) == (until, self.reason):
            return Plan(target=self.where, version=version, why=f"{place} is that already. {spoken(there)}")
        ends = f"until {in_zone(until, actor.zone)}" if until else f"until `unfreeze {place}`"
        return Plan(
            target=self.where,
            version=version,
            summary=f"{place}: no rollouts {ends}",
            books_only=True,
            locks=(Lock(target=place, kind="freeze", until=until),),
            notes=tuple(self._notes(there, freezes, catalog, moment)),
            undo_by_hand=(f"aisq unfreeze {place}",),
            facts={"traffic_moved_pct": 0},
        )

    def _notes(self, there: Lock | None, freezes: Freezes, catalog: Catalog, moment: Moment) -> Iterator[str]:
        if self.where.kind != "service":
            covered = [str(target) for target in within(catalog, self.where)]
            more = ", …" if len(covered) > MOST else ""
            yield f"That is {', '.join(covered[:MOST]) or 'nothing yet'}{more}."
        yield ALWAYS
        if there:
            yield f"It takes the place of another. {spoken(there)}"
        if standing := freezes.frozen(self.where.full_name, moment.now):
            yield f"Another one stands beside it. {announced(standing)}"
