"""A soak as people read it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.sandbox.soak_view import Recovery

NAMES = re.compile(r"\b(?:soak/prod/)?s\d\d(?:-\w+)*\b|`[^`]*`|'[^']*'")
BEGINNING = 80  # characters


@dataclass
class Result:
    """What came of it; `wrong` is by check, and empty lists when all is right."""

    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    recoveries: Sequence[Recovery] = ()
    deliveries: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    quiet_after_s: float = 0.0

    @property
    def is_right(self) -> bool:
        return not any(self.wrong.values())


def alike(said: str) -> str:
    """What sentences have in common that differ in names and numbers alone: their beginning."""
    return NAMES.sub("…", said).partition(" (")[0][:BEGINNING]


def show(result: Result, console: Console) -> None:
    """The summary as tables."""
    _table(console, "operations", [(state, str(count)) for state, count in result.outcomes.most_common()])
    _table(console, "why they failed", [(why, str(count)) for why, count in result.failures.most_common()])
    _table(console, "deliveries", [(what, str(count)) for what, count in result.deliveries.items()])
    _table(console, "refusals", [(why, str(count)) for why, count in result.refusals.most_common()])
    kinds = Counter(one.kind for one in result.recoveries)
    _table(console, "kills", [(kind, f"{count}  {_times(result, kind)}") for kind, count in kinds.most_common()])
    _table(console, "checks", [(name, "[bold red]WRONG[/]" if bad else "right") for name, bad in result.wrong.items()])
    for name, bad in result.wrong.items():
        for said in bad:
            console.print(f"{name}: {said}", markup=False, style="red")
    console.print(f"Quiet {result.quiet_after_s:.1f} s after the last request. Seed {result.seed}.")


def _times(result: Result, kind: str) -> str:
    found = [one.took_s for one in result.recoveries if one.kind == kind]
    times = [took_s for took_s in found if took_s is not None]
    never = f"{len(found) - len(times)} never recovered" if len(times) < len(found) else ""
    took = f"recovered after {median(times):.1f} s in the middle, {max(times):.1f} s at most" if times else ""
    return " ".join(filter(None, (took, never)))


def _table(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if not rows:
        return
    table = Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left")
    for name, value in rows:
        table.add_row(Text(name), value)
    console.print(table)
    console.print()
