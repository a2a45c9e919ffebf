"""How a service is, or all services of a system: what serves, how many errors, what holds it, what runs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from bot.core.answer import Answer, Cell, Mood, Part, Table, Text
from bot.core.at_once import at_once
from bot.core.catalog import Catalog
from bot.core.deploying.standing import left_by
from bot.core.errors import CloudError
from bot.core.instants import in_utc
from bot.core.lastgood import percent
from bot.core.locking import announced, spoken, stopping
from bot.core.locks import Kind, Lock
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.plan import Moment
from bot.core.ports import LATEST, ComputeReads, MetricReads, ServiceState
from bot.core.reference import channel_default
from bot.core.request import OPEN, Request, Target
from bot.core.rules import Freezes
from bot.core.sizing import described, size_of
from bot.core.system import LedgerReads, LockReads, Pin, PinReads
from bot.core.traffic import describe

RECENT = timedelta(minutes=5)
STEP_S = 60


class Status(Look, risk=Risk.READ, examples=("status backend", "status")):
    """Show what serves: traffic, errors, what holds it, running operations."""

    service: ServiceRef | None = param(
        "Service to show; default: all of the channel's environment.", positional=True, default=None
    )

    def answer(
        self,
        compute: ComputeReads,
        metrics: MetricReads,
        pins: PinReads,
        locks: LockReads,
        freezes: Freezes,
        ledger: LedgerReads,
        catalog: Catalog,
        request: Request,
        moment: Moment,
    ) -> Answer:
        held = _Held(pins, locks.locks(), freezes, ledger, moment)
        look = _Looker(compute, metrics, held, ledger, catalog, moment)
        if self.service:
            return look.one(self.service)
        return look.several(_of_channel(catalog, request.channel))


def _of_channel(catalog: Catalog, channel: str) -> tuple[Target, ...]:
    """Services of the channel's environment; of every system's default environment when it has none."""
    default = channel_default(catalog, channel)
    wanted = {default} if all(default) else {
        (name, system.default_environment) for name, system in catalog.systems.items() if system.default_environment
    }  # fmt: skip
    targets = [one for one in catalog.targets() if one.kind == "service"]
    return tuple(one for one in targets if (one.system, one.environment) in wanted)


class _Held:
    """What people, or their operations, keep from moving on."""

    def __init__(
        self, pins: PinReads, locks: tuple[Lock, ...], freezes: Freezes, ledger: LedgerReads, moment: Moment
    ) -> None:
        self._pins, self._locks, self._freezes, self._now = pins, locks, freezes, moment.now
        self._ledger = ledger

    def in_short(self, target: Target) -> str:
        """Such as "pinned by ana, locked by ben, frozen"."""
        pin = self._every_pin.get(target.full_name)
        locks, frozen = self._stopping("deploys", target), self._frozen(target)
        parts = (pin and f"pinned by {pin.by}", locks and f"locked by {locks[0].by}", frozen and "frozen")
        return ", ".join(part for part in parts if part)

    def said(self, target: Target, now: ServiceState) -> Iterator[str]:
        """Each as a sentence."""
        yield from self._pin(target, now)
        yield from (spoken(one, of=target.full_name) for one in self._stopping("deploys", target))
        yield from self._frozen(target)

    @cached_property
    def _every_pin(self) -> dict[str, Pin]:
        """By the target's full name."""
        return {pin.target: pin for pin in self._pins.pins()}

    def _stopping(self, kind: Kind, target: Target) -> tuple[Lock, ...]:
        return stopping(self._locks, kind, target.full_name, self._now)

    def _frozen(self, target: Target) -> tuple[str, ...]:
        said = tuple(spoken(one, of=target.full_name) for one in self._stopping("freeze", target))
        standing = self._freezes.frozen(target.full_name, self._now)
        return (*said, announced(standing)) if standing else said

    def _pin(self, target: Target, now: ServiceState) -> Iterator[str]:
        pin, is_held = self._pins.pin(target), LATEST not in now.asked
        more = f" New releases get none until `unpin {target}`." if is_held else ""
        if pin and pin.traffic == now.asked:
            yield f"{_pinned(pin, self._now)}{more}"
        elif pin:
            yield f"{_pinned(pin, self._now)} Somebody set other traffic since, outside aisq.{more}"
        elif is_held and (deploy := left_by(target, now, pin, self._ledger)):
            yield f"Traffic is held at named releases, where `{deploy}` left it; the next deploy takes that over."
        elif is_held:
            yield f"Traffic is held at named releases, by somebody outside aisq.{more}"


