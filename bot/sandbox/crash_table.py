"""The crash matrix as people read it: a table in the terminal, a page for docs/."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from bot.sandbox.crash_case import Result

NOT_REACHED = "each time the run took another way (edits of a message that come fast are left out)."
Matrix = dict[str, dict[str, Sequence[Result]]]  # by operation and database
HEAD = """\
# Killed anywhere

What becomes of an operation when the bot is killed with SIGKILL at each of its boundaries: before and after each
commit, ours and the durable library's (named by the tables that it writes), and at the calls to the cloud (before
it acts, after it committed, after it answered). Another process finishes; on PostgreSQL it is a second replica that
runs already. A row is right when each change that the story makes of the cloud was made exactly once and in its order,
what was asked for serves (after a release that went back, the one before), the audit chain is whole and tells the
story, the channel has one message that says so, and no mutex, lease or work is left behind. The time is from the crash
until nothing is left to do.

Made by `aisq sandbox crash-matrix --database sqlite --database postgres --page docs/crash-matrix.md`.
"""


def show(results: Sequence[Result], operation: str, where: str, console: Console) -> None:
    """The table, and what it comes to; `where` is the database."""
    table = Table(box=None, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("quiet after", no_wrap=True, justify="right")
    table.add_column("killed", overflow="fold")
    for one in results:
        verdict = "[bold red]WRONG[/]" if one.wrong else "[green]right[/]"
        table.add_row(verdict, f"{one.recovery_s:.1f} s", "\n".join(_row(one)))
    console.print(table)
    missed = sum(not one.reached for one in results)
    console.print(f"\n{summed_up(results, operation, where)}")
    if missed:
        console.print(f"{missed} not reached: {NOT_REACHED}")
    console.print()


def summed_up(results: Sequence[Result], operation: str, where: str) -> str:
    """One sentence."""
    bad = sum(bool(one.wrong) for one in results)
    return f"{len(results)} crashes of `{operation}` on {where}: {len(results) - bad} right, {bad} wrong."


def page(matrix: Matrix) -> str:
    """Markdown: for each operation what it comes to, and a row for each boundary."""
    return "\n".join([HEAD, *(line for operation, tables in matrix.items() for line in _chapter(operation, tables))])


def _chapter(operation: str, tables: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    yield f"## {operation}\n"
    for where, results in tables.items():
        times = [one.recovery_s for one in results if one.reached]
        took = f" Quiet after {median(times):.1f} s in the middle, {max(times):.1f} s at most." if times else ""
        yield f"* {summed_up(results, operation, where)}{took}"
    yield f"\n| killed | {' | '.join(tables)} |\n|---|{'---:|' * len(tables)}"
    cells = {where: {_place(one): _cell(one) for one in results} for where, results in tables.items()}
    for place in dict.fromkeys(place for column in cells.values() for place in column):
        yield f"| {place} | {' | '.join(column.get(place, '') for column in cells.values())} |"
    yield ""


def _cell(one: Result) -> str:
    if not one.reached:
        return "not reached" if not one.wrong else f"WRONG: {'; '.join(one.wrong)}"
    return f"WRONG: {'; '.join(one.wrong)}" if one.wrong else f"{one.recovery_s:.1f} s"


def _row(one: Result) -> Iterator[str]:
    """Where, unless it is plain what became of the updates in the cloud, and what was wrong."""
    fates = "" if one.fates == ("committed",) else f"  [dim]updates: {', '.join(one.fates) or 'none'}[/]"
    yield _place(one) + fates + ("" if one.reached else "  [yellow]not reached[/]")
    yield from (f"  [red]{wrong}[/]" for wrong in one.wrong)


def _place(one: Result) -> str:
    return str(one.boundary).replace("+audit_ends", "")  # the audit's own end goes with each of its links
