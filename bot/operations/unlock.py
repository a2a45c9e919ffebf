"""Unlock: deploys are possible again."""

from collections.abc import Iterator

from bot.core.locking import own, spoken, stopping
from bot.core.locks import Lock
from bot.core.operation import Change, PlaceRef, Risk, param
from bot.core.plan import Moment, Plan
from bot.core.system import LockReads, PinReads
from bot.core.traffic import describe


class Unlock(Change, risk=Risk.OPERATE, examples=("unlock backend", "unlock ai-square/prod")):
    """Lift a lock, so that deploys are possible again."""

    where: PlaceRef = param("What is locked.", positional=True)

    def plan(self, locks: LockReads, pins: PinReads, moment: Moment) -> Plan:
        place, every = self.where.full_name, locks.locks()
        found = own(every, "deploys", place, moment.now)
        others = tuple(one for one in stopping(every, "deploys", place, moment.now) if one != found)
        if found is None:
            return Plan(target=self.where, version="", why=" ".join((f"{place} itself is not locked.", *_said(others))))
        return Plan(
            target=self.where,
            version=found.operation,
            summary=f"{place}: no longer locked for deploys",
            books_only=True,
            unlocks=(found.name,),
            notes=tuple(self._notes(found, others, pins)),
            undo_by_hand=(f"aisq lock {place}",),
            facts={"traffic_moved_pct": 0},
        )

    def _notes(self, found: Lock, others: tuple[Lock, ...], pins: PinReads) -> Iterator[str]:
        yield spoken(found)
        if others:
            yield f"Deploys stay impossible all the same. {' '.join(_said(others))}"
        if pin := pins.pin(self.where):
            yield f"Traffic stays at {describe(pin.traffic)}, where {pin.by} put it."


def _said(others: tuple[Lock, ...]) -> Iterator[str]:
    return (spoken(one) for one in others)
