"""The looks that people wait for find their rows by an index, however many operations there were."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event

from bot.core.request import DUE, OPEN
from bot.engine.clock import SystemClock
from bot.stores import database
from bot.stores.ledger import SqlLedger
from bot.stores.messages import SqlMessages
from bot.stores.tables import OperationRow

TARGET = "ai-square/prod/backend"
CASES = [
    ({}, "ix_operations_created_at"),
    ({"target": TARGET}, "ix_operations_target_created_at"),
    ({"states": OPEN}, "ix_operations_state"),
    ({"target": TARGET, "states": OPEN}, "ix_operations_state"),
    ({"target": TARGET, "states": DUE}, "ix_operations_state"),
]


@pytest.fixture
def engine(sqlite: str) -> Iterator[Engine]:
    made = database.connect(sqlite)
    yield made
    made.dispose()


@contextmanager
def asked(engine: Engine) -> Iterator[list[tuple[str, tuple[object, ...]]]]:
    """What is asked of the table of operations."""
    heard: list[tuple[str, tuple[object, ...]]] = []

    def hear(_: object, __: object, statement: str, parameters: tuple[object, ...], *___: object) -> None:
        if "FROM operations" in statement:
            heard.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", hear)
    yield heard
    event.remove(engine, "before_cursor_execute", hear)


def planned(engine: Engine, statement: str, parameters: tuple[object, ...]) -> str:
    """How SQLite means to go about it."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return " ".join(str(row[-1]) for row in rows) + " "


@pytest.mark.parametrize(
    ("wanted", "index"), CASES, ids=["all", "of a target", "open", "open of a target", "due of a target"]
)
def test_operations_are_found_by_an_index(engine: Engine, wanted: dict[str, object], index: str) -> None:
    ledger = SqlLedger(engine, SystemClock())
    with asked(engine) as heard:
        ledger.operations(**wanted)  # type: ignore[arg-type]
    [(statement, parameters)] = heard
    assert f"USING INDEX {index} " in planned(engine, statement, parameters)


AT = datetime(2026, 1, 1, tzinfo=UTC)
LOOKS: dict[str, tuple[Callable[[SqlMessages], object], str]] = {
    "messages": (lambda messages: messages.behind("slack", since=AT), "ix_operations_updated_at"),
    "details": (lambda messages: messages.replies("slack", "details", since=AT), "ix_operations_updated_at"),
    "reminders": (
        lambda messages: messages.replies("slack", "reminder", since=AT, states=("waiting",)),
        "ix_operations_state",
    ),
}


@pytest.mark.parametrize(("look", "index"), LOOKS.values(), ids=LOOKS)
def test_what_a_chat_should_show_is_found_among_what_moved_last(
    engine: Engine, look: Callable[[SqlMessages], object], index: str
) -> None:
    """This is asked twice a second: no table is read whole, and nothing is sorted that an index has in order."""
    with asked(engine) as heard:
        look(SqlMessages(engine))
    [(statement, parameters)] = heard
    plan = planned(engine, statement, parameters)
    assert f"operations USING INDEX {index} " in plan
    assert "SCAN" not in plan


def test_an_open_operation_is_found_among_those_of_its_target(engine: Engine) -> None:
    table = OperationRow.__table__
    rows = [
        {"id": f"{number:010d}", "target": TARGET, "state": "queued" if number == 7 else "applied"}
        for number in range(50)
    ]
    common = {
        "request": {}, "operation": "rollback", "verb": "plan", "actor": "slack:U0ANA",
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(table.insert(), [{**common, **row} for row in rows])
    assert SqlLedger(engine, SystemClock()).due() == (("0000000007", TARGET),)


@pytest.mark.parametrize("target", ["", TARGET])
def test_postgresql_finds_what_is_open_without_knowing_how_little_it_is(postgres: str, target: str) -> None:
    engine = database.connect(postgres)
    with asked(engine) as heard:
        SqlLedger(engine, SystemClock()).operations(states=OPEN, target=target)
    [(statement, parameters)] = heard
    with engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")  # of so few rows it would read all
        connection.exec_driver_sql("SET enable_bitmapscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        assert "ix_operations_open" in " ".join(str(row[0]) for row in rows)
    engine.dispose()
