"""Tables that fit: side by side where there is room, else the widest columns on lines of their own below each row."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size

GAP = "  "
INDENT = "    "
READABLE = 28  # columns that a wrapped text needs at least
Row = Sequence[str]


class Layout:
    """Lays rows out in `width` columns; `numbers` are the positions of columns that stand to the right."""

    def __init__(self, columns: Row, rows: Sequence[Row], width: int, numbers: frozenset[int] = frozenset()) -> None:
        self._columns, self._rows, self._width, self._numbers = columns, rows, width, numbers
        self._widths = [max(cell_len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
        self._beside, self._below = list(range(len(columns))), list[int]()
        while (widest := self._too_wide()) is not None:
            self._beside.remove(widest)
            self._below.append(widest)

    def heading(self) -> str:
        return "\n".join(self._side_by_side(self._columns))

    def rows(self) -> Iterator[str]:
        """Each row, of one or more lines."""
        for row in self._rows:
            yield "\n".join([*self._side_by_side(row), *self._apart(row)])

    def _too_wide(self) -> int | None:
        """The column to be moved below, if there is one that can be neither shown whole nor wrapped readably."""
        widest = max(self._beside[1:], key=lambda at: self._widths[at], default=None)
        others = sum(self._widths[at] + len(GAP) for at in self._beside if at != widest)
        if widest is None or others + self._widths[widest] <= self._width:
            return None
        if self._width - others < READABLE:
            return widest
        self._widths[widest] = self._width - others  # it is wrapped, beside the others
        return None

    def _side_by_side(self, row: Row) -> Iterator[str]:
        cells = {at: list(wrapped(row[at], max(1, min(self._widths[at], self._width)))) for at in self._beside}
        for line in range(max(map(len, cells.values()))):
            shown = [self._aligned(at, cell[line] if line < len(cell) else "") for at, cell in cells.items()]
            yield GAP.join(shown).rstrip()

    def _aligned(self, at: int, text: str) -> str:
        if at in self._numbers:
            return " " * (self._widths[at] - cell_len(text)) + text
        return set_cell_size(text, min(self._widths[at], self._width))

    def _apart(self, row: Row) -> Iterator[str]:
        for at in sorted(self._below):
            if row[at]:
                said = f"{self._columns[at]}: {row[at]}"
                yield from (INDENT + line for line in wrapped(said, self._width - len(INDENT)))


def wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns, cut at spaces where there are any; wide characters count double."""
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *whole, line = chop_cells(word, width) or [""]
        yield from whole
    yield line
