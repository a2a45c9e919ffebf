"""Several writes in one round trip, where the database can; somebody may be waiting for their commit."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Insert, Table, Update, bindparam

Values = Mapping[str, Any]  # by column


class Write(NamedTuple):
    """One row added or changed; `statement` says nothing of values yet."""

    table: Table
    statement: Insert | Update
    columns: tuple[str, ...]

    def with_names(self) -> Insert | Update:
        """With a parameter `TABLE_COLUMN` for each column."""
        return self.statement.values({column: bindparam(f"{self.table.name}_{column}") for column in self.columns})


def added(table: Table, *columns: str) -> Write:
    """A new row; name every column that needs a value."""
    return Write(table, table.insert(), columns)


class Together:
    """Writes to tables of their own, which do not see each other. Made once: that costs more than its use."""

    def __init__(self, *writes: Write) -> None:
        self._writes = writes
        *others, last = (write.with_names() for write in writes)
        self._at_once = last.add_cte(*(one.cte(f"write_{number}") for number, one in enumerate(others)))

    def write(self, connection: Connection, rows: Mapping[str, Sequence[Values]]) -> None:
        """Make them in the caller's transaction. `rows`: table to rows, at least one, of which it takes its own."""
        mine = {write.table.name: rows[write.table.name] for write in self._writes}
        if connection.dialect.name == "postgresql" and all(len(some) == 1 for some in mine.values()):
            named = {f"{name}_{column}": value for name, (row,) in mine.items() for column, value in row.items()}
            connection.execute(self._at_once, named)
            return
        for write in self._writes:
            connection.execute(write.statement, mine[write.table.name])
