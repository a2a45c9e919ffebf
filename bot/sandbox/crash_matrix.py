"""Kill the bot at every boundary of an operation, let another one finish, and look what came of it.

Boundaries are the commits of the bot and of its durable library (named by the tables that they write, see launcher)
and the calls that reach the cloud (before it acts, after it committed, after it answered). Nobody keeps a list: one
run without a crash is traced, and every boundary of that trace is killed once.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.sandbox.crash_case import Boundary, Case, Result
from bot.sandbox.crash_town import Town, town
from bot.sandbox.postgres import PostgresProcess

STORIES = ("rollback",)
TRIES = 3
# What goes on whether or not anybody asks: a crash there is a crash between two boundaries of the operation.
BACKGROUND = re.compile(r"^\w+ (leases|serving|queues|workflow_status) #")
WHENS = ("before", "after_commit", "after_answer")
# Only whoever comes after a crash looks for what was begun; so that look is killed in a second life.
LOST = Boundary(method="UpdateService", when="after_commit")
ADOPTION = "ListOperations"
NOT_REACHED = "each time the run took another way (edits of a message that come fast are left out)."


def boundaries(here: Town) -> list[Boundary]:
    """All of them, from one run without a crash. Raises RuntimeError if even that went wrong."""
    trace = here.folder / "trace"
    trace.unlink(missing_ok=True)
    seen = len(here.cloud.calls())
    result = Case(here, trace=trace).play()
    if result.wrong:
        said = "; ".join(result.wrong)
        raise RuntimeError(f"the story went wrong without a crash: {said}\n{here.bot.log_end()}")
    commits = [line for line in dict.fromkeys(trace.read_text().splitlines()) if not BACKGROUND.match(line)]
    return [*(Boundary(commit=one) for one in commits), *_calls(here.cloud.calls(since=seen))]


def _calls(calls: Sequence[dict[str, Any]]) -> Iterator[Boundary]:
    """Every method, before it acts and after it answered, and between the two if it changes anything."""
    changing = {call["method"] for call in calls if call["committed"]}
    for method in sorted({call["method"] for call in calls if call["api"] != "console"}):
        yield from (Boundary(method=method, when=one) for one in WHENS if one != "after_commit" or method in changing)
    for when in ("before", "after_answer"):
        yield Boundary(method=LOST.method, when=LOST.when, then=Boundary(method=ADOPTION, when=when))


def crash(here: Town, boundary: Boundary) -> Result:
    """Kill at one boundary; again when the run took another way and never came there."""
    for _ in range(TRIES):
        result = Case(here, boundary).play()
        if result.reached or result.wrong:
            break
    return result


def crash_all(towns: Sequence[Town], todo: Sequence[Boundary]) -> Iterator[Result]:
    """Kill at each, in several towns at once; the results come in the order of `todo`."""
    free: SimpleQueue[Town] = SimpleQueue()
    for one in towns:
        free.put(one)

    def somewhere(boundary: Boundary) -> Result:
        here = free.get()
        try:
            return crash(here, boundary)
        finally:
            free.put(here)

    with ThreadPoolExecutor(len(towns)) as pool:
        yield from pool.map(somewhere, todo)


def show(results: Sequence[Result], where: str, console: Console) -> None:
    """The table, and what it comes to; `where` is the database."""
    table = Table(box=None, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("quiet after", no_wrap=True, justify="right")
    table.add_column("killed", overflow="fold")
    for one in results:
        verdict = "[bold red]WRONG[/]" if one.wrong else "[green]right[/]"
        table.add_row(verdict, f"{one.recovery_s:.1f} s", "\n".join(_row(one)))
    console.print(table)
    bad, missed = sum(bool(one.wrong) for one in results), sum(not one.reached for one in results)
    console.print(f"\n{len(results)} crashes of a rollback on {where}: {len(results) - bad} right, {bad} wrong.")
    if missed:
        console.print(f"{missed} not reached: {NOT_REACHED}")


def _row(one: Result) -> Iterator[str]:
    """Where, unless it is plain what became of the updates in the cloud, and what was wrong."""
    place = str(one.boundary).replace("+audit_ends", "")  # the audit's own end goes with each of its links
    fates = "" if one.fates == ("committed",) else f"  [dim]updates: {', '.join(one.fates) or 'none'}[/]"
    yield place + fates + ("" if one.reached else "  [yellow]not reached[/]")
    yield from (f"  [red]{wrong}[/]" for wrong in one.wrong)


def main(operation: str, database: str, every: int, workers: int) -> int:
    """Print the table; 0 if every row is right, 2 if there is no such story."""
    console = Console(highlight=False)
    if operation not in STORIES:
        console.print(f"There is no story for {operation!r}; write {' or '.join(STORIES)}.", markup=False)
        return 2
    try:
        where, results = _run(console, database, every, workers)
    except RuntimeError as broken:
        console.print(str(broken), markup=False)
        return 1
    show(results, where, console)
    return int(any(result.wrong for result in results))


def _run(console: Console, database: str, every: int, workers: int) -> tuple[str, list[Result]]:
    with ExitStack() as stack, Progress(console=console, transient=True) as progress:
        bar = progress.add_task("a run without a crash", total=None)
        server = stack.enter_context(PostgresProcess()).databases if database == "postgres" else None
        towns = [stack.enter_context(town(server)) for _ in range(workers)]
        todo = boundaries(towns[0])[::every]
        progress.remove_task(bar)
        results = progress.track(crash_all(towns, todo), total=len(todo), description="crashes")
        return towns[0].title, list(results)
