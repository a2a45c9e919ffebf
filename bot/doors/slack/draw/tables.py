"""Tables: Slack's own where one fits, else aligned text."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from bot.core.answer import Cell, Table
from bot.doors.slack.draw import blocks, times
from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.draw.foreign import clean, cut

MOST_ROWS, MOST_COLUMNS = 99, 8  # Slack takes 100 with the heading, and 20
LONGEST_CELL = 300
TEXT_BUDGET = 7000  # characters of one table, so that something is left for the rest of the message
LONGEST_TEXT_CELL = 40


def as_blocks(table: Table, zone: tzinfo, *, first: bool) -> Iterator[Block]:
    """The table under its title; Slack shows one table block a message, so only the `first` one becomes that."""
    if table.title:
        yield blocks.rich(blocks.words(table.title, bold=True))
    if not table.rows:
        yield blocks.rich(blocks.sentence(table.empty))
        return
    native = first and len(table.columns) <= MOST_COLUMNS
    rows = [[_text(cell, zone) for cell in row] for row in table.rows[:MOST_ROWS]]
    kept = _fitting(rows, LONGEST_CELL if native else LONGEST_TEXT_CELL)
    yield _native(table, table.rows[:kept]) if native else _aligned(table.columns, rows[:kept])
    if left_out := len(table.rows) - kept:
        yield blocks.rich(blocks.words(f"… and {left_out} more rows; a terminal shows all of them."))


def _native(table: Table, rows: Sequence[Sequence[Cell]]) -> Block:
    heading = [_cell(name) for name in table.columns]
    settings = [{"is_wrapped": True, "align": "right" if _numbers(table, at) else "left"} for at in range(len(heading))]
    made = [heading, *([_cell(cell) for cell in row] for row in rows)]
    return {"type": "table", "column_settings": settings, "rows": made}


def _cell(cell: Cell) -> Block:
    """Instants, also those that a sentence spells out, are what every reader sees in their own zone."""
    if isinstance(cell, datetime):
        return blocks.rich((times.element(cell),))
    said = clean(_text(cell, UTC), LONGEST_CELL)
    if any(isinstance(part, datetime) for part in times.parts(said)):
        return blocks.rich(blocks.dated(said))
    return {"type": "raw_text", "text": said or blocks.EMPTY}


def _numbers(table: Table, column: int) -> bool:
    return all(isinstance(row[column], int | float) for row in table.rows)


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    lines = [[clean(text, LONGEST_TEXT_CELL) for text in row] for row in (columns, *rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    said = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return blocks.preformatted(cut("\n".join(said), TEXT_BUDGET))


def _fitting(rows: Sequence[Sequence[str]], longest: int) -> int:
    """How many rows fit into the budget; at least one."""
    left = TEXT_BUDGET
    for count, row in enumerate(rows):
        left -= sum(min(len(text), longest) + 2 for text in row)
        if left < 0:
            return max(1, count)
    return len(rows)


def _text(cell: Cell, zone: tzinfo) -> str:
    if isinstance(cell, datetime):
        return f"{cell.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    if isinstance(cell, float):
        return f"{cell:.4g}"
    return "" if cell is None else str(cell)
