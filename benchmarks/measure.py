"""What was measured, beside its floor, and whether an aim was met."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel, computed_field

T = TypeVar("T")


class Spread(BaseModel, frozen=True):
    """Several measurements of one thing."""

    median: float
    low: float
    high: float
    count: int


class Row(BaseModel, frozen=True):
    """One figure. `floor` is the same job done by the least that could do it; `met` is None where there is no aim."""

    what: str
    unit: str
    ours: Spread
    floor: Spread | None = None
    floor_is: str = ""
    aim: str = ""
    met: bool | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """Of the medians."""
        return self.ours.median / self.floor.median if self.floor and self.floor.median else None

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "missed"}[self.met]


class Grid(BaseModel, frozen=True):
    """Many figures of one kind, each with its unit."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def spread(values: Iterable[float]) -> Spread:
    """Raises ValueError when there are none."""
    found = sorted(values)
    if not found:
        raise ValueError("nothing was measured")
    return Spread(median=statistics.median(found), low=found[0], high=found[-1], count=len(found))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def elapsed_ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def alternating(rounds: int, *calls: Callable[[], T]) -> list[list[T]]:
    """What each call gave, round after round; every second round goes the other way, so that no one is always first."""
    given: list[list[T]] = [[] for _ in calls]
    for number in range(rounds):
        order = range(len(calls)) if number % 2 == 0 else reversed(range(len(calls)))
        for index in order:
            given[index].append(calls[index]())
    return given


def beside(
    what: str, unit: str, ours: Iterable[float], floor: Iterable[float], floor_is: str, *, at_most: float | None = None
) -> Row:
    """A figure beside its floor; `at_most` is how many times the floor it may be."""
    row = Row(what=what, unit=unit, ours=spread(ours), floor=spread(floor), floor_is=floor_is)
    if at_most is None or row.ratio is None:
        return row
    return row.model_copy(update={"aim": f"≤ {at_most:g}x", "met": row.ratio <= at_most})


def alone(what: str, unit: str, ours: Iterable[float], *, below: float | None = None) -> Row:
    """A figure that has no floor; all of it shall stay below `below`."""
    row = Row(what=what, unit=unit, ours=spread(ours))
    if below is None:
        return row
    return row.model_copy(update={"aim": f"< {below:,g} {unit}", "met": row.ours.high < below})


def same(what: str, unit: str, ours: Iterable[float], wanted: Iterable[float], wanted_is: str) -> Row:
    """A count that shall equal another in every round."""
    mine, theirs = list(ours), list(wanted)
    row = Row(what=what, unit=unit, ours=spread(mine), floor=spread(theirs), floor_is=wanted_is)
    return row.model_copy(update={"aim": "the same", "met": mine == theirs})
