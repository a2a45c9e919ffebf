"""The plan of a rollback: of one service, and of several to what they were at a moment."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from bot.core.catalog import Catalog
from bot.core.compute import Compute as Releases
from bot.core.counts import Counts
from bot.core.deploying.running import but_for, lost_by, made_by, running, stable_before
from bot.core.errors import UserError
from bot.core.instants import in_utc
from bot.core.locks import Lock
from bot.core.memory import Memory, bar_of, previewed
from bot.core.moments import in_order, served_at
from bot.core.plan import Finding, Hold, Plan, Step, Verdict, Versioned, step
from bot.core.ports import Compute, ComputeReads, ImageReads, MetricReads, Release, SecretReads, ServiceState, Traffic
from bot.core.reach import within
from bot.core.request import Target
from bot.core.rollout import ARRIVE_WITHIN_S, ERRORS_AFTER, existing, lasting, look_serving, moved_pct
from bot.core.safety import can_take, served_well
from bot.core.system import HistoryReads, LedgerReads, OperationRecord
from bot.core.traffic import describe


class Seen(NamedTuple):
    """What a plan is made from."""

    compute: ComputeReads
    images: ImageReads
    secrets: SecretReads
    metrics: MetricReads
    history: HistoryReads
    ledger: LedgerReads
    catalog: Catalog
    at: datetime


class Going(NamedTuple):
    """Which service goes back, and where to: a release, a moment, or whatever served well last."""

    service: Target
    to: datetime | str | None
    reason: str


class Back(NamedTuple):
    """One service on its way back to the release `good`."""

    service: Target
    now: ServiceState
    good: Release
    releases: Sequence[Release]
    memory: Memory
    counts: Counts
    deploys: tuple[OperationRecord, ...]  # that run, and are stopped

    @property
    def traffic(self) -> Traffic:
        return {self.good.name: 100}

    @property
    def before(self) -> Traffic:
        """What by hand would lead back to: what is left once what runs there was stopped, never what it is trying."""
        stable = stable_before(self.deploys)
        return {stable: 100} if stable else self.now.asked

    @property
    def is_there(self) -> bool:
        """Whether it serves already; a deploy that runs is stopped all the same."""
        return self.now.asked == self.now.serving == self.traffic

    @property
    def away_from(self) -> tuple[str, ...]:
        left = (*self.memory.left_behind(self.good.name), *made_by(self.deploys))
        return tuple(dict.fromkeys(left))

    @property
    def hold(self) -> Hold:
        return Hold(traffic=self.traffic, away_from=self.away_from)

    def lock(self, reason: str) -> Lock:
        left = f" from {self.away_from[0]}" if self.away_from else ""
        return Lock(target=self.service.full_name, reason=reason or f"rolled back{left}")


def going(wanted: Going, seen: Seen) -> Plan:
    """The plan for one service. Raises UserError when nobody can know where back to."""
    back, service = _back(wanted, seen), wanted.service
    if back.is_there and not back.deploys:
        why = f"{back.good.name} already serves all traffic of {service}"
        return Plan(target=service, version=back.now.version, why=why)
    total, errors = back.counts.recent()
    findings = _findings(back, seen)
    return Plan(
        target=service,
        version=back.now.version,
        summary=f"{service}: {_outcome(back)}",
        steps=() if back.is_there else (_moved(back), look_serving(back.traffic)),
        afterwards=() if back.is_there else (ERRORS_AFTER,),
        preempts=tuple(one.id for one in back.deploys),
        rescues=True,
        verdict=Verdict(findings=findings),
        chosen={"to": back.good.name},
        hold=back.hold,
        locks=(back.lock(wanted.reason),),
        notes=(*_then(wanted, back), *_notes(back, seen.catalog), *back.memory.notes(back.good.name)),
        by_hand=(seen.compute.by_hand_traffic(service, back.traffic),),
        undo_by_hand=(seen.compute.by_hand_traffic(service, back.before),),
        facts={"traffic": dict(back.now.asked), "traffic_moved_pct": moved_pct(back.traffic, back.now)},
        measured={"error_rate_pct": 100 * errors / total} if total else {},
    )


def together(place: Target, at: datetime | None, reason: str, seen: Seen, releases: Mapping[str, str]) -> Plan:
    """The plan for all services of a group, an environment or a system. `releases`: where to, by full names, of those
    for which that is decided. Raises UserError."""
    here, services = _services(place, seen.catalog)
    if at is None:
        raise UserError(f"{place} is several services: say to when, `rollback {place} --to 14:05`.")
    order = in_order(seen.catalog, services)
    backs = [_back(Going(one, releases.get(one.full_name, at), reason), seen) for one in order]
    moving = [back for back in backs if not back.is_there]
    stopped = tuple(one.id for back in backs for one in back.deploys)
    then = in_utc(at)
    if not moving and not stopped:
        return Plan(target=here, version="", why=f"every service of {here} serves already what it served at {then}")
    concerned = [back for back in backs if back in moving or back.deploys]
    stay = [back for back in concerned if back not in moving]
    found = [(back, _findings(back, seen)) for back in moving]
    found += [(back, tuple(lost_by(back.deploys, seen.ledger))) for back in stay]
    return Plan(
        target=here,
        version="",
        others=tuple(Versioned(target=one.service, version=one.now.version, hold=one.hold) for one in concerned),
        summary=f"{here}: as at {then}: {'; '.join(_done(moving, stopped))}",
        steps=tuple(made for back in moving for made in (_moved(back), _look_there(back))),
        afterwards=tuple(_errors_of(back) for back in moving),
        preempts=stopped,
        rescues=True,
        verdict=Verdict(findings=tuple(_named(back, one) for back, each in found for one in each)),
        chosen={"releases": {back.service.full_name: back.good.name for back in backs}},
        locks=tuple(one.lock(reason) for one in concerned),
        notes=tuple(_wide_notes(here, backs, moving, seen.catalog)),
        by_hand=tuple(seen.compute.by_hand_traffic(one.service, one.traffic) for one in moving),
        undo_by_hand=tuple(seen.compute.by_hand_traffic(one.service, one.before) for one in reversed(moving)),
        facts={
            "traffic": {one.service.full_name: dict(one.now.asked) for one in concerned},
            "traffic_moved_pct": max((moved_pct(one.traffic, one.now) for one in moving), default=0),
        },
    )


def _done(moving: Sequence[Back], stopped: Sequence[str]) -> Iterator[str]:
    """What becomes of each of several, in order."""
    yield from (f"`{deploy}` stopped" for deploy in stopped)
    yield from (f"{one.service.name} to {one.good.name}" for one in moving)


def _services(place: Target, catalog: Catalog) -> tuple[Target, tuple[Target, ...]]:
    """What is meant, and its services that have releases. A system is meant as its usual environment is."""
    system = catalog.systems[place.system]
    usual = system.default_environment or (next(iter(system.environments)) if len(system.environments) == 1 else None)
    if place.kind == "system" and not usual:
        raise UserError(f"{place} has several environments: write {place}/ENVIRONMENT.")
    here = place.model_copy(update={"kind": "environment", "environment": usual}) if place.kind == "system" else place
    found = tuple(one for one in within(catalog, here) if isinstance(catalog.entry(one), Releases))
    if not found:
        raise UserError(f"{here} has no service that has releases.")
    return here, found


def _back(wanted: Going, seen: Seen) -> Back:
    """Where one service goes. Raises UserError."""
    service = wanted.service
    now, releases = seen.compute.service(service), seen.compute.releases(service)
    counts, bar = Counts(seen.metrics, service, seen.at), bar_of(service, seen.catalog, seen.at)
    memory = Memory(service, now, releases, bar, seen.history, counts)
    deploys = running(service, seen.ledger)
    to: str | None = wanted.to if isinstance(wanted.to, str) else None
    if isinstance(wanted.to, datetime):
        to = served_at(service, wanted.to, seen.at, bar.max_age, seen.history, seen.metrics, previewed(now))
    good = existing(service, to, releases) if to else _usual(service, deploys, releases, memory)
    return Back(service, now, good, releases, memory, counts, deploys)


def _usual(service: Target, deploys: Sequence[OperationRecord], releases: Sequence[Release], memory: Memory) -> Release:
    """Where to when nobody says: where a deploy that runs began, unless that is known to be bad and another one to be
    good; else to the last good one. Raises UserError when nobody can know."""
    began = stable_before(deploys)
    past = memory.of(began)
    if not began or (past and past.health == "bad"):
        try:
            return memory.last_good()
        except UserError:
            if not began:
                raise
    return existing(service, began, releases)


def _findings(back: Back, seen: Seen) -> tuple[Finding, ...]:
    past = back.memory.of(back.good.name)
    proven = past is None and back.now.serving == back.traffic  # by serving now, however little is remembered
    bar = bar_of(back.service, seen.catalog, seen.at)
    return (
        *can_take(back.service, back.traffic, back.now, back.releases, seen.catalog, seen.images, seen.secrets),
        *lost_by(back.deploys, seen.ledger),
        *(() if proven else served_well(past, back.good, seen.at, bar.max_age)),
    )


def _named(back: Back, finding: Finding) -> Finding:
    """Of one of several: a verdict that is made again is compared subject by subject."""
    name = back.service.name
    said = {"subject": f"{name} {finding.subject}", "sentence": f"{name}: {finding.sentence}"}
    return finding.model_copy(update=said)


def _moved(back: Back) -> Step:
    undo = step(Compute.set_traffic, back.service, traffic=back.now.asked)
    go = step(Compute.set_traffic, back.service, traffic=back.traffic)
    return go.undone_by(undo).called(f"send all traffic to {back.good.name}")


def _look_there(back: Back) -> Step:
    """The step that looks whether one of several arrived; one that does not stops the rest, and all are put back."""
    return Step(
        kind="check",
        verb="there",
        args={"target": back.service.model_dump(mode="json"), "traffic": dict(back.traffic)},
        title=f"see that {back.service.name} serves {back.good.name}",
        deadline_s=ARRIVE_WITHIN_S,
    )


def _errors_of(back: Back) -> Step:
    """The judgement of one of several."""
    args = {"target": back.service.model_dump(mode="json")}
    said = {"verb": "errors_of", "args": args, "title": f"{ERRORS_AFTER.title} of {back.service.name}"}
    return ERRORS_AFTER.model_copy(update=said)


def _outcome(back: Back) -> str:
    """What will be different, as people read it."""
    stops = f"{' and '.join(f'`{one.id}`' for one in back.deploys)} stopped, " if back.deploys else ""
    if back.now.serving == back.traffic:
        return f"{stops}traffic held at {back.good.name}, which serves all of it already"
    others = {name: share for name, share in back.now.serving.items() if name != back.good.name}
    return f"{stops}all traffic to {back.good.name}, away from {describe(others or back.now.asked)}"


def _then(wanted: Going, back: Back) -> Iterator[str]:
    """The moment that somebody meant by a clock's time, as it was understood."""
    if isinstance(wanted.to, datetime):
        yield f"At {in_utc(wanted.to)} it was {back.good.name} that served."


def _notes(back: Back, catalog: Catalog) -> Iterator[str]:
    """What people should know of the service."""
    if back.deploys:
        yield f"What runs there is stopped first, and puts back what it changed{but_for(back.deploys)}."
    elif back.now.busy:
        yield "A change of the service is still being rolled out; this replaces it."
    stays, name = f"Traffic then stays at {back.good.name}", back.service
    yield f"{stays}: new releases get none until `unpin {name}`, and deploys are locked until `unlock {name}`."
    yield from lasting(back.service, catalog)


def _wide_notes(here: Target, backs: Sequence[Back], moving: Sequence[Back], catalog: Catalog) -> Iterator[str]:
    """What people should know of all of them."""
    for back in backs:
        if back.deploys:
            yield f"What runs on {back.service.name} is stopped first{but_for(back.deploys)}."
        elif back not in moving:
            yield f"{back.service.name} serves {back.good.name} already, as it did then."
    yield "If one of them fails, the rest is not touched, and those before it are put back."
    yield f"Traffic then stays there, and deploys are locked: `unpin` and `unlock` each of {here} to go on."
    for back in moving:
        yield from (f"{back.service.name}: {note}" for note in lasting(back.service, catalog))
