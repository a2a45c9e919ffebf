"""What one person should see at a glance: what waits for them, what runs, what was, and what holds things."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.core.answer import Text
from bot.core.errors import Denied
from bot.core.home import Home, Section
from bot.core.instants import in_utc
from bot.core.locking import spoken
from bot.core.locks import Lock
from bot.core.request import OPEN, Actor
from bot.core.rules import Freeze, Freezes
from bot.core.staged import goes_on
from bot.core.system import AuditReads, Clock, Directory, LedgerReads, LockReads, OperationRecord, Pin, PinReads
from bot.core.timeline import belongs, line
from bot.core.traffic import describe
from bot.engine.gate import Gate
from bot.engine.registry import Registry
from bot.engine.run import subject

MOST_OPEN, MOST_RECENT = 100, 30  # operations that are read
SHOWN, RECENT = 10, 8  # of each section
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Alike = tuple[str, str, str]  # operation, requester, target: all that policy knows of what it is to approve


class Overview:
    """Reads it for one person. Who may not list operations sees none, and only who may approve is asked to."""

    def __init__(
        self,
        registry: Registry,
        gate: Gate,
        directory: Directory,
        ledger: LedgerReads,
        pins: PinReads,
        locks: LockReads,
        audit: AuditReads,
        freezes: Freezes,
        clock: Clock,
    ) -> None:
        self._registry, self._gate, self._directory = registry, gate, directory
        self._ledger, self._pins, self._audit = ledger, pins, audit
        self._locks, self._freezes, self._clock = locks, freezes, clock

    def stamp(self) -> int:
        """Another number whenever an operation has moved on, in any process: each move is a link of the chain.

        Quick, so that nobody reads all of it to see that nothing changed. Raises StoreError.
        """
        return next((entry.seq for entry in self._audit.entries(limit=1)), 0)

    def of(self, id: str) -> Home:
        """The overview of "slack:U0ANA". Raises StoreError."""
        actor, now = self._directory.actor(id), self._clock.now()
        try:
            self._gate.permit(actor, self._registry.command("ops list").model_validate({}))
        except Denied as denied:
            return Home(refused=str(denied))
        return Home(sections=tuple(self._sections(actor, now)))

    def _sections(self, actor: Actor, now: datetime) -> Iterable[Section]:
        opened = self._ledger.operations(states=OPEN, limit=MOST_OPEN)
        judged: dict[Alike, bool] = {}
        mine = [one for one in opened if self._waits_for(one, actor, now, judged)]
        others = [one for one in opened if one not in mine]
        newest = self._ledger.operations(limit=MOST_RECENT)
        ended = [one for one in newest if one.state not in OPEN]
        yield _section("Waiting for your approval", mine, "nothing waits for you", to_decide=True)
        yield _section("In progress", others, "nothing runs")
        yield Section(title="Recent", operations=tuple(ended[:RECENT]), empty="nothing has ended yet")
        yield _listed("Releases", self._releases({one.id: one for one in (*opened, *newest)}), "no release was touched")
        locks = [one for one in self._locks.locks() if one.until is None or now < one.until]
        yield _held(self._pins.pins(), now)
        yield _locked([one for one in locks if one.kind == "deploys"])
        yield _frozen([one for one in locks if one.kind == "freeze"], self._freezes.freezes, now)

    def _releases(self, records: Mapping[str, OperationRecord]) -> list[Text]:
        """The timeline, newest first; what takes its time is older than much that has ended."""
        found = sorted(filter(belongs, records.values()), key=lambda one: one.request.received_at, reverse=True)
        return [line(one, self._ledger.stages(one.id) if goes_on(one) else ()) for one in found]

    def _waits_for(self, record: OperationRecord, actor: Actor, now: datetime, judged: dict[Alike, bool]) -> bool:
        """`judged`: what policy said of others that are alike to it."""
        if record.state != "waiting" or (record.expires_at and record.expires_at < now):
            return False
        if any(one.actor.id == actor.id for one in record.approvals):
            return False
        request = record.request
        alike = request.operation, request.actor.id, request.target.full_name if request.target else ""
        if alike not in judged:
            approve = self._registry.command("approve").model_validate({"operation": subject(record)})
            judged[alike] = self._gate.allows(actor, approve)
        return judged[alike]


def _section(title: str, found: list[OperationRecord], empty: str, *, to_decide: bool = False) -> Section:
    more = max(0, len(found) - SHOWN)
    return Section(title=title, operations=tuple(found[:SHOWN]), more=more, empty=empty, to_decide=to_decide)


def _held(pins: tuple[Pin, ...], now: datetime) -> Section:
    newest_first = sorted(pins, key=lambda one: one.since, reverse=True)
    return _listed("Pins", [_pin(one, now) for one in newest_first], "no traffic is held")


def _pin(pin: Pin, now: datetime) -> Text:
    reason = f" ({pin.reason})" if pin.reason else ""
    overdue = " Still needed?" if now > pin.remind_at else ""
    said = f"{pin.target}: {describe(pin.traffic)}, by {pin.by} since {in_utc(pin.since)}{reason}.{overdue}"
    return Text(text=said, mood="warning" if overdue else "plain")


def _locked(locks: list[Lock]) -> Section:
    return _listed("Locks", [_lock(one) for one in _newest_first(locks)], "nothing is locked for deploys")


def _lock(lock: Lock) -> Text:
    return Text(text=f"{lock.target}: {spoken(lock)}", mood="warning")


def _newest_first(locks: list[Lock]) -> list[Lock]:
    return sorted(locks, key=lambda one: (one.since or LONG_AGO, one.target), reverse=True)


def _frozen(locks: list[Lock], freezes: tuple[Freeze, ...], now: datetime) -> Section:
    """Freezes that are on, or begin later: what people said, and what the policies say."""
    coming = sorted((one for one in freezes if now < one.until), key=lambda one: one.since)
    lines = [*(_lock(one) for one in _newest_first(locks)), *(_freeze(one, now) for one in coming)]
    return _listed("Freezes", lines, "no freeze is on or announced")


def _listed(title: str, lines: list[Text], empty: str) -> Section:
    return Section(title=title, lines=tuple(lines[:SHOWN]), more=max(0, len(lines) - SHOWN), empty=empty)


def _freeze(freeze: Freeze, now: datetime) -> Text:
    targets = ", ".join(freeze.targets)
    if freeze.since <= now:
        return Text(text=f"{targets}: until {in_utc(freeze.until)}, {freeze.reason} ({freeze.name}).", mood="warning")
    return Text(text=f"{targets}: {in_utc(freeze.since)} to {in_utc(freeze.until)}, {freeze.reason} ({freeze.name}).")
