"""Several writes at once, on both databases the same: all of them, or none."""

import pytest
from sqlalchemy import Engine, Table, event, select
from sqlalchemy.exc import IntegrityError

from bot.stores.tables import AuditEndRow, LeaseRow, PinRow
from bot.stores.together import Together, Write, added

PINS, LEASES, ENDS = (one.__table__ for one in (PinRow, LeaseRow, AuditEndRow))
BOTH = Together(added(PINS, "target", "pin"), added(LEASES, "executor", "beat_s", "host"))
LEASE = {"executor": "one", "beat_s": 1.5, "host": "here"}
ROWS = {
    "pins": [{"target": "a\x00b", "pin": {"by": "ana"}}],
    "leases": [LEASE],
    "serving": [{"nobody": "asks for this"}],
}


def stored(engine: Engine, table: Table) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(select(table))]


def test_each_gets_its_own_values_as_its_columns_store_them(engine: Engine) -> None:
    with engine.begin() as connection:
        BOTH.write(connection, ROWS)
    assert stored(engine, PINS) == [{"target": "a␀b", "pin": {"by": "ana"}}]
    assert stored(engine, LEASES) == [LEASE | {"program": None}]


def test_it_can_be_used_again(engine: Engine) -> None:
    with engine.begin() as connection:
        BOTH.write(connection, ROWS)
        BOTH.write(connection, {"pins": [{"target": "b", "pin": {}}], "leases": [LEASE | {"executor": "two"}]})
    assert [len(stored(engine, table)) for table in (PINS, LEASES)] == [2, 2]


def test_a_row_can_be_changed_beside_it(engine: Engine) -> None:
    moved = Together(Write(ENDS, ENDS.update().where(ENDS.c.name == "head"), ("seq",)), added(PINS, "target", "pin"))
    with engine.begin() as connection:
        connection.execute(ENDS.insert(), [{"name": name, "seq": 0, "hash": "x"} for name in ("head", "root")])
        moved.write(connection, {"audit_ends": [{"seq": 7}], "pins": ROWS["pins"]})
    assert {row["name"]: row["seq"] for row in stored(engine, ENDS)} == {"head": 7, "root": 0}


def test_several_rows_of_one_beside_one_of_another(engine: Engine) -> None:
    leases = [LEASE | {"executor": name} for name in "abc"]
    with engine.begin() as connection:
        BOTH.write(connection, {"pins": ROWS["pins"], "leases": leases})
    assert stored(engine, LEASES) == [lease | {"program": None} for lease in leases]
    assert len(stored(engine, PINS)) == 1


def test_one_that_is_refused_takes_the_others_with_it(engine: Engine) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(LEASES.insert(), LEASE)
        BOTH.write(connection, ROWS)
    assert stored(engine, PINS) == stored(engine, LEASES) == []


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_it_is_one_round_trip_where_it_can_be(engine: Engine) -> None:
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    with engine.begin() as connection:
        BOTH.write(connection, ROWS)
    assert len(said) == 1
