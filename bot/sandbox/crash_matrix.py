"""Kill the bot at every boundary of an operation, let another one finish, and look what came of it.

Boundaries are the commits of the bot and of its durable library (named by the tables that they write, see launcher)
and the calls that reach the cloud (before it acts, after it committed, after it answered). Nobody keeps a list: runs
without a crash are traced, and every boundary that each of them came by is killed once.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bot.sandbox import crash_table
from bot.sandbox.crash_case import Boundary, Case, Result
from bot.sandbox.crash_table import Matrix
from bot.sandbox.crash_town import Town, town
from bot.sandbox.incident import NotHappened
from bot.sandbox.postgres import PostgresProcess
from bot.sandbox.story import Story, stories

TRIES = 2
# What goes on whether or not anybody asks: a crash there is a crash between two boundaries of the operation.
BACKGROUND = re.compile(r"^\w+ (leases|serving|replies|queues|workflow_status) #")
WHENS = ("before", "after_commit", "after_answer")
# Only whoever comes after a crash looks for what was begun; so that look is killed in a second life.
LOST = Boundary(method="UpdateService", when="after_commit")
ADOPTION = "ListOperations"


def boundaries(here: Town, story: Story) -> list[Boundary]:
    """All that runs without a crash come by. Raises NotHappened if even one of them goes wrong."""
    found = _traced(here, story)
    if not story.then:
        return found
    again = set(_traced(here, story))  # how often a stage is looked at is not the same in every run
    return [one for one in found if one in again]


def _traced(here: Town, story: Story) -> list[Boundary]:
    trace = here.folder / "trace"
    trace.unlink(missing_ok=True)
    case = Case(here, story, trace=trace)
    if found := case.play().wrong:
        raise NotHappened(f"the story went wrong without a crash: {'; '.join(found)}\n{here.bot.log_end()}")
    commits = [line for line in dict.fromkeys(trace.read_text().splitlines()) if not BACKGROUND.match(line)]
    return [*(Boundary(commit=one) for one in commits), *_calls(case.calls())]


def _calls(calls: Sequence[dict[str, Any]]) -> Iterator[Boundary]:
    """Every method, before it acts and after it answered; of those that change anything each call, and between too."""
    changing = Counter(call["method"] for call in calls if call["committed"])
    for method in sorted({call["method"] for call in calls}):
        whens = [one for one in WHENS if one != "after_commit" or method in changing]
        for nth in range(1, max(1, changing[method]) + 1):
            yield from (Boundary(method=method, nth=nth, when=one) for one in whens)
    for when in ("before", "after_answer") if LOST.method in changing else ():
        yield Boundary(method=LOST.method, when=LOST.when, then=Boundary(method=ADOPTION, when=when))


def crash(here: Town, story: Story, boundary: Boundary) -> Result:
    """Kill at one boundary; again when the run took another way and never came there."""
    for _ in range(TRIES):
        result = Case(here, story, boundary).play()
        if result.reached or result.wrong:
            break
    return result


def crash_all(towns: Sequence[Town], story: Story, todo: Sequence[Boundary]) -> Iterator[Result]:
    """Kill at each, in several towns at once; the results come in the order of `todo`."""
    free: SimpleQueue[Town] = SimpleQueue()
    for one in towns:
        free.put(one)

    def somewhere(boundary: Boundary) -> Result:
        here = free.get()
        try:
            return crash(here, story, boundary)
        finally:
            free.put(here)

    with ThreadPoolExecutor(len(towns)) as pool:
        yield from pool.map(somewhere, todo)


def main(operations: Sequence[str], databases: Sequence[str], every: int, workers: int, page: str) -> int:
    """Print the tables, and write them to the file `page`, if any; 0 if every row is right, 2 if there is no story."""
    console, told = Console(highlight=False), stories()
    if unknown := [name for name in operations if name not in told]:
        console.print(f"There is no story for {unknown[0]!r}; write {', '.join(told)}.", markup=False)
        return 2
    chosen = {name: story for name, story in told.items() if not operations or name in operations}
    matrix: Matrix = {}
    try:
        for database in databases:
            for operation, where, results in _run(console, chosen, database, every, workers):
                crash_table.show(results, operation, where, console)
                matrix.setdefault(operation, {})[where] = results
                if page:  # it takes an hour: what is done is kept
                    Path(page).write_text(crash_table.page(matrix))
    except NotHappened as broken:
        console.print(str(broken), markup=False)
        return 1
    return int(any(one.wrong for tables in matrix.values() for results in tables.values() for one in results))


def _run(
    console: Console, chosen: Mapping[str, Story], database: str, every: int, workers: int
) -> Iterator[tuple[str, str, list[Result]]]:
    """(operation, database, rows), each when it is done."""
    with ExitStack() as stack, Progress(console=console, transient=True) as progress:
        server = stack.enter_context(PostgresProcess()).databases if database == "postgres" else None
        towns = [stack.enter_context(town(server)) for _ in range(workers)]
        for operation, story in chosen.items():
            bar = progress.add_task(f"{operation}: a run without a crash", total=None)
            todo = boundaries(towns[0], story)[::every]
            progress.remove_task(bar)
            killed = crash_all(towns, story, todo)
            shown = progress.track(killed, total=len(todo), description=f"{operation}: crashes")
            yield operation, towns[0].title, list(shown)
