"""Answers as a terminal shows them. Every text goes through `plain`, so that nothing foreign is markup or control."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from itertools import pairwise

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text as Rich

from bot.core.answer import Answer, Cell, Code, Mood, Part, Series, Table, Task, Tasks, Text
from bot.doors.cli.clean import cleaned
from bot.doors.cli.tables import Layout

STYLES: dict[Mood, str] = {"plain": "", "good": "green", "warning": "yellow", "bad": "bold red"}
SIGNS: dict[Mood, str] = {"plain": "", "good": "", "warning": "! ", "bad": "!! "}  # for those who see no colours
MARKS = {"pending": "[ ]", "running": "[~]", "done": "[x]", "failed": "[!]", "skipped": "[-]"}
MARK_STYLES = {"pending": "dim", "running": "bold", "done": "green", "failed": "bold red", "skipped": "dim"}
BARS = "▁▂▃▄▅▆▇█"
LEAST_BARS = 8
Values = tuple[float | None, ...]


class Drawer:
    """Draws for `width` columns, with instants in `zone`; `bars`: whether block characters can be shown."""

    def __init__(self, width: int, zone: tzinfo, *, bars: bool = True) -> None:
        self._width, self._zone, self._bars = width, zone, bars

    def answer(self, answer: Answer) -> RenderableType:
        """The title, then the parts in reading order."""
        parts = [drawn for part in answer.parts for drawn in (Rich(), self.part(part))]
        apart = parts[1:] if answer.parts and isinstance(answer.parts[0], Text) else parts
        return Group(plain(answer.title, "bold"), *apart)

    def part(self, part: Part) -> RenderableType:
        match part:
            case Text():
                return plain(SIGNS[part.mood] + part.text, STYLES[part.mood])
            case Code():
                return self.code(part.lines)
            case Table():
                return self._table(part)
            case Series():
                return self._series(part)
            case Tasks():
                return self.tasks(part)

    def code(self, lines: Iterable[str]) -> RenderableType:
        """Lines to copy: a long one goes on after a backslash, as a shell reads it."""
        shown = "\n".join(row for line in lines for row in folded(cleaned(line), self._width - 2))
        return Padding(Rich(shown, style="cyan", no_wrap=True, overflow="ignore"), (0, 0, 0, 2))

    def tasks(self, tasks: Tasks) -> RenderableType:
        rows = [plain(tasks.title, "bold")] if tasks.title else []
        return Group(*rows, *(_task(task) for task in tasks.tasks))

    def instant(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def _table(self, table: Table) -> RenderableType:
        title = [plain(table.title, "bold")] if table.title else []
        if not table.rows:
            return Group(*title, plain(table.empty, "dim"))
        rows = [[" ".join(cleaned(self._cell(cell)).split("\n")) for cell in row] for row in table.rows]
        layout = Layout([cleaned(column) for column in table.columns], rows, self._width, _numbers(table))
        return Group(*title, Rich(layout.heading(), style="bold"), *map(Rich, layout.rows()))

    def _cell(self, cell: Cell) -> str:
        if cell is None:
            return "-"
        if isinstance(cell, datetime):
            return self.instant(cell)
        return f"{cell:,.6g}" if isinstance(cell, float) else str(cell)

    def _series(self, series: Series) -> RenderableType:
        """A row a line, all on one scale, so that they can be compared."""
        names = [cleaned(name) for name in series.lines]
        spans = [_span(line, series.unit) for line in series.lines.values()]
        rows = [plain(series.title, "bold")]
        for name, bars, span in zip(names, self._bars_of(series, names, spans), spans, strict=True):
            rows.append(plain(f"{set_cell_size(name, _widest(names))}  {bars}{span}"))
        if series.at:
            rows.append(plain(f"from {self.instant(series.at[0])} to {self.instant(series.at[-1])}", "dim"))
        return Group(*rows)

    def _bars_of(self, series: Series, names: list[str], spans: list[str]) -> Iterator[str]:
        """The curve of each line, in the room that is left of a row."""
        room = max(LEAST_BARS, min(self._width // 2, self._width - _widest(names) - _widest(spans) - 4))
        scale = [value for line in series.lines.values() for value in line if value is not None]
        for line in series.lines.values():
            has_some = self._bars and any(value is not None for value in line)
            yield f"{sparkline(squeezed(line, room), scale)}  " if has_some else ""


def _numbers(table: Table) -> frozenset[int]:
    columns = range(len(table.columns))
    return frozenset(at for at in columns if all(isinstance(row[at], int | float) for row in table.rows))


def plain(text: str, style: str = "") -> Rich:
    """Text and nothing but text."""
    return Rich(cleaned(text), style=style, overflow="fold")


def _widest(texts: list[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _span(values: Values, unit: str) -> str:
    known = [value for value in values if value is not None]
    return f"{min(known):g} to {max(known):g} {unit}, last {known[-1]:g}" if known else "no values"


def sparkline(values: Iterable[float | None], beside: Iterable[float] = ()) -> str:
    """One character a value, from the least to the greatest, of those `beside` it too; a gap where there is none."""
    shown = list(values)
    known = [*(value for value in shown if value is not None), *beside]
    least, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    top = len(BARS) - 1
    return "".join(" " if v is None else BARS[round((v - least) / span * top) if span else 0] for v in shown)


def squeezed(values: Values, most: int) -> list[float | None]:
    """At most `most` values: of neighbours, the greatest, since a peak is what one looks for."""
    count = min(len(values), most)
    bounds = [round(position * len(values) / count) for position in range(count + 1)] if count else []
    groups = [[value for value in values[begin:end] if value is not None] for begin, end in pairwise(bounds)]
    return [max(group, default=None) for group in groups]


def folded(line: str, width: int) -> Iterator[str]:
    """A command cut at spaces outside quotes, each row but the last ended by a backslash."""
    row = ""
    for word in _words(line):
        if row and len(row) + len(word) + 3 > width:
            yield f"{row} \\"
            row = f"    {word}"
        else:
            row = f"{row} {word}" if row else word
    yield row


def _words(line: str) -> Iterator[str]:
    """Cut at spaces outside quotes, keeping the quotes."""
    word, quote = "", ""
    for char in line:
        if char == " " and not quote and word.strip():
            yield word
            word = ""
            continue
        if char in "'\"":
            quote = "" if char == quote else quote or char
        word += char
    yield word


def _task(task: Task) -> Rich:
    style = MARK_STYLES[task.state]
    detail = f": {task.detail}" if task.detail else ""
    return plain(f"{MARKS[task.state]} {task.title}{detail}", style)
