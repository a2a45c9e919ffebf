"""Lock: no deploys here, until somebody says otherwise."""

from collections.abc import Iterator

from bot.core import locks as core
from bot.core.catalog import Catalog
from bot.core.deploying import DEPLOYING
from bot.core.instants import in_zone
from bot.core.locking import ALWAYS, own, spoken
from bot.core.operation import Change, PlaceRef, Risk, param
from bot.core.plan import Moment, Plan
from bot.core.reach import within
from bot.core.request import OPEN, Actor
from bot.core.system import LedgerReads, LockReads
from bot.core.when import Ahead

MOST = 8  # names that a note lists


class Lock(
    Change,
    risk=Risk.OPERATE,
    examples=('lock backend --reason "incident 42"', "lock ai-square/prod --until 18:00"),
):
    """Let nothing be deployed to a service, or anywhere in an environment or a system."""

    where: PlaceRef = param("What to lock.", positional=True)
    until: Ahead | None = param("When the lock ends by itself; default: when somebody unlocks it.", default=None)

    def plan(self, locks: LockReads, ledger: LedgerReads, catalog: Catalog, actor: Actor, moment: Moment) -> Plan:
        place = self.where.full_name
        there = own(locks.locks(), "deploys", place, moment.now)
        version = there.operation if there else ""
        if there and (there.until, there.reason) == (self.until, self.reason):
            return Plan(target=self.where, version=version, why=f"{place} is that already. {spoken(there)}")
        ends = f"until {in_zone(self.until, actor.zone)}" if self.until else f"until `unlock {place}`"
        return Plan(
            target=self.where,
            version=version,
            summary=f"{place}: locked for deploys {ends}",
            books_only=True,
            locks=(core.Lock(target=place, until=self.until),),
            notes=tuple(self._notes(there, ledger, catalog)),
            undo_by_hand=(f"aisq unlock {place}",),
            facts={"traffic_moved_pct": 0},
        )

    def _notes(self, there: core.Lock | None, ledger: LedgerReads, catalog: Catalog) -> Iterator[str]:
        covered = [target for target in within(catalog, self.where) if target.kind == "service"]
        if self.where.kind != "service":
            more = ", …" if len(covered) > MOST else ""
            yield f"That is {', '.join(map(str, covered[:MOST])) or 'no service yet'}{more}."
        yield ALWAYS
        names = {target.full_name for target in covered}
        for record in ledger.operations(states=OPEN, limit=100):
            if record.request.operation in DEPLOYING and str(record.request.target) in names:
                yield f"`{record.id}` ({record.request.text}) goes on; `ops cancel {record.id}` stops it."
        if there:
            yield f"It takes the place of another. {spoken(there)}"
