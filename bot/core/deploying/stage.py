"""One stage of a rollout: the traffic that it gives, and the steps that give and watch it."""

from datetime import timedelta

from pydantic import BaseModel

from bot.core.deploying.course import Course, GoesOn
from bot.core.plan import Step
from bot.core.ports import Traffic
from bot.core.traffic import merge
from bot.core.units import duration_text


class Watched(BaseModel, frozen=True):
    """What the check of a stage must know."""

    release: str
    stable: str
    weight_pct: int
    weights_pct: tuple[int, ...]
    bake_s: int
    watch_s: int  # of the last one, with all traffic
    warm_up_s: int
    goes_on: GoesOn

    @property
    def traffic(self) -> Traffic:
        return shared(self.release, self.stable, self.weight_pct)


def shared(release: str, stable: str, weight_pct: int) -> Traffic:
    """The split in which a release has so much, and the stable one the rest."""
    return merge([(release, weight_pct), (stable, 100 - weight_pct)])


def look_judged(release: str, stable: str, weight_pct: int, course: Course) -> Step:
    """The step that watches a stage; the operation has a `check_judged`."""
    bake_s = course.bakes_s(weight_pct)
    watched = Watched(
        release=release,
        stable=stable,
        weight_pct=weight_pct,
        weights_pct=course.weights_pct,
        bake_s=course.bake_s,
        watch_s=course.watch_s,
        warm_up_s=course.warm_up_s,
        goes_on=course.goes_on,
    )
    return Step(
        kind="check",
        verb="judged",
        args={"watched": watched.model_dump(mode="json")},
        title=f"watch {weight_pct} % for {duration_text(timedelta(seconds=bake_s))} or longer",
        deadline_s=bake_s + course.max_hold_s,
        if_late="ask",
    )
