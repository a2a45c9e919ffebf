"""Connecting, the schema and its versions, and what holds in every transaction."""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from bot.core.errors import StoreError
from bot.stores import database
from bot.stores.tables import Base, HeardRow, Instant
from tests.stores.harness import NOON, file_of, tables_of

Connect = Callable[[str], Engine]
NEWEST, NEWER = "0006", "0007"


@pytest.fixture
def postgres(new_postgres: str) -> str:
    """One of the test's own, because these tests change the schema."""
    database.upgrade(new_postgres)
    return new_postgres


@pytest.fixture(params=["sqlite", "new_postgres"])
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a schema; of SQLite not even the file is there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a/b/aisq.sqlite"
    return str(request.getfixturevalue(request.param))


def test_upgrade_from_nothing(nothing: str, connect: Connect) -> None:
    assert database.upgrade(nothing) == database.wanted() == NEWEST
    engine = connect(nothing)
    database.check(engine)
    assert tables_of(engine) == {*Base.metadata.tables, "alembic_version"}


def test_upgrade_twice_changes_nothing_and_loses_nothing(url: str, connect: Connect) -> None:
    engine = connect(url)
    with Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a", operation="b", at=NOON))
    before = schema(engine)
    assert database.upgrade(url) == NEWEST
    assert schema(engine) == before
    with Session(engine) as session:
        assert session.get_one(HeardRow, "a").at == NOON