class _Seen(NamedTuple):
    """How a service is, and its errors; without a state, `unread` says why."""

    now: ServiceState | None
    errors: Text
    unread: str = ""


class _Looker:
    """Looks at services; what cannot be read is said, and never hides the rest."""

    def __init__(
        self,
        compute: ComputeReads,
        metrics: MetricReads,
        held: _Held,
        ledger: LedgerReads,
        catalog: Catalog,
        moment: Moment,
    ) -> None:
        self._compute, self._metrics, self._held, self._ledger = compute, metrics, held, ledger
        self._catalog, self._moment = catalog, moment

    def several(self, targets: tuple[Target, ...]) -> Answer:
        rows = tuple(
            self._row(target, seen) for target, seen in zip(targets, at_once(self._seen, targets), strict=True)
        )
        columns = ("service", "serves", "errors", "held", "state")
        cells = tuple(row for row, _ in rows)
        table = Table(title="", columns=columns, rows=cells, empty="no service here; name one: `status SERVICE`")
        return Answer(title="Status", parts=(table,), good=all(well for _, well in rows))

    def one(self, target: Target) -> Answer:
        now = self._compute.service(target)
        held = (Text(text=said, mood="warning") for said in self._held.said(target, now))
        parts = [*self._serving(now), self._errors(target), *held, *self._running(target)]
        good = all(getattr(part, "mood", "plain") != "bad" for part in parts)
        return Answer(title=f"{target}", parts=tuple(parts), good=good)

    def _seen(self, target: Target) -> _Seen:
        try:
            now = self._compute.service(target)
        except CloudError as error:
            return _Seen(None, Text(text=""), str(error))
        return _Seen(now, self._errors(target))

    def _row(self, target: Target, seen: _Seen) -> tuple[tuple[Cell, ...], bool]:
        """The cells, and whether the service is well as far as can be seen."""
        now, errors = seen.now, seen.errors
        if now is None:
            return (target.full_name, "unknown", "", "", seen.unread), False
        state = now.trouble or ("rolling out" if now.busy else "ready")
        cells = (target.full_name, describe(now.serving), errors.text, self._held.in_short(target), state)
        return cells, errors.mood != "bad" and not now.trouble

    def _serving(self, now: ServiceState) -> list[Part]:
        follows = "; traffic follows the newest release" if LATEST in now.asked else ""
        said: list[Part] = [Text(text=f"Serving: {describe(now.serving)}{follows}.")]
        if now.tags:
            said.append(Text(text="Preview: " + ", ".join(f"{tag} is {name}" for tag, name in now.tags.items()) + "."))
        if size := described(size_of(now)):
            said.append(Text(text=f"Size: {size}."))
        if now.busy:
            said.append(Text(text="A change is being rolled out.", mood="warning"))
        if now.trouble:
            said.append(Text(text=now.trouble, mood="bad"))
        return said

    def _errors(self, target: Target) -> Text:
        """Errors of the last minutes that monitoring has counted, beside what the objective allows."""
        allowed = self._catalog.slo(target).error_ratio
        try:
            since = self._moment.now - RECENT - timedelta(seconds=self._metrics.lag_s(target))
            counted = self._metrics.requests(target, since, self._moment.now, STEP_S)
        except CloudError as error:
            return Text(text=f"Errors are unknown: {str(error).rstrip('.')}.", mood="warning")
        total, errors = sum(one.total for one in counted), sum(one.errors for one in counted)
        if not total:
            return Text(text="No requests in the last minutes.")
        mood: Mood = "bad" if errors / total > allowed else "good"
        return Text(
            text=f"{percent(errors / total)} errors in {total:,} requests ({percent(allowed)} allowed).", mood=mood
        )

    def _running(self, target: Target) -> list[Part]:
        records = self._ledger.operations(states=OPEN, target=target.full_name, limit=10)
        said = (f"{one.id} {one.state}: {one.request.text} (by {one.request.actor.name})" for one in records)
        return [Text(text=one, mood="warning") for one in said]


def _pinned(pin: Pin, now: datetime) -> str:
    reason = f" ({pin.reason})" if pin.reason else ""
    overdue = " Still needed?" if now > pin.remind_at else ""
    return f"Pinned to {describe(pin.traffic)} by {pin.by} since {in_utc(pin.since)}{reason}.{overdue}"
