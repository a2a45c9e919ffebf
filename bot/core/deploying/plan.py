"""The plan of a release: its jobs, the release itself without traffic, its stages, and what follows the newest."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from bot.core.deploying.course import Course
from bot.core.deploying.image import SHORT
from bot.core.deploying.looks import FOLLOWING, look_followed, look_ready
from bot.core.deploying.migration import Migrating
from bot.core.deploying.stage import look_judged, shared
from bot.core.deploying.standing import Standing
from bot.core.plan import Hold, Plan, Step, Verdict, step
from bot.core.ports import Compute, ComputeReads, ServiceState, Traffic
from bot.core.request import Target
from bot.core.rollout import ERRORS_AFTER, look_serving
from bot.core.units import duration_text


class Outset(NamedTuple):
    """What a release begins with: the service now, where its traffic stands, and what is to be made."""

    target: Target
    now: ServiceState
    standing: Standing
    release: str
    image: str  # by digest
    migrating: Migrating
    tag: str = ""


def rolled_out(begins: Outset, course: Course, compute: ComputeReads) -> Plan:
    """The plan that gives the release all traffic."""
    target, standing, release = begins.target, begins.standing, begins.release
    back = None if begins.migrating.is_breaking else step(Compute.set_traffic, target, traffic=standing.traffic)
    shifts = [shared(release, standing.stable, weight) for weight in course.weights_pct]
    steps = [*_made(begins), *_staged(begins, course, back), *_followed(begins, back)]
    plan = _plan(begins, compute, steps, [*shifts, FOLLOWING])
    return plan.model_copy(
        update={
            "summary": f"{target}: {_short(begins.image)} as {release}, {_how(course)}; before: {standing.stable}",
            "afterwards": () if course.stages else (ERRORS_AFTER,),
            "stages": course.stages,
            "lets_go": True,
            "notes": (*plan.notes, *_notes(standing, course, leads_back=back is not None)),
            "undo_by_hand": (compute.by_hand_traffic(target, standing.traffic),) if back else (),
            "facts": {**plan.facts, "traffic_moved_pct": 100},
        }
    )


def left_aside(begins: Outset, compute: ComputeReads, url: str) -> Plan:
    """The plan that makes the release and gives it no traffic, only an address of its own."""
    target, standing = begins.target, begins.standing
    steps = [*_made(begins), look_serving(standing.traffic)]
    plan = _plan(begins, compute, steps, [])
    where = f"at {url}" if url else f"by its tag {begins.tag}"
    held = (f"Traffic then stays at {standing.stable}; the next deploy takes that over.",) if standing.follows else ()
    return plan.model_copy(
        update={
            "summary": f"{target}: {_short(begins.image)} as {begins.release}, without traffic; to be seen {where}",
            "hold": Hold(traffic=standing.traffic) if standing.follows else None,
            "notes": (*plan.notes, *held),
            "undo_by_hand": (compute.by_hand_traffic(target, standing.traffic),),
            "facts": {**plan.facts, "traffic_moved_pct": 0},
        }
    )


def _plan(begins: Outset, compute: ComputeReads, steps: list[Step], shifts: list[Traffic]) -> Plan:
    target, tag = begins.target, begins.tag
    taken = begins.now.tags.get(tag) if tag else None
    return Plan(
        target=target,
        version=begins.now.version,
        steps=tuple(steps),
        verdict=Verdict(findings=begins.migrating.findings),
        by_hand=(
            *begins.migrating.by_hand,
            compute.by_hand_release(target, begins.release, begins.image, tag),
            *(compute.by_hand_traffic(target, traffic) for traffic in shifts),
        ),
        notes=(
            *begins.migrating.notes,
            *([f"The preview tag {tag} moves here from {taken}."] if taken else []),
        ),
        facts={"traffic": dict(begins.now.asked), "image": begins.image},
    )


def _made(begins: Outset) -> Iterator[Step]:
    """Jobs, then the release; traffic stays where it is by name, or the newest release would be this one."""
    yield from begins.migrating.steps
    made = step(
        Compute.release,
        begins.target,
        name=begins.release,
        image=begins.image,
        traffic=begins.standing.traffic,
        tag=begins.tag,
        labels=begins.migrating.labels or None,
    )
    yield made.called(f"make release {begins.release}").model_copy(update={"may_stay": True})
    yield look_ready(begins.release)


def _staged(begins: Outset, course: Course, back: Step | None) -> Iterator[Step]:
    """Each stage goes back to where all of them began, by one write."""
    for weight in course.weights_pct:
        traffic = shared(begins.release, begins.standing.stable, weight)
        go = step(Compute.set_traffic, begins.target, traffic=traffic)
        yield _undone(go, back).called(f"send {weight} % to {begins.release}")
        if course.stages:
            yield look_judged(begins.release, begins.standing.stable, weight, course)
        else:
            yield look_serving(traffic)


def _followed(begins: Outset, back: Step | None) -> Iterator[Step]:
    go = step(Compute.set_traffic, begins.target, traffic=FOLLOWING)
    yield _undone(go, back).called("let traffic follow the newest release again")
    yield look_followed(begins.release)


def _undone(go: Step, back: Step | None) -> Step:
    return go.undone_by(back) if back else go


def _how(course: Course) -> str:
    weights = ", ".join(map(str, course.weights_pct))
    return course.strategy if len(course.weights_pct) == 1 else f"{course.strategy} {weights} %"


def _notes(standing: Standing, course: Course, *, leads_back: bool) -> Iterator[str]:
    if course.stages:
        hold = duration_text(timedelta(seconds=course.max_hold_s))
        yield f"A stage that is not decided {hold} after its time waits for a person, for as long as that takes."
    if standing.taken_over:
        yield f"Traffic is {standing.taken_over}; that ends with this release."
    if leads_back and standing.stays_pinned:
        yield f"If it goes back, traffic stays pinned to {standing.stable}; the next deploy needs `--unpin` too."
    elif leads_back:
        yield f"If it goes back, traffic stays at {standing.stable} by name; the next deploy takes that over."
    else:
        yield "Nothing leads back from it: whatever stops it leaves traffic where it is by then."


def _short(image: str) -> str:
    """ "backend@sha256:0123456789ab" """
    name, _, digest = image.rpartition("/")[2].partition("@")
    return f"{name}@{digest[:SHORT]}"
