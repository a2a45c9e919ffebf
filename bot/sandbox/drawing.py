"""Draws what happens in the town's Slack for a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.sandbox.transcript import Line, drawn

WIDEST = 100


def console() -> Console:
    """As wide as the terminal, but not so wide that lines are hard to read."""
    made = Console(highlight=False)
    made.width = min(made.width, WIDEST)
    return made


def message(said: dict[str, Any], where: str, known: Sequence[str] = ()) -> Panel:
    """A message in a frame; its title, and those of its lines that are not `known`."""
    every = drawn(said)
    shown = [line for at, line in enumerate(every) if not at or not known or (line.text and str(line) not in known)]
    body = Group(*map(_line, shown))
    return Panel(body, title="[bold]aisq[/]", title_align="left", subtitle=where, subtitle_align="right", style="none")


def heading(title: str) -> Rule:
    return Rule(f"[bold]{title}[/]", align="left", style="dim")


def percent(share: float) -> str:
    """A share in two digits: 0.0004 is "0.04 %", 0.08 is "8 %"."""
    return f"{share * 100:.2g} %"


def typed(person: str, text: str) -> Text:
    """What a person types, or does."""
    return Text.assemble((f"{person:>6}", "bold cyan"), "  ", (text, "bold"))


def facts(rows: dict[str, str]) -> Table:
    """Names and what they are, in two columns."""
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(f"   {name}", Text(value))
    return table


def columns(rows: Sequence[Sequence[str]], styles: Sequence[str], gives_way: int, width: int) -> Table:
    """Rows of one line each; the column `gives_way` is cut where they are wider than `width`."""
    widest = [max((len(row[at]) for row in rows), default=0) for at in range(len(styles))]
    left = max(10, width - sum(widest) + widest[gives_way] - 2 * (len(styles) - 1))
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for style in styles:
        table.add_column(style=style, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_cut(cell, left) if at == gives_way else cell) for at, cell in enumerate(row)))
    return table


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _line(line: Line) -> Table | Text:
    if not line.mark:
        return Text(line.text, style=line.style)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text(line.mark), Text(line.text, style=line.style))
    return grid
