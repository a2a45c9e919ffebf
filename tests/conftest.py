"""What holds for every test: loopback is the only network, and where we ask for it a skipped test has failed.

And a fresh database a test, in SQLite or in PostgreSQL: `url` is that of one with our schema. PostgreSQL is one server
for each of pytest's processes, started when a test first asks, or the one that AISQ_TEST_DATABASE_URL names
(postgresql://…, of somebody who may create databases).
"""

import errno
import ipaddress
import os
import re
import shutil
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from bot.sandbox.postgres import Databases

SKIPS_FAIL = os.environ.get("AISQ_TEST_SKIPS") == "fail"
LONGEST = re.compile("^tests/(load|soak)/|for_five_minutes")


def guard_is_needed() -> bool:
    """Whether this machine has another network than `lo`; tests/run_on_loopback.py takes it away where it can."""
    return any(name != "lo" for _, name in socket.if_nameindex())


def is_loopback(host: object) -> bool:
    """Whether a host, as sockets get it, is this machine's loopback."""
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_other_networks(event: str, args: tuple[object, ...]) -> None:
    """The guard inside Python: an audit hook, so that no library can patch it away. C code goes around it."""
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if not is_loopback(host):
        raise OSError(errno.ENETUNREACH, f"tests talk to loopback only; this one tried {host}")


def pytest_configure() -> None:
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")
    if guard_is_needed():
        sys.addaudithook(refuse_other_networks)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow ones first: several processes share the rest, and none is left alone with a long one at the end."""
    items.sort(key=lambda item: (not LONGEST.search(item.nodeid), item.get_closest_marker("slow") is None))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if guard_is_needed():
        terminalreporter.write_line("network: kept on loopback by a guard inside Python only; `make test` does better")


def as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names its reason; an expected failure stays one."""
    if SKIPS_FAIL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and a skipped test has checked nothing: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    as_failure(report)
    return report


# --- databases; what they need is imported when a test asks, because most tests do not


@pytest.fixture(scope="session")
def databases() -> "Iterator[Databases]":
    """A PostgreSQL server that makes databases."""
    from bot.sandbox.postgres import Databases, PostgresProcess

    if given := os.environ.get("AISQ_TEST_DATABASE_URL"):
        yield Databases(given)
        return
    with PostgresProcess() as server:
        yield server.databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite with the schema and nothing in it, to be copied."""
    from bot.stores import database

    file = tmp_path_factory.mktemp("schema") / "aisq.sqlite"
    database.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def kept_postgres(databases: "Databases") -> Iterator[str]:
    """The URL of the PostgreSQL database that tests share, one after the other: making one takes far longer."""
    from bot.stores import database

    name = f"aisq_{uuid.uuid4().hex}"
    made = databases.create(name)
    database.upgrade(made)
    yield made
    databases.drop(name)


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a fresh SQLite with the schema: the file where a bot whose state is in `tmp_path` looks for it."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'aisq.sqlite')}"


@pytest.fixture
def postgres(kept_postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the schema and nothing in it; leave the schema as it is."""
    from tests.both import emptied

    with emptied(kept_postgres):
        yield kept_postgres


@pytest.fixture
def new_postgres(databases: "Databases") -> Iterator[str]:
    """The URL of a PostgreSQL database without a schema, for this test alone."""
    name = f"aisq_{uuid.uuid4().hex}"
    yield databases.create(name)
    databases.drop(name)


@pytest.fixture
def url(sqlite: str) -> str:
    """The URL of a fresh database with the schema; suites that import `url` of tests/both.py get each kind in turn."""
    return sqlite
