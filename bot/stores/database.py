"""Connecting to a database and bringing its schema up to date. SQLite unless the URL says PostgreSQL."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from bot.core.errors import Away, StoreError
from bot.stores.storable import dumps

log = logging.getLogger(__name__)
BUSY_MS = 10_000  # how long a transaction waits for another one, and how long PostgreSQL lets one stand still
# Of libpq: a network that swallows everything is noticed in 10 s, else a process would never know its lease is lost.
NETWORK = {
    "connect_timeout": 5, "tcp_user_timeout": BUSY_MS,
    "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2,
}  # fmt: skip
STATEMENT_MS = 60_000  # longer than any statement of ours takes, but for those that bring the schema up to date
UPGRADE_LOCK = 0x61697371  # of the transaction that brings the schema up to date: "aisq"
HURRIED_MS = 400  # the same while somebody waits for an acknowledgement


def connect(url: str, *, pool_size: int = 10) -> Engine:
    """An engine whose transactions are safe under concurrent writers. Raises StoreError for a URL that is none."""
    address = _address(url)
    is_remote = address.get_backend_name() == "postgresql"
    network = NETWORK if is_remote else {}
    engine = create_engine(
        address,
        pool_pre_ping=is_remote,
        pool_size=pool_size,
        max_overflow=15,
        pool_timeout=BUSY_MS / 1000,
        json_serializer=dumps,
        connect_args={name: value for name, value in network.items() if name not in address.query},
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_durable)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        event.listen(engine, "connect", _postgresql_patient)
        event.listen(engine, "begin", _postgresql_begin)
    return engine


@contextmanager
def pool(url: str, size: int = 10) -> Iterator[Engine]:
    """Connections for one purpose; closed afterwards."""
    engine = connect(url, pool_size=size)
    try:
        yield engine
    finally:
        engine.dispose()


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: each sees one moment, and waits for no writer."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(sqlite_begin="BEGIN")
    return engine.execution_options(isolation_level="REPEATABLE READ")


def hurried(engine: Engine) -> Engine:
    """The same engine for transactions that would rather fail than wait longer than `HURRIED_MS` for another one."""
    return engine.execution_options(busy_ms=HURRIED_MS)


def upgrade(url: str) -> str:
    """Bring the schema to this version of the program; returns its revision. Raises StoreError."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            _alone_for_as_long_as_it_takes(connection)
            _not_newer(MigrationContext.configure(connection).get_current_revision())
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise _silent(error) from error
    finally:
        engine.dispose()
    return wanted()


def wanted() -> str:
    """The schema revision that this version of the program needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def check(engine: Engine) -> None:
    """Before this process works: `look`, and a word in the log where the schema is newer than this program."""
    if (found := look(engine)) != wanted():
        log.warning(
            "the database has schema %s of a newer aisq; it only adds to %s, so this one works", found, wanted()
        )


def look(engine: Engine) -> str:
    """The schema's revision. Raises StoreError, saying what to do, for an older one than this program needs, or none.

    A newer one is no trouble: migrations only add, so that they can be made while older programs run, and these can
    come back when the newer one has to go.
    """
    try:
        with reading(engine).connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise _silent(error) from error
    if found is None or (found != wanted() and found in _known()):
        raise StoreError(
            f"the database has schema {found or 'none'}, this version of aisq needs {wanted()}; run `aisq db upgrade`"
        )
    return found


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _not_newer(found: str | None) -> None:
    """Raises StoreError for a schema that this version of the program has never heard of."""
    if found is not None and found not in _known():
        raise StoreError(
            f"the database has schema {found}, which only a newer aisq knows, and `aisq db upgrade` does not go back; "
            f"this one, which needs {wanted()}, works on it as it is"
        )


def _address(url: str) -> URL:
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):  # the second: a port that is no number
        raise StoreError("AISQ_DATABASE_URL is not a database URL; write sqlite:///FILE or postgresql://…") from None
    if made.get_backend_name() == "postgresql":
        return made.set(drivername="postgresql+psycopg")
    if made.get_backend_name() != "sqlite":
        raise StoreError(f"aisq keeps its state in SQLite or PostgreSQL, not in {made.get_backend_name()}")
    if made.database in (None, "", ":memory:"):
        raise StoreError("a SQLite in memory would lose every operation; write sqlite:///FILE")
    _make_folder(Path(str(made.database)).parent)
    return made.set(drivername="sqlite")


def _alone_for_as_long_as_it_takes(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite whoever begins has the whole file
        connection.exec_driver_sql("SET LOCAL statement_timeout=0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADE_LOCK})")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the database's folder {folder} cannot be made: {error.strerror}") from None


def _silent(error: DBAPIError) -> Away:
    return Away(f"the database does not answer: {str(error.orig).strip().splitlines()[0]}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def _sqlite_durable(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")  # before WAL: switching the journal needs the lock too
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={options.get('busy_ms', BUSY_MS)}")
    # A transaction that reads and then writes cannot wait for the lock (SQLITE_BUSY_SNAPSHOT), so take it first.
    connection.exec_driver_sql(options.get("sqlite_begin", "BEGIN IMMEDIATE"))


def _postgresql_patient(connection: Any, _: object) -> None:
    # A frozen process must not keep its rows for ever: PostgreSQL ends a transaction that stands still.
    connection.execute(f"SET lock_timeout={BUSY_MS}")
    connection.execute(f"SET idle_in_transaction_session_timeout={BUSY_MS}")
    connection.execute(f"SET statement_timeout={STATEMENT_MS}")
    connection.commit()


def _postgresql_begin(connection: Connection) -> None:
    if busy_ms := connection.get_execution_options().get("busy_ms"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout={busy_ms}")
