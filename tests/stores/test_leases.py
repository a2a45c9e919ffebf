"""Who lives, by the database's own clock; and one worker only on a SQLite file."""

import math
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql

from bot.core.errors import StoreError
from bot.stores import leases
from bot.stores.leases import SoleLeases, SqlLeases, leases_in, only_worker
from tests.stores.harness import Books, another_process, line_of

Connect = Callable[[str], Engine]
TTL_S = 30.0


@pytest.fixture
def kept(engine: Engine) -> SqlLeases:
    return SqlLeases(engine, TTL_S)


def age(engine: Engine, executor: str, seconds: float) -> None:
    """Let the last beat of an executor have been so long ago."""
    Books(engine).sql("UPDATE leases SET beat_s = beat_s - :s WHERE executor = :e", s=seconds, e=executor)


def beat_of(engine: Engine, executor: str) -> float:
    with engine.begin() as connection:
        found = connection.exec_driver_sql(f"SELECT beat_s FROM leases WHERE executor = '{executor}'")
        return float(found.scalar_one())


def test_acquired_renewed_released(kept: SqlLeases) -> None:
    assert (kept.alive(), kept.renew("one")) == (set(), False)
    kept.acquire("one", "here")
    kept.acquire("two", "there")
    assert kept.alive() == {"one", "two"}
    assert kept.renew("one") and kept.renew("two")
    kept.release("one")
    assert (kept.alive(), kept.renew("one")) == ({"two"}, False)
    kept.release("one")
    assert kept.alive() == {"two"}


def test_processes_of_older_versions_are_known_while_they_live(kept: SqlLeases, engine: Engine) -> None:
    """Those before there was a number have none; a newer one can carry out all that this one begins."""
    books = Books(engine)
    for executor, program in (("mine", leases.PROGRAM), ("newer", leases.PROGRAM + 1)):
        kept.acquire(executor, executor)
        books.sql("UPDATE leases SET program = :p WHERE executor = :e", p=program, e=executor)
    assert kept.older() == ()
    kept.acquire("first of old", "old-1")
    kept.acquire("second of old", "old-1")
    books.sql("UPDATE leases SET program = :p WHERE host = 'old-1'", p=leases.PROGRAM - 1)
    before = "SELECT 'before', beat_s, 'old-0' FROM leases WHERE executor = 'mine'"
    books.sql(f"INSERT INTO leases (executor, beat_s, host) {before}")
    assert kept.older() == ("old-0", "old-1")
    age(engine, "before", TTL_S + 1)
    assert kept.older() == ("old-1",)
    kept.release("first of old")
    kept.release("second of old")
    assert kept.older() == ()


def test_acquired_again_when_nobody_knows_whether_it_counted(kept: SqlLeases, engine: Engine) -> None:
    kept.acquire("one", "here")
    age(engine, "one", TTL_S + 1)
    kept.acquire("one", "here")
    assert kept.alive() == {"one"}


def test_renewing_beats(kept: SqlLeases, engine: Engine) -> None:
    kept.acquire("one", "here")
    age(engine, "one", TTL_S - 5)
    before = beat_of(engine, "one")
    assert kept.renew("one")
    assert beat_of(engine, "one") - before >= TTL_S - 5


def test_an_expired_lease_is_never_renewed(kept: SqlLeases, engine: Engine) -> None:
    """Whoever had it counts as dead, and others may be at its work already."""
    for executor in ("one", "two"):
        kept.acquire(executor, "here")
    age(engine, "one", TTL_S + 1)
    before = beat_of(engine, "one")
    assert kept.alive() == {"two"}
    assert not kept.renew("one")
    assert (beat_of(engine, "one"), kept.alive()) == (before, {"two"})


def test_time_is_the_databases_own(kept: SqlLeases, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 3600)
    kept.acquire("one", "here")
    assert abs(beat_of(engine, "one") - real) < 60
    assert kept.alive() == {"one"}


