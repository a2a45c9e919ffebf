"""Rollback: back to the release that served well last, whether or not anything else works."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.core.catalog import Catalog
from bot.core.errors import CloudError, UserError
from bot.core.lastgood import Past, merged, pasts, percent, spans_of
from bot.core.operation import Risk, ServiceRef, param
from bot.core.parser import did_you_mean, near
from bot.core.plan import Hold, Moment, Plan, Verdict
from bot.core.ports import ComputeReads, ImageReads, MetricReads, Release, Requests, SecretReads, ServiceState
from bot.core.rollout import Rollout, shifted
from bot.core.safety import can_take, served_well
from bot.core.system import HistoryReads, Serving
from bot.core.traffic import describe

COARSE_S, FINE_S = 3600, 60
FINE_FOR, RECENT = timedelta(hours=3), timedelta(minutes=5)


class Rollback(
    Rollout,
    risk=Risk.ROLLOUT,
    examples=("rollback backend", 'rollback backend --to backend-00041-kex --reason "5xx since 14:02"'),
):
    """Send all traffic back to the last release that served well."""

    service: ServiceRef = param("Service to roll back.", positional=True)
    to: str | None = param(
        "Release to go to; default: the last one that served all traffic and was healthy.",
        default=None,
        completes="releases of service",
    )

    def plan(
        self,
        compute: ComputeReads,
        images: ImageReads,
        secrets: SecretReads,
        metrics: MetricReads,
        history: HistoryReads,
        catalog: Catalog,
        moment: Moment,
    ) -> Plan:
        now, releases = compute.service(self.service), compute.releases(self.service)
        past = _Memory(self, now, catalog, moment, history, metrics)
        good = named(self.service.name, self.to, releases) if self.to else past.last_good(releases)
        if now.asked == now.serving == {good.name: 100}:
            why = f"{good.name} already serves all traffic of {self.service}"
            return Plan(target=self.service, version=now.version, why=why)
        left = [release for release in releases if now.serving.get(release.name) and release != good]
        findings = [
            *can_take(self.service, [good], left, past.schema_label, images, secrets),
            *served_well(past.of(good.name), good, moment.now, catalog.rollback(self.service).max_age),
        ]
        plan = shifted(self, now, {good.name: 100}, compute, f"send all traffic to {good.name}")
        return plan.model_copy(
            update={
                "summary": f"{self.service}: all traffic to {good.name}, away from {away(now, good.name)}",
                "verdict": Verdict(findings=tuple(findings)),
                "hold": Hold(traffic={good.name: 100}, away_from=tuple(release.name for release in left)),
                "notes": tuple(notes(self.service.name, now, good.name, past)),
                "measured": past.errors_now(),
            }
        )


def named(service: str, wanted: str, releases: Sequence[Release]) -> Release:
    """The release that was asked for by name. Raises UserError with the nearest names."""
    known = {release.name: release for release in releases}
    if wanted in known:
        return known[wanted]
    names = near(wanted, known) or tuple(known)[:3]
    raise UserError(f"{service} has no release `{wanted[:60]}`.{did_you_mean(names)}", choices=names)


def away(now: ServiceState, good: str) -> str:
    """What is left behind, as people read it."""
    return describe({name: share for name, share in now.serving.items() if name != good} or now.asked)


def notes(service: str, now: ServiceState, good: str, past: "_Memory") -> Iterator[str]:
    """What people should know beside the plan."""
    if now.busy:
        yield "A change of the service is still being rolled out; this replaces it."
    yield f"Traffic then stays at {good}: new releases get none until `unpin {service}`."
    if past.websockets:
        yield "Open WebSocket connections stay on the release that they are on until they close."
    if past.cdn:
        yield f"What {past.cdn} has cached is still served until it expires."
    yield from past.skipped


class _Memory:
    """What is known of releases that served before: from our own history, else from what monitoring counted."""

    def __init__(
        self,
        rollback: Rollback,
        now: ServiceState,
        catalog: Catalog,
        moment: Moment,
        history: HistoryReads,
        metrics: MetricReads,
    ) -> None:
        self._service, self._now, self._moment, self._metrics = rollback.service, now, moment, metrics
        self._rule, self._slo = catalog.rollback(rollback.service), catalog.slo(rollback.service)
        self._serving = {name for name, share in now.serving.items() if share}
        self._pasts = self._weigh(history.served(rollback.service))
        self.trouble = ""  # why monitoring could not be read
        self.skipped: list[str] = []
        entry = catalog.entry(rollback.service)
        self.websockets = getattr(entry, "websockets", None) is not None
        self.cdn = str(getattr(entry, "cdn", ""))
        self.schema_label = str(getattr(entry, "schema_label", ""))

    def of(self, release: str) -> Past | None:
        """How one release did, if it ever served all traffic."""
        return next((past for past in self._pasts if past.release == release), None)

    def last_good(self, releases: Sequence[Release]) -> Release:
        """The answer to "where back to?". Raises UserError, saying what to type, when nobody can know."""
        known = {release.name: release for release in releases}
        if not self._candidates() or self._candidates()[0].health in ("few", "unknown"):
            self._pasts = merged(self._pasts, self._weigh(self._counted()))
        for past in self._candidates():
            if past.release not in known:
                self.skipped.append(f"{past.release} served before, but was deleted since.")
            elif past.health in ("good", "unknown") or (past.health == "few" and self.trouble):
                return known[past.release]
            else:
                self.skipped.append(f"Not {past.release}: {self._too(past)}.")
        raise UserError(self._what_to_type(known))

    def errors_now(self) -> dict[str, float]:
        """Percent of errors in the last minutes that monitoring has counted; empty when it cannot be read."""
        lag = timedelta(seconds=self._metrics.lag_s(self._service))
        counted = self._requests(RECENT + lag, timedelta(0), FINE_S)
        total = sum(one.total for one in counted)
        return {"error_rate_pct": 100 * sum(one.errors for one in counted) / total} if total else {}

    def _candidates(self) -> list[Past]:
        """Everything but the one release that serves all traffic now: in a split, its members are candidates."""
        return [past for past in self._pasts if {past.release} != self._serving]

    def _weigh(self, spans: Sequence[Serving]) -> tuple[Past, ...]:
        return pasts(
            spans,
            now=self._moment.now,
            max_age=self._rule.max_age,
            min_requests=self._rule.min_requests,
            error_ratio=self._slo.error_ratio,
        )

    def _counted(self) -> tuple[Serving, ...]:
        """Spans from request counts: coarse over the whole time, fine over the last hours."""
        by_tag_only = frozenset(set(self._now.tags.values()) - self._serving)
        fine = self._requests(FINE_FOR, timedelta(0), FINE_S)
        coarse = self._requests(self._rule.max_age, FINE_FOR, COARSE_S)
        return (*spans_of(fine, FINE_S, by_tag_only), *spans_of(coarse, COARSE_S, by_tag_only))

    def _requests(self, since: timedelta, until: timedelta, step_s: int) -> tuple[Requests, ...]:
        """Counts from so long ago to so long ago; nothing, and no further question, once monitoring failed."""
        if self.trouble:
            return ()
        now = self._moment.now
        try:
            return self._metrics.requests(self._service, now - since, now - until, step_s)
        except CloudError as error:
            self.trouble = str(error)
            return ()

    def _too(self, past: Past) -> str:
        if past.health == "few":
            return f"it answered only {past.total:,} requests, of {self._rule.min_requests:,} that would tell"
        return f"it had {percent(past.error_rate)} errors, where {percent(self._slo.error_ratio)} are allowed"

    def _what_to_type(self, known: dict[str, Release]) -> str:
        others = [name for name in known if {name} != self._serving]
        if not others:
            return f"{self._service} has no other release to go back to."
        if self.skipped:
            why = "No release is known to have served all traffic well. " + " ".join(self.skipped)
        elif self.trouble:
            why = f"Nobody watched what served before, and monitoring cannot be read ({self.trouble})."
        else:
            why = "No other release is known to have served all traffic in the time that is remembered."
        example = f"rollback {self._service} --to {others[0]}"
        return f"{why} Say which: `{example}`. Newest first: {', '.join(others[:5])}."
