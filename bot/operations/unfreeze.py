"""Unfreeze: rollouts are possible again."""

from collections.abc import Iterator

from bot.core.locking import announced, own, spoken, stopping
from bot.core.operation import Change, PlaceRef, Risk, param
from bot.core.plan import Moment, Plan
from bot.core.rules import Freezes
from bot.core.system import LockReads


class Unfreeze(Change, risk=Risk.OPERATE, examples=("unfreeze ai-square/prod",)):
    """Lift a freeze, so that rollouts are possible again."""

    where: PlaceRef = param("What is frozen.", positional=True)

    def plan(self, locks: LockReads, freezes: Freezes, moment: Moment) -> Plan:
        place = self.where.full_name
        found = own(locks.locks(), "freeze", place, moment.now)
        others = tuple(self._others(locks, freezes, moment))
        if found is None:
            return Plan(target=self.where, version="", why=" ".join((f"{place} itself is not frozen.", *others)))
        remains = (f"Rollouts stay impossible all the same. {' '.join(others)}",) if others else ()
        return Plan(
            target=self.where,
            version=found.operation,
            summary=f"{place}: rollouts are possible again" if not others else f"{place}: its own freeze is lifted",
            books_only=True,
            unlocks=(found.name,),
            notes=(spoken(found), *remains),
            undo_by_hand=(f"aisq freeze {place}",),
            facts={"traffic_moved_pct": 0},
        )

    def _others(self, locks: LockReads, freezes: Freezes, moment: Moment) -> Iterator[str]:
        """What keeps rollouts away beside a freeze of this very place, each as a sentence."""
        place = self.where.full_name
        yield from (spoken(one) for one in stopping(locks.locks(), "freeze", place, moment.now) if one.target != place)
        if standing := freezes.frozen(place, moment.now):
            yield f"{announced(standing)} That is changed there."