def test_time_has_fractions(kept: SqlLeases, engine: Engine) -> None:
    """A lease of a second must not be rounded to one of two."""
    beats = set()
    for number in range(3):
        kept.acquire(str(number), "here")
        beats.add(beat_of(engine, str(number)) % 1)
    assert beats != {0.0}


def test_time_on_postgresql_moves_within_a_transaction(connect: Connect) -> None:
    now = leases._database_now(connect("postgresql://aisq@host/aisq"))
    assert "clock_timestamp()" in str(select(now).compile(dialect=postgresql.dialect()))


def test_a_new_process_tidies_what_died_a_day_ago(kept: SqlLeases, engine: Engine) -> None:
    for executor in ("old", "older"):
        kept.acquire(executor, "here")
    age(engine, "old", 86_000)
    age(engine, "older", 86_500)
    kept.acquire("new", "here")
    with engine.begin() as connection:
        assert set(connection.exec_driver_sql("SELECT executor FROM leases").scalars()) == {"old", "new"}


# --- the only worker of a SQLite file


@pytest.fixture
def sole(sqlite: str, connect: Connect) -> SoleLeases:
    made = leases_in(connect(sqlite), TTL_S)
    assert isinstance(made, SoleLeases)
    return made


def test_each_kind_of_database_has_its_leases(connect: Connect) -> None:
    kept = leases_in(connect("postgresql://aisq@host/aisq"), TTL_S)
    assert (type(kept), kept.lost_after_s) == (SqlLeases, TTL_S)


def test_the_only_worker_releases_all_others(sole: SoleLeases) -> None:
    SqlLeases.acquire(sole, "one", "here")
    sole.acquire("two", "here")
    sole.acquire("two", "here")
    assert (sole.alive(), sole.lost_after_s) == ({"two"}, math.inf)


@pytest.mark.parametrize("hours", [1, -1])
def test_no_clock_takes_it_from_the_only_worker(sole: SoleLeases, hours: int) -> None:
    """A clock that was put forward makes the last beat old, as this does; one put back, a beat yet to come."""
    sole.acquire("one", "here")
    age(sole._engine, "one", 3600 * hours)
    assert sole.renew("one")
    assert (sole.alive(), abs(beat_of(sole._engine, "one") - time.time()) < 60) == ({"one"}, True)


WORKER = """
import sys
from bot.stores.leases import only_worker
held = only_worker(sys.argv[1])
print("working", flush=True)
sys.stdin.readline()
"""
TAKEN = "another aisq works on this SQLite file; use PostgreSQL for several"


def test_one_process_works_on_a_sqlite_file(tmp_path: Path) -> None:
    file = tmp_path / "aisq.sqlite"
    with another_process(WORKER, file) as first:
        assert line_of(first) == "working"
        with pytest.raises(StoreError, match=TAKEN):
            only_worker(str(file))
        only_worker(str(tmp_path / "another.sqlite")).close()
        first.kill()  # the kernel lets go, whatever the process could still do
        first.wait()
        only_worker(str(file)).close()
    only_worker(str(file)).close()


def test_a_file_has_one_worker_by_whatever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aisq.sqlite").touch()
    (tmp_path / "linked.sqlite").symlink_to(tmp_path / "aisq.sqlite")
    monkeypatch.chdir(tmp_path)
    with only_worker(str(tmp_path / "aisq.sqlite")):
        for name in ("aisq.sqlite", "./aisq.sqlite", "linked.sqlite"):
            with pytest.raises(StoreError, match=TAKEN):
                only_worker(name)


def test_working_is_not_a_lock_on_the_data(tmp_path: Path) -> None:
    with only_worker(str(tmp_path / "aisq.sqlite")), sqlite3.connect(tmp_path / "aisq.sqlite") as other:
        other.execute("CREATE TABLE t (a)")
    other.close()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"aisq\.sqlite\.worker cannot be written: No such file or directory"):
        only_worker(str(tmp_path / "nothing" / "aisq.sqlite"))
