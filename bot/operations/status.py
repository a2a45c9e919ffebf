"""How a service is, or all services of a system: what serves, what is pinned, what runs, how many errors."""

from datetime import datetime, timedelta

from bot.core.answer import Answer, Cell, Mood, Part, Table, Text
from bot.core.catalog import Catalog
from bot.core.errors import CloudError
from bot.core.instants import in_utc
from bot.core.lastgood import percent
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.plan import Moment
from bot.core.ports import LATEST, ComputeReads, MetricReads, ServiceState
from bot.core.reference import channel_default
from bot.core.request import Request, Target
from bot.core.system import LedgerReads, Pin, PinReads
from bot.core.traffic import describe

RECENT = timedelta(minutes=5)
STEP_S = 60


class Status(Look, risk=Risk.READ, examples=("status backend", "status")):
    """Show what serves: traffic, pins, errors, running operations."""

    service: ServiceRef | None = param(
        "Service to show; default: all of the channel's environment.", positional=True, default=None
    )

    def answer(
        self,
        compute: ComputeReads,
        metrics: MetricReads,
        pins: PinReads,
        ledger: LedgerReads,
        catalog: Catalog,
        request: Request,
        moment: Moment,
    ) -> Answer:
        look = _Looker(compute, metrics, pins, ledger, catalog, moment)
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


class _Looker:
    """Looks at services; what cannot be read is said, and never hides the rest."""

    def __init__(
        self,
        compute: ComputeReads,
        metrics: MetricReads,
        pins: PinReads,
        ledger: LedgerReads,
        catalog: Catalog,
        moment: Moment,
    ) -> None:
        self._compute, self._metrics, self._pins, self._ledger = compute, metrics, pins, ledger
        self._catalog, self._moment = catalog, moment

    def several(self, targets: tuple[Target, ...]) -> Answer:
        rows = tuple(self._row(target) for target in targets)
        columns = ("service", "serves", "errors", "pinned", "state")
        cells = tuple(row for row, _ in rows)
        table = Table(title="", columns=columns, rows=cells, empty="no service here; name one: `status SERVICE`")
        return Answer(title="Status", parts=(table,), good=all(well for _, well in rows))

    def one(self, target: Target) -> Answer:
        now = self._compute.service(target)
        parts = [*self._serving(now), self._errors(target), *self._pin(target, now), *self._running(target)]
        good = all(getattr(part, "mood", "plain") != "bad" for part in parts)
        return Answer(title=f"{target}", parts=tuple(parts), good=good)

    def _row(self, target: Target) -> tuple[tuple[Cell, ...], bool]:
        """The cells, and whether the service is well as far as can be seen."""
        try:
            now = self._compute.service(target)
        except CloudError as error:
            return (target.full_name, "unknown", "", "", str(error)), False
        pin, errors = self._pins.pin(target), self._errors(target)
        state = now.trouble or ("rolling out" if now.busy else "ready")
        cells = (target.full_name, describe(now.serving), errors.text, f"by {pin.by}" if pin else "", state)
        return cells, errors.mood != "bad" and not now.trouble

    def _serving(self, now: ServiceState) -> list[Part]:
        follows = "; traffic follows the newest release" if LATEST in now.asked else ""
        said: list[Part] = [Text(text=f"Serving: {describe(now.serving)}{follows}.")]
        if now.tags:
            said.append(Text(text="Preview: " + ", ".join(f"{tag} is {name}" for tag, name in now.tags.items()) + "."))
        if now.max_instances:
            said.append(Text(text=f"Instances: {now.min_instances or 0} to {now.max_instances}."))
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

    def _pin(self, target: Target, now: ServiceState) -> list[Part]:
        pin, held = self._pins.pin(target), LATEST not in now.asked
        if pin and pin.traffic == now.asked:
            said = _pinned(pin, self._moment.now)
        elif pin:
            said = f"{_pinned(pin, self._moment.now)} Somebody set other traffic since, outside aisq."
        elif held:
            said = "Traffic is held at named releases, by somebody outside aisq."
        else:
            return []
        more = f" New releases get none until `unpin {target}`." if held else ""
        return [Text(text=said + more, mood="warning")]

    def _running(self, target: Target) -> list[Part]:
        records = self._ledger.operations(open_only=True, target=target.full_name, limit=10)
        said = (f"{one.id} {one.state}: {one.request.text} (by {one.request.actor.name})" for one in records)
        return [Text(text=one, mood="warning") for one in said]


def _pinned(pin: Pin, now: datetime) -> str:
    reason = f" ({pin.reason})" if pin.reason else ""
    overdue = " Still needed?" if now > pin.remind_at else ""
    return f"Pinned to {describe(pin.traffic)} by {pin.by} since {in_utc(pin.since)}{reason}.{overdue}"
