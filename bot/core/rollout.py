"""What operations that shift traffic share: the plan, the look whether it arrived, the judgement of the errors."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.lastgood import percent
from bot.core.operation import Change, ServiceRef, param
from bot.core.parser import did_you_mean, near, shown
from bot.core.plan import Checked, Moment, Plan, Step, step
from bot.core.ports import LATEST, Compute, ComputeReads, MetricReads, Release, Requests, ServiceState, Traffic
from bot.core.request import Target
from bot.core.traffic import describe

ARRIVE_WITHIN_S = 120
BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=3)
SETTLE = timedelta(minutes=1)  # requests that were under way when traffic moved
JUDGE_WITHIN_S = 1200
ENOUGH = 30  # requests without which a rate says nothing
STEP_S = 60
PURGES = {  # by the edge's type
    "load_balancer": "gcloud compute url-maps invalidate-cdn-cache URL_MAP --path='/*'",
    "cloudflare": (
        'curl https://api.cloudflare.com/client/v4/zones/ZONE_ID/purge_cache -H "Authorization: Bearer $TOKEN"'
        """ --json '{"purge_everything": true}'"""
    ),
}


class Rollout(Change):
    """A change of who gets how much of a service's traffic."""

    service: ServiceRef = param("Service.", positional=True)

    def check_serving(self, compute: ComputeReads, traffic: Traffic) -> Checked:
        """Whether the platform shows that traffic is where it was sent."""
        return check_serving(self.service, compute, traffic)

    def judge_errors(self, metrics: MetricReads, catalog: Catalog, moment: Moment) -> Checked:
        """Compares errors of the minutes before and after, once monitoring has counted them."""
        return judge_errors(self.service, metrics, catalog, moment)


def judge_errors(target: Target, metrics: MetricReads, catalog: Catalog, moment: Moment) -> Checked:
    """Compares a target's errors of the minutes before and after, once monitoring has counted them."""
    lag = timedelta(seconds=metrics.lag_s(target))
    begin = moment.started_at + SETTLE
    if moment.now < begin + AFTER + lag:
        return Checked(state="not yet", sentence="monitoring has not counted the minutes after the change yet")
    changed_at = moment.changed_at or moment.started_at
    before = metrics.requests(target, changed_at - BEFORE, changed_at, STEP_S)
    after = metrics.requests(target, begin, begin + AFTER, STEP_S)
    return compared(before, after, catalog.slo(target).error_ratio)


def check_serving(target: Target, compute: ComputeReads, traffic: Traffic) -> Checked:
    """Whether the platform shows that the target's traffic is where it was sent."""
    now = compute.service(target)
    if now.asked != traffic:
        return Checked(state="broken", sentence=f"somebody else set traffic to {describe(now.asked)} meanwhile")
    wanted = by_name(traffic, now)
    if now.serving == wanted:
        return Checked(state="holds", sentence=f"{describe(wanted)} serves")
    said = f"traffic was sent to {describe(wanted)}, but {describe(now.serving)} serves"
    return Checked(state="not yet", sentence=said)


def look_serving(traffic: Traffic) -> Step:
    """The step that looks whether traffic arrived; the operation has a `check_serving`."""
    return Step(
        kind="check",
        verb="serving",
        args={"traffic": dict(traffic)},
        title="see that it serves",
        deadline_s=ARRIVE_WITHIN_S,
        if_broken="report",
    )


ERRORS_AFTER = Step(kind="judge", verb="errors", title="compare errors before and after", deadline_s=JUDGE_WITHIN_S)


def shifted(operation: Rollout, now: ServiceState, traffic: Traffic, compute: ComputeReads, title: str) -> Plan:
    """The plan that moves traffic, with its undo and the lines to do both by hand."""
    back = step(Compute.set_traffic, operation.service, traffic=now.asked)
    go = step(Compute.set_traffic, operation.service, traffic=traffic).undone_by(back).called(title)
    return Plan(
        target=operation.service,
        version=now.version,
        summary=f"{operation.service}: traffic to {describe(traffic)}; before: {describe(now.serving)}",
        steps=(go, look_serving(traffic)),
        afterwards=(ERRORS_AFTER,),
        by_hand=(compute.by_hand_traffic(operation.service, traffic),),
        undo_by_hand=(compute.by_hand_traffic(operation.service, now.asked),),
        facts={"traffic": dict(now.asked), "traffic_moved_pct": moved_pct(by_name(traffic, now), now)},
    )


