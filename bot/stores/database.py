"""Connecting to a database and bringing its schema up to date. SQLite unless the URL says PostgreSQL."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from bot.core.errors import StoreError

BUSY_MS = 10_000  # how long a writer on SQLite waits for another one


def connect(url: str, *, pool_size: int = 10) -> Engine:
    """An engine whose transactions are safe under concurrent writers. Raises StoreError for a URL that is none."""
    try:
        made = make_url(url)
    except ArgumentError:
        raise StoreError("AISQ_DATABASE_URL is not a database URL; write sqlite:///FILE or postgresql://…") from None
    if made.get_backend_name() == "postgresql":
        made = made.set(drivername="postgresql+psycopg")
    elif made.get_backend_name() == "sqlite":
        Path(made.database or ".").parent.mkdir(parents=True, exist_ok=True)
    else:
        raise StoreError(f"aisq keeps its state in SQLite or PostgreSQL, not in {made.get_backend_name()}")
    engine = create_engine(made, pool_pre_ping=True, pool_size=pool_size, max_overflow=10)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_durable)
        event.listen(engine, "begin", _sqlite_write_lock_first)
    return engine


def upgrade(url: str) -> str:
    """Bring the schema to this version of the program; returns its revision. Raises StoreError."""
    try:
        with connect(url).begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise _silent(error) from error
    return wanted()


def wanted() -> str:
    """The schema revision that this version of the program needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def check(engine: Engine) -> None:
    """Raises StoreError, saying what to do, unless the database has the schema of this version."""
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise _silent(error) from error
    if found != wanted():
        raise StoreError(
            f"the database has schema {found or 'none'}, this version of aisq needs {wanted()}; run `aisq db upgrade`"
        )


def _silent(error: DBAPIError) -> StoreError:
    return StoreError(f"the database does not answer: {str(error.orig).strip().splitlines()[0]}")


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


def _sqlite_write_lock_first(connection: Any) -> None:
    # A transaction that reads and then writes cannot wait for the lock (SQLITE_BUSY_SNAPSHOT), so take it first.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
