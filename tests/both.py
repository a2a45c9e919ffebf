"""For suites that run on both databases: `from tests.both import url`, in a conftest.py or in a test file; or
`url_of_sqlite as url`, which seldom asks PostgreSQL."""

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


EACH = ["sqlite", "postgres"]
SELDOM = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]

# For tests that want it other than their suite does.
postgres_always = pytest.mark.parametrize("url", EACH, indirect=True)
postgres_seldom = pytest.mark.parametrize("url", SELDOM, indirect=True)


@pytest.fixture(params=EACH)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with the schema, once of each kind."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(params=SELDOM)
def url_of_sqlite(request: pytest.FixtureRequest) -> str:
    """The same for what asks no more of a database than the stores do: of PostgreSQL only in `make test-all`."""
    return str(request.getfixturevalue(request.param))


@contextmanager
def emptied(postgres: str) -> Iterator[None]:
    """Afterwards nobody is connected to that database any more, and it holds our schema and nothing else."""
    yield
    with psycopg.connect(postgres, options="-c client_min_messages=warning") as connection:
        connection.execute(OTHERS, [connection.info.backend_pid])
        connection.execute("; ".join(CLEAN))
