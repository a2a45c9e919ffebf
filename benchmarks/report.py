"""A run as a table, as JSON, and as docs/benchmarks.md."""

import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Grid, Row, Spread

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
COLUMNS = ("what", "ours", "floor", "ratio", "aim", "")
INTRODUCTION = """\
# Benchmarks

Written by the command below; every number is from that one run. A *floor* is the same job done by the least that could
do it, measured in the same run, in turns with ours. A figure is a median, and in brackets the lowest and the highest of
its rounds. Ratios say more than milliseconds: those are this machine's.
"""


class Machine(BaseModel, frozen=True):
    """Where it ran."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    load_before: float  # of the minute before the run: what others did on this machine


class Run(BaseModel, frozen=True):
    """What one run gave, by question; `left_out` says what could not be measured, and why."""

    command: str
    began: datetime
    took_s: float
    machine: Machine
    questions: dict[str, list[Row]]
    tables: dict[str, list[Grid]] = {}
    about: dict[str, str] = {}  # what each question says of itself
    left_out: list[str] = []

    @property
    def missed(self) -> list[Row]:
        return [row for rows in self.questions.values() for row in rows if row.met is False]


def machine() -> Machine:
    """This one, now."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load_before=round(os.getloadavg()[0], 2),
    )


def show(run: Run, console: Console) -> None:
    """All of it as tables, then in one sentence how many aims were missed."""
    for name, rows in run.questions.items():
        table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in COLUMNS:
            table.add_column(column, justify="left" if column in ("what", "floor", "aim", "") else "right")
        for row in rows:
            style = {None: "", True: "green", False: "bold red"}[row.met]
            table.add_row(*_cells(row), style=style if row.met is False else "")
        console.print(table)
        console.print()
        for grid in run.tables.get(name, []):
            _show_grid(grid, console)
    for line in run.left_out:
        console.print(f"Left out: {line}", markup=False)
    console.print(summary(run), markup=False)


def _show_grid(grid: Grid, console: Console) -> None:
    table = Table(title=grid.title, title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(grid.columns):
        table.add_column(column, justify="right" if index else "left")
    for cells in grid.rows:
        table.add_row(*cells)
    console.print(table)
    console.print()


def summary(run: Run) -> str:
    aimed = sum(row.met is not None for rows in run.questions.values() for row in rows)
    missed = ", ".join(row.what for row in run.missed)
    return f"{aimed - len(run.missed)} of {aimed} aims met" + (f"; missed: {missed}." if missed else ".")


def page(run: Run) -> str:
    """docs/benchmarks.md."""
    return "\n".join(_page(run)) + "\n"


def _page(run: Run) -> Iterator[str]:
    host = run.machine
    yield INTRODUCTION
    yield "| | |\n|---|---|"
    yield f"| command | `{run.command}` |"
    yield f"| began | {run.began.astimezone(UTC):%Y-%m-%d %H:%M} UTC, took {run.took_s / 60:.1f} min |"
    yield f"| machine | {host.processor}, {host.cores} cores, {host.memory_gib:g} GiB, {host.system} |"
    yield f"| Python | {host.python} |"
    yield f"| load before | {host.load_before:g} |"
    yield f"\n{summary(run)}"
    for line in run.left_out:
        yield f"\nLeft out: {line}"
    for name, rows in run.questions.items():
        yield f"\n## {name}\n\n{run.about.get(name, '')}\n\n| {' | '.join(COLUMNS)} |\n|---|--:|---|--:|---|---|"
        yield from (f"| {' | '.join(_cells(row))} |" for row in rows)
        for grid in run.tables.get(name, []):
            yield f"\n{grid.title}:\n\n| {' | '.join(grid.columns)} |\n|---|{'--:|' * (len(grid.columns) - 1)}"
            yield from (f"| {' | '.join(cells)} |" for cells in grid.rows)


def _cells(row: Row) -> tuple[str, ...]:
    floor = f"{_shown(row.floor, row.unit)} {row.floor_is}" if row.floor else ""
    ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
    return row.what, _shown(row.ours, row.unit), floor, ratio, row.aim, row.verdict


def _shown(found: Spread, unit: str) -> str:
    around = f" ({_number(found.low)} to {_number(found.high)})" if found.low != found.high else ""
    return f"{_number(found.median)} {unit}{around}"


def _number(value: float) -> str:
    """Three digits that count, and no more."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()
