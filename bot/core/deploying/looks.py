"""What a deploy looks at while it runs: that its release starts, that nobody else changed the service, and that the
newest release is its own when traffic follows it."""

from datetime import timedelta

from bot.core.errors import NotFound
from bot.core.plan import Checked, Moment, Step
from bot.core.ports import LATEST, ComputeReads, ServiceState, Traffic
from bot.core.request import Target
from bot.core.rollout import ARRIVE_WITHIN_S
from bot.core.system import LedgerReads
from bot.core.traffic import describe

STARTS_WITHIN_S = 900
LOOK_EVERY = timedelta(seconds=2)
FOLLOWING: Traffic = {LATEST: 100}


def look_ready(release: str) -> Step:
    """The step that waits until a release could serve; the operation has a `check_ready`."""
    return Step(
        kind="check",
        verb="ready",
        args={"release": release},
        title=f"see that {release} starts",
        deadline_s=STARTS_WITHIN_S,
    )


def check_ready(
    target: Target, release: str, compute: ComputeReads, ledger: LedgerReads, operation: str, moment: Moment
) -> Checked:
    """Whether a release started, once; one that does not never gets traffic."""
    now = compute.service(target)
    if said := changed_by_others(now, ledger, operation):
        return Checked(state="broken", sentence=said)
    again = moment.now + LOOK_EVERY
    try:
        made = compute.release_named(target, release)
    except NotFound:
        return Checked(state="not yet", sentence=f"{release} is not there yet", look_again_at=again)
    if made.ready:
        return Checked(state="holds", sentence=f"{release} is ready")
    if now.trouble and not now.busy:
        return Checked(state="broken", sentence=f"{release} does not start: {made.reason or now.trouble}")
    return Checked(state="not yet", sentence=f"{release} is not ready: {made.reason}", look_again_at=again)


def look_followed(release: str) -> Step:
    """The step that looks whether traffic follows the newest release, and that is this one; the operation has a
    `check_followed`."""
    return Step(
        kind="check",
        verb="followed",
        args={"release": release},
        title="see that it serves",
        deadline_s=ARRIVE_WITHIN_S,
        if_broken="report",
    )


def check_followed(target: Target, release: str, compute: ComputeReads) -> Checked:
    """Whether traffic follows the newest release, and that is this one: what is asked for does not say which it is."""
    now = compute.service(target)
    if now.asked != FOLLOWING:
        return Checked(state="broken", sentence=f"somebody else set traffic to {describe(now.asked)} meanwhile")
    if now.latest_ready != release and not now.busy:
        newest = f"the newest ready release is {now.latest_ready or 'unknown'}, not {release}"
        return Checked(state="broken", sentence=f"traffic follows the newest release, but {newest}")
    if now.serving == {release: 100}:
        return Checked(state="holds", sentence=f"{release} 100 % serves")
    said = f"traffic was sent to {release} 100 %, but {describe(now.serving)} serves"
    return Checked(state="not yet", sentence=said)


def changed_by_others(now: ServiceState, ledger: LedgerReads, operation: str) -> str:
    """What somebody else changed since the operation's last write, as a sentence; empty when nobody did."""
    left_at = [one.version for one in ledger.effects(operation) if one.ending == "succeeded"]
    if now.version in left_at[-1:]:
        return ""
    who = now.changed_by or "somebody"
    return f"{who} changed the service meanwhile: traffic is asked to be {describe(now.asked)}"
