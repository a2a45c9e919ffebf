"""For suites that run on both databases: `from tests.both import url`, in a conftest.py or in a test file."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from bot.stores.tables import Base

OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
CLEAN = (
    "DROP SCHEMA IF EXISTS dbos CASCADE",
    *(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)),
)


# For one test of such a suite that has very many cases.
postgres_seldom = pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with the schema, once of each kind."""
    return str(request.getfixturevalue(request.param))


@contextmanager
def emptied(postgres: str) -> Iterator[None]:
    """Afterwards nobody is connected to that database any more, and it holds our schema and nothing else."""
    yield
    with psycopg.connect(postgres, options="-c client_min_messages=warning") as connection:
        connection.execute(OTHERS, [connection.info.backend_pid])
        connection.execute("; ".join(CLEAN))