def test_several_upgrade_at_once(nothing: str) -> None:
    found = list[str]()
    threads = [threading.Thread(target=lambda: found.append(database.upgrade(nothing))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [NEWEST] * 4


def test_migrations_make_what_the_models_say(engine: Engine) -> None:
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_column_that_no_migration_makes_would_be_seen(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE pins DROP COLUMN pin")
        ((what, *_), *_) = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert what == "add_column"


def test_a_failed_upgrade_leaves_nothing(nothing: str, connect: Connect) -> None:
    engine = connect(nothing)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE serving (a TEXT)")  # one of the last that the migration makes
    with pytest.raises(StoreError, match=r"the database does not answer: .*serving.* already exists"):
        database.upgrade(nothing)
    assert tables_of(engine) == {"serving"}


def test_refuses_an_empty_database(nothing: str, connect: Connect) -> None:
    with pytest.raises(StoreError) as raised:
        database.check(connect(nothing))
    wanted = f"the database has schema none, this version of aisq needs {NEWEST}; run `aisq db upgrade`"
    assert str(raised.value) == wanted


def test_refuses_an_older_schema(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    newer_program(monkeypatch, tmp_path)
    with pytest.raises(StoreError) as raised:
        database.check(engine)
    wanted = f"the database has schema {NEWEST}, this version of aisq needs {NEWER}; run `aisq db upgrade`"
    assert str(raised.value) == wanted


def test_an_older_schema_is_upgraded_and_keeps_its_rows(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a", operation="b", at=NOON))
    newer_program(monkeypatch, tmp_path)
    assert database.upgrade(url) == NEWER
    database.check(engine)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT heard_as, more FROM heard")).all() == [("a", "x")]


def test_a_newer_schema_only_adds_so_an_older_program_works_and_says_so(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    database.check(engine)
    assert database.look(engine) == NEWEST and not caplog.messages
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
    assert database.look(engine) == "0009" and not caplog.messages
    database.check(engine)
    said = f"the database has schema 0009 of a newer aisq; it only adds to {NEWEST}, so this one works"
    assert caplog.messages == [said]


def test_who_works_already_notices_an_older_schema_and_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    newer_program(monkeypatch, tmp_path)
    with pytest.raises(StoreError, match=f"has schema {NEWEST}, this version of aisq needs {NEWER}"):
        database.look(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreError, match=f"has schema none, this version of aisq needs {NEWER}"):
        database.look(engine)


def test_does_not_go_back_from_a_newer_schema(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
    with pytest.raises(StoreError) as raised:
        database.upgrade(url)
    assert str(raised.value) == (
        "the database has schema 0009, which only a newer aisq knows, and `aisq db upgrade` does not go back; "
        f"this one, which needs {NEWEST}, works on it as it is"
    )


@pytest.mark.parametrize(
    "url, sentence",
    [
        ("", "is not a database URL; write sqlite:///FILE or postgresql://"),
        ("state.sqlite", "is not a database URL; write sqlite:///FILE or postgresql://"),
        ("postgresql://aisq:secret@host:port/aisq", "is not a database URL"),
        ("mysql://aisq:secret@host/aisq", "aisq keeps its state in SQLite or PostgreSQL, not in mysql"),
        ("oracle+nobody://aisq:secret@host", "aisq keeps its state in SQLite or PostgreSQL, not in oracle"),
        ("sqlite://", "a SQLite in memory would lose every operation; write sqlite:///FILE"),
        ("sqlite:///:memory:", "a SQLite in memory would lose every operation; write sqlite:///FILE"),
        ("sqlite:////dev/null/aisq.sqlite", "the database's folder /dev/null cannot be made: File exists"),
        ("sqlite:////dev/null/a/aisq.sqlite", "the database's folder /dev/null/a cannot be made: Not a directory"),
    ],
)
def test_bad_urls_are_refused_in_a_sentence_without_the_password(url: str, sentence: str) -> None:
    for act in (database.connect, database.upgrade):
        with pytest.raises(StoreError) as raised:
            act(url)
        assert sentence in str(raised.value) and "secret" not in str(raised.value)


def test_what_is_no_database_is_said(tmp_path: Path, connect: Connect) -> None:
    (tmp_path / "letter").write_text("Dear Ana, " * 1000)
    for url, why in (
        (f"sqlite:///{tmp_path}", "unable to open database file"),
        (f"sqlite:///{tmp_path}/letter", "not"),
    ):
        for act in (database.upgrade, lambda url: database.check(connect(url))):
            with pytest.raises(StoreError, match=f"the database does not answer: .*{why}"):
                act(url)


def test_a_postgresql_that_does_not_answer_is_said(connect: Connect) -> None:
    with pytest.raises(StoreError, match="the database does not answer: ") as raised:
        database.upgrade("postgresql://aisq:secret@127.0.0.1:1/aisq")
    assert "secret" not in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["sqlite", "sqlite+pysqlite", "sqlite+aiosqlite"])
def test_the_driver_is_ours_to_choose_on_sqlite(name: str, tmp_path: Path, connect: Connect) -> None:
    assert connect(f"{name}:///{tmp_path}/aisq.sqlite").driver == "pysqlite"


@pytest.mark.parametrize("name", ["postgresql", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_and_on_postgresql(name: str, connect: Connect) -> None:
    assert connect(f"{name}://aisq@host/aisq").driver == "psycopg"


def test_sqlite_is_durable_on_every_connection(sqlite: str, connect: Connect) -> None:
    engine = connect(sqlite)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": database.BUSY_MS}
    with engine.begin() as one, database.reading(engine).begin() as two:  # the second beside the first: not the same
        for connection in (one, two):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted


def test_foreign_keys_are_in_force(engine: Engine) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO approvals VALUES ('nothing', 'ana', 'd', '{}', '2026-11-20 12:00:00')"))


def test_a_writer_takes_the_lock_before_it_reads(sqlite: str, connect: Connect) -> None:
    """Otherwise the second of two that read and then write fails at once, however patient it is."""
    engine = connect(sqlite)
    with engine.begin(), pytest.raises(OperationalError, match="locked"), database.hurried(engine).begin():
        pytest.fail("the lock was free")


def test_hurry_lasts_one_transaction(sqlite: str, connect: Connect) -> None:
    engine = connect(sqlite)
    for of, wanted in ((database.hurried(engine), database.HURRIED_MS), (engine, database.BUSY_MS)) * 2:
        with of.begin() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == wanted


def test_readers_wait_for_no_writer_and_see_one_moment(engine: Engine) -> None:
    count = text("SELECT count(*) FROM heard")
    with engine.begin() as writer:
        writer.execute(HeardRow.__table__.insert().values(heard_as="a", operation="b", at=NOON))
        with database.reading(engine).begin() as reader:
            assert reader.execute(count).scalar() == 0
            writer.commit()
            assert reader.execute(count).scalar() == 0
    with database.reading(engine).begin() as reader:
        assert reader.execute(count).scalar() == 1


def test_the_schema_is_checked_while_somebody_writes(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(HeardRow.__table__.insert().values(heard_as="a", operation="b", at=NOON))
        database.check(engine)


class Recorder:
    """A PostgreSQL connection, as far as the listeners use one."""

    def __init__(self, **options: Any) -> None:
        self.options, self.said = options, list[str]()

    def get_execution_options(self) -> dict[str, Any]:
        return self.options

    def exec_driver_sql(self, said: str) -> None:
        self.said.append(said)

    execute = exec_driver_sql

    def commit(self) -> None:
        self.said.append("COMMIT")


def test_postgresql_waits_for_nobody_for_ever(connect: Connect) -> None:
    engine = connect("postgresql://aisq@host/aisq")
    fresh, hurried, patient = Recorder(), Recorder(busy_ms=500), Recorder()
    for name, listener in (("connect", database._postgresql_patient), ("begin", database._postgresql_begin)):
        assert event.contains(engine, name, listener)
    database._postgresql_patient(fresh, None)
    for begun in (hurried, patient):
        database._postgresql_begin(begun)
    assert fresh.said == [
        "SET lock_timeout=10000", "SET idle_in_transaction_session_timeout=10000", "SET statement_timeout=60000",
        "COMMIT",
    ]  # fmt: skip
    assert (hurried.said, patient.said) == (["SET LOCAL lock_timeout=500"], [])
    assert database.reading(engine).get_execution_options() == {"isolation_level": "REPEATABLE READ"}


@pytest.mark.parametrize(("more", "connecting_s"), [("", "5"), ("?connect_timeout=7", "7")])
def test_a_network_that_swallows_everything_is_noticed(
    postgres: str, connect: Connect, more: str, connecting_s: str
) -> None:
    with connect(postgres + more).connect() as connection:
        told = connection.connection.dbapi_connection.info.get_parameters()
    assert (
        told.items() >= {"connect_timeout": connecting_s, "tcp_user_timeout": "10000", "keepalives_idle": "5"}.items()
    )


def test_these_limits_are_in_force_on_postgresql(postgres: str, connect: Connect) -> None:
    engine = connect(postgres)
    for of, lock in ((engine, "10s"), (database.hurried(engine), "400ms"), (engine, "10s")):
        with of.begin() as connection:
            found = [
                connection.exec_driver_sql(f"SHOW {name}").scalar()
                for name in ("lock_timeout", "idle_in_transaction_session_timeout", "statement_timeout")
            ]
        assert found == [lock, "10s", "1min"]


EARLIER = timezone(timedelta(hours=-8))


@pytest.mark.parametrize(
    "instant",
    [
        NOON,
        NOON.replace(microsecond=1),
        NOON.astimezone(EARLIER),
        datetime(2026, 10, 25, 2, 30, tzinfo=UTC),  # an hour that Berlin has twice
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_instants_come_back_in_utc(engine: Engine, instant: datetime) -> None:
    with Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a", operation="b", at=instant))
    with Session(engine) as session:
        found = session.get_one(HeardRow, "a").at
    assert (found, found.tzinfo) == (instant, UTC)


def test_instants_without_a_zone_are_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="an instant without a zone"), Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a", operation="b", at=NOON.replace(tzinfo=None)))


def test_instants_of_a_backend_that_keeps_the_zone() -> None:
    kind = Instant()
    assert kind.process_result_value(NOON.astimezone(EARLIER), None) == NOON
    assert kind.process_result_value(None, None) is None
    assert kind.process_bind_param(None, None) is None


def test_instants_are_compared_as_instants(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a", operation="b", at=NOON.astimezone(EARLIER)))
        session.flush()
        later = session.query(HeardRow).where(HeardRow.at < NOON + timedelta(seconds=1)).count()
        assert later == 1


def schema(engine: Engine) -> dict[str, list[str]]:
    found = inspect(engine)
    return {table: [str(column) for column in found.get_columns(table)] for table in found.get_table_names()}


def newer_program(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The program with one more migration."""
    made = folder / "migrations"
    shutil.copytree(Path(database.__file__).with_name("migrations"), made)
    (made / "versions" / "0007_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision, down_revision = '0007', '0006'\n\n\n"
        "def upgrade():\n    op.add_column('heard', sa.Column('more', sa.Text(), server_default='x'))\n"
    )
    config = database._config()
    config.set_main_option("script_location", str(made))
    monkeypatch.setattr(database, "_config", lambda: config)


def test_a_sqlite_that_somebody_else_reads_is_the_same_file(sqlite: str, connect: Connect) -> None:
    with sqlite3.connect(file_of(connect(sqlite))) as other:
        assert other.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
    other.close()
