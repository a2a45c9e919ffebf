"""How a release gets its traffic: stages of weights, how long each is watched, and what it takes to go on."""

from datetime import timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel

from bot.core.errors import UserError
from bot.core.promises import Delivery, Stages, Strategy
from bot.core.stages import Stage
from bot.core.units import duration_text

GoesOn = Literal["by evidence", "in time", "at once"]
MAX_HOLD_S, WARM_UP_S = 14_400, 60
FIRST_PCT = 5  # at most, where little of an error budget is left
SHORTEST_S = 60  # monitoring counts by the minute


class Usual(NamedTuple):
    """A strategy, where neither the catalog nor the request says otherwise."""

    weights_pct: tuple[int, ...]
    bake_s: int
    watch_s: int
    goes_on: GoesOn
    tag: str = ""


USUAL: dict[Strategy, Usual] = {
    "canary": Usual((10, 25, 50, 100), 600, 1800, "by evidence"),
    "rolling": Usual((25, 50, 75, 100), 120, 600, "in time"),
    "blue-green": Usual((100,), 600, 600, "in time", tag="green"),
    "all-at-once": Usual((100,), 600, 600, "at once"),
}


class Course(BaseModel, frozen=True):
    """What a release goes through.

    "by evidence": a stage is left when the judge knows that the release is good enough for the next; "in time": after
    its bake, unless the judge has something against it; "at once": there is nothing to watch. `tag` is a preview tag.
    """

    strategy: Strategy
    weights_pct: tuple[int, ...]
    bake_s: int
    watch_s: int
    warm_up_s: int
    max_hold_s: int
    goes_on: GoesOn
    tag: str = ""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """As people approve them."""
        if self.goes_on == "at once":
            return ()
        return tuple(
            Stage(weight_pct=weight, bake_s=self.bakes_s(weight), max_hold_s=self.max_hold_s)
            for weight in self.weights_pct
        )

    def smaller(self) -> "Course":
        """With at most 5 % first where there are stages of some of the traffic, and each watched for twice as long."""
        first = (FIRST_PCT,) if FIRST_PCT < self.weights_pct[0] < 100 else ()
        longer = {"bake_s": 2 * self.bake_s, "watch_s": 2 * self.watch_s}
        return self.model_copy(update={"weights_pct": (*first, *self.weights_pct), **longer})

    def bakes_s(self, weight_pct: int) -> int:
        """How long a stage is watched at least."""
        return self.watch_s if weight_pct == 100 else self.bake_s


def course(
    delivery: Delivery | None, strategy: Strategy | None, weights_pct: tuple[int, ...] | None, bake: timedelta | None
) -> Course:
    """What is asked for, else what the catalog has, else what is usual. Raises UserError for what does not fit."""
    chosen = strategy or (delivery.strategy if delivery else "canary")
    usual = USUAL[chosen]
    if usual.goes_on == "at once" and (weights_pct or bake):
        raise UserError("`all-at-once` has no stages: leave --weights and --bake out, or take another strategy.")
    declared = delivery.stages if delivery and delivery.stages and chosen == delivery.strategy else Stages()
    made = Course(
        strategy=chosen,
        weights_pct=weights_pct or declared.weights_pct or usual.weights_pct,
        bake_s=_seconds(bake or declared.bake, usual.bake_s),
        watch_s=_seconds(bake or declared.watch, usual.watch_s),
        warm_up_s=_seconds(declared.warm_up, WARM_UP_S),
        max_hold_s=_seconds(declared.max_hold, MAX_HOLD_S),
        goes_on=usual.goes_on,
        tag=usual.tag,
    )
    if min(made.bake_s, made.watch_s) < SHORTEST_S:
        shortest = duration_text(timedelta(seconds=min(made.bake_s, made.watch_s)))
        raise UserError(f"A stage of {shortest} is too short: monitoring counts by the minute. Write 1m or more.")
    return made


def _seconds(said: timedelta | None, usual: int) -> int:
    return usual if said is None else round(said.total_seconds())