def lasting(service: Target, catalog: Catalog) -> Iterator[str]:
    """What a shift of traffic leaves as it was for a while."""
    yield from still_open(service, catalog)
    if cdn := str(getattr(catalog.entry(service), "cdn", "")):
        purge = PURGES.get(catalog.environment(service).services[cdn].type, "")
        by_hand = f"; to purge it: `{purge}`" if purge else ""
        yield f"What {cdn} has cached is still served until it expires{by_hand}."


def still_open(service: Target, catalog: Catalog) -> Iterator[str]:
    """Of connections that outlive a change of release, where the catalog knows that there are any."""
    if getattr(catalog.entry(service), "websockets", None) is not None:
        yield "Open WebSocket connections stay on the release that they are on until they close."


def left_behind(plan: Plan, catalog: Catalog) -> tuple[str, ...]:
    """What a plan that shifts traffic leaves as it was for a while; nothing where none moves."""
    return tuple(lasting(plan.target, catalog)) if plan.facts.get("traffic_moved_pct") else ()


def moved_pct(wanted: Traffic, now: ServiceState) -> int:
    """Percent of the traffic that another release than now would get; `wanted` is by name."""
    return 100 - sum(min(share, now.serving.get(name, 0)) for name, share in wanted.items())


def still(service: Target, now: ServiceState) -> None:
    """Raises UserError while a change of the service is being rolled out: what a new one would find is not known."""
    if now.busy:
        raise UserError(
            f"{service} is still rolling out a change; ask again when it is done."
            f" In an emergency do not wait: `rollback {service}` replaces it."
        )


def existing(service: Target, wanted: str, releases: Sequence[Release]) -> Release:
    """The release of that name. Raises UserError with the nearest names, else with the newest."""
    known = {release.name: release for release in releases}
    if wanted in known:
        return known[wanted]
    names = near(wanted, known)
    newest = f" Its newest: {', '.join(list(known)[:5])}." if known and not names else ""
    raise UserError(f"{service} has no release `{shown(wanted)}`.{did_you_mean(names)}{newest}", choices=names)


def by_name(traffic: Traffic, now: ServiceState) -> Traffic:
    """A split with LATEST as the release that it means now; releases without traffic are left out."""
    named: Traffic = {}
    for name, share in traffic.items():
        release = now.latest_ready if name == LATEST and now.latest_ready else name
        named[release] = named.get(release, 0) + share
    return {name: share for name, share in named.items() if share}


def compared(before: tuple[Requests, ...], after: tuple[Requests, ...], error_ratio: float) -> Checked:
    """ "Errors fell from … to …", or that they did not; `error_ratio` is what the objective allows, 0..1."""
    (were, known), (are, enough) = _rate(before), _rate(after)
    allowed, numbers = f"{percent(error_ratio)} allowed", f"{percent(were)} to {percent(are)}"
    if not enough:
        return Checked(state="unknown", sentence="Too few requests since to compare errors.")
    if not known:
        said = f"Errors are {percent(are)} ({allowed}); there were too few requests before to compare."
        return Checked(state="holds" if are <= error_ratio else "broken", sentence=said)
    if are <= error_ratio:
        said = f"Errors fell from {numbers}." if were > error_ratio else f"Errors stayed low ({numbers})."
        return Checked(state="holds", sentence=said)
    if are < were / 2:
        return Checked(state="holds", sentence=f"Errors fell from {numbers}, still more than the {allowed}.")
    if were <= error_ratio:
        return Checked(state="broken", sentence=f"Errors rose from {numbers}: look at what serves now.")
    return Checked(state="broken", sentence=f"Errors did not fall ({numbers}): the release is probably not the cause.")


def _rate(counted: tuple[Requests, ...]) -> tuple[float, bool]:
    total = sum(one.total for one in counted)
    return (sum(one.errors for one in counted) / total if total else 0.0), total >= ENOUGH
