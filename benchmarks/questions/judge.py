"""Does the judge leave good canaries alone and find bad ones, beside the rules that Flagger and Argo Rollouts show?

All judge the same requests (benchmarks/streams.py), whose seeds are fixed: on every machine the same come out. A
rollout has 10, 25, 50 and then 100 % of them, ten minutes each at least. The others' rules are those that their
documentation shows (benchmarks/rollouts.py says which); their threshold is the true share of errors and one percentage
point more, which nobody knows in advance, and they have promoted after thirty minutes. Shares are of 1,000 rollouts a
cell; brackets are the bounds of 95 % confidence. Held for 4 h: nothing was promoted or rolled back, a person decides.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Grid, Row, Spread
from benchmarks.rollouts import Ended, by_argo, by_flagger, judged
from benchmarks.streams import Scenario, Slow, stream
from bot.core.canary.bounds import wilson

RATES = (1, 10, 100)  # requests a second of the whole service
GOOD = (
    Scenario("0.1 %", 0.001),
    Scenario("1 %", 0.01),
    Scenario("0.5 %, and an outage of both for 3 min", 0.005, outage=True),
    Scenario("0.5 %, in bursts of 5", 0.005, burst=5),
    Scenario("0.5 %, in bursts of 5, and an outage of both", 0.005, burst=5, outage=True),
)
WORSE = (
    Scenario("0.1 to 1 %", 0.001, 0.01),
    Scenario("1 to 2.5 %", 0.01, 0.025),
    Scenario("1 to 5 %", 0.01, 0.05),
    Scenario("0.1 to 5 %", 0.001, 0.05),
    Scenario("0.1 to 50 %", 0.001, 0.5),
    Scenario("1 to 5 % after 15 min", 0.01, 0.05, onset=15),
    Scenario("0.5 to 5 %, in bursts of 5", 0.005, 0.05, burst=5),
    Scenario("latency x 1.5", 0.001, slower=Slow(0.0715, 0.0087)),
    Scenario("3 % of answers 2 s slower", 0.001, slower=Slow(0.0459, 0.0311)),
)
NEVER_MISSED = {"1 to 5 %", "1 to 5 % after 15 min"}
AT_MOST_PCT = 1.0
Z = 1.96
FLAGGER = "by Flagger's rule"


class Cell(NamedTuple):
    """One scenario at one rate, ended by each rule."""

    scenario: Scenario
    rps: int
    ours: Ended
    flagger: Ended
    argo: tuple[Ended, ...]

    @property
    def name(self) -> str:
        return f"{self.scenario.name}, {self.rps} rps"


def rows(runs: int = 1000, good: Sequence[Scenario] = GOOD, worse: Sequence[Scenario] = WORSE) -> list[Row | Grid]:
    cells = _cells((*good, *worse), runs)
    fine, bad = ([cell for cell in cells if cell.scenario.good is kind] for kind in (True, False))
    figures = [_false(cell) for cell in fine] + [_missed(cell) for cell in bad if cell.scenario.name in NEVER_MISSED]
    return [*figures, _of_good(fine), _of_worse(bad)]


def _cells(scenarios: Sequence[Scenario], runs: int) -> list[Cell]:
    """A process a core; those with few requests first, because they wait longest for a verdict."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), get_context("spawn")) as pool:
        begun = {(one, rps): pool.submit(_cell, one, rps, runs) for rps in RATES for one in scenarios}
        return [begun[one, rps].result() for one in scenarios for rps in RATES]


def _cell(scenario: Scenario, rps: int, runs: int) -> Cell:
    requests = stream(scenario, rps, runs, seed=(2026, (*GOOD, *WORSE).index(scenario), rps))
    argo = tuple(by_argo(scenario, requests, limit) for limit in (0, 3))
    return Cell(scenario, rps, judged(requests), by_flagger(scenario, requests), argo)


def _false(cell: Cell) -> Row:
    """Good releases that were rolled back."""
    ours, flagger = _share(cell.ours.rolled_back), _share(cell.flagger.rolled_back)
    what = f"good releases rolled back: errors {cell.name}"
    row = Row(what=what, unit="%", ours=ours, floor=flagger, floor_is=FLAGGER)
    return row.model_copy(update={"aim": f"≤ {AT_MOST_PCT:g} %", "met": ours.median <= AT_MOST_PCT})


def _missed(cell: Cell) -> Row:
    ours, flagger = (_share(np.where(np.isnan(ended.rolled_back), 1.0, np.nan)) for ended in (cell.ours, cell.flagger))
    what = f"bad releases missed: errors {cell.name}"
    row = Row(what=what, unit="%", ours=ours, floor=flagger, floor_is=FLAGGER)
    return row.model_copy(update={"aim": "none", "met": ours.median == 0})


def _share(minutes: NDArray[np.float64]) -> Spread:
    """How many percent of the runs ended so, with the bounds of 95 % confidence."""
    so, runs = int(np.isfinite(minutes).sum()), len(minutes)
    low, high = wilson(so / runs, runs, Z)
    return Spread(median=100 * so / runs, low=round(100 * low, 6), high=100 * high, count=runs)


def _of_good(cells: Sequence[Cell]) -> Grid:
    """What rules do to releases that are as good as the stable one, and what waiting costs."""
    rules = ("judge (95 %)", "Flagger", "Argo, limit 0", "Argo, limit 3")
    columns = ("errors of both", "rps", *rules, "at 100 % after", "held for 4 h")
    found = tuple(
        (
            cell.scenario.name,
            str(cell.rps),
            _with_bounds(_share(cell.ours.rolled_back)),
            *(_percent(ended.rolled_back) for ended in (cell.flagger, *cell.argo)),
            _minutes(cell.ours.promoted),
            _percent(_held(cell.ours)),
        )
        for cell in cells
    )
    title = "Good releases that are rolled back, and what that costs: how long the others take (30 min is the least)"
    return Grid(title=title, columns=columns, rows=found)


def _of_worse(cells: Sequence[Cell]) -> Grid:
    """Which rules miss a release that is worse, and how soon they find it."""
    columns = ("errors", "rps", "judge", "of these promoted", "Flagger", "Argo, limit 0", "Argo, limit 3")
    found = tuple(
        (
            cell.scenario.name,
            str(cell.rps),
            _overlooked(cell.ours, cell),
            _percent(cell.ours.promoted),
            _overlooked(cell.flagger, cell),
            *("no rule" if cell.scenario.slower else _overlooked(ended, cell) for ended in cell.argo),
        )
        for cell in cells
    )
    title = "Worse releases that are missed (not rolled back), and minutes until the others are rolled back"
    return Grid(title=title, columns=columns, rows=found)


def _overlooked(ended: Ended, cell: Cell) -> str:
    """ "8 % (59 min)"; the minutes from when it became worse."""
    missed = np.where(np.isnan(ended.rolled_back), 1.0, np.nan)
    return f"{_percent(missed)} ({_minutes(ended.rolled_back - cell.scenario.onset)})"


def _held(ended: Ended) -> NDArray[np.float64]:
    return np.where(np.isnan(ended.rolled_back) & np.isnan(ended.promoted), 1.0, np.nan)


def _percent(minutes: NDArray[np.float64]) -> str:
    return f"{_share(minutes).median:.3g} %"


def _with_bounds(share: Spread) -> str:
    return f"{share.median:.3g} % ({share.low:.2g} to {share.high:.2g})"


def _minutes(found: NDArray[np.float64]) -> str:
    return f"{np.nanmedian(found):.0f} min" if np.isfinite(found).any() else "-"
