"""A fresh database a test.

SQLite, unless AISQ_TEST_POSTGRESQL names a PostgreSQL server (postgresql://user@host/postgres): then every test that
does not need a file of its own runs there, each in a database that is made for it and dropped after it.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from bot.stores import database, repeat
from tests.stores.harness import NOON, Books, add

SERVER = os.environ.get("AISQ_TEST_POSTGRESQL", "")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite with the schema and nothing in it, to be copied."""
    file = tmp_path_factory.mktemp("schema") / "aisq.sqlite"
    database.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite(tmp_path: Path, template: Path) -> str:
    """The URL of a fresh SQLite with the schema, whatever the other tests use."""
    return f"sqlite:///{shutil.copy(template, tmp_path / 'aisq.sqlite')}"


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the schema."""
    if not SERVER:
        yield request.getfixturevalue("sqlite")
        return
    name = f"aisq_{uuid.uuid4().hex}"
    server = create_engine(make_url(SERVER).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        made = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        database.upgrade(made)
        yield made
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture
def connect() -> Iterator[Callable[[str], Engine]]:
    """Engines that are let go of after the test."""
    made: list[Engine] = []

    def connect_and_note(url: str) -> Engine:
        made.append(database.connect(url))
        return made[-1]

    yield connect_and_note
    for engine in made:
        engine.dispose()


@pytest.fixture
def engine(url: str, connect: Callable[[str], Engine]) -> Engine:
    return connect(url)


@pytest.fixture
def books(engine: Engine) -> Books:
    return Books(engine)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What repeating would have waited, in seconds; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(repeat, "_wait", waited.append)
    return waited


@pytest.fixture
def chain(books: Books) -> Books:
    """Books with ten links in the audit chain, a minute apart."""
    for number in range(10):
        add(books.engine, f"event {number}", at=NOON + timedelta(minutes=number), number=number)
    return books
