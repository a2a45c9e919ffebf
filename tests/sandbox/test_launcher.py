"""Commits named, traced, and killed at: in processes of their own, because listening is for good."""

import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

from bot.sandbox.launcher import written_by
from tests.sandbox.harness import until

BEGIN = """
import signal, sys
from sqlalchemy import create_engine, text
from bot.sandbox.launcher import Commits

folder, kill_at = sys.argv[1:]
Commits(f"{folder}/trace", kill_at).listen()
engine = create_engine(f"sqlite:///{folder}/db.sqlite")
other = create_engine(f"sqlite:///{folder}/other.sqlite")

def write(*statements, on=engine):
    with on.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))

write("create table apples (n)", "create table pears (n)")
write("create table plums (n)", on=other)
"""


class Program:
    """A program that writes to databases, and what is left of it."""

    def __init__(self, folder: Path, lines: str, kill_at: str = "") -> None:
        command = [sys.executable, "-c", BEGIN + textwrap.dedent(lines), str(folder), kill_at]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ran.stderr == ""
        trace = folder / "trace"
        self.code, self.trace = ran.returncode, trace.read_text().splitlines() if trace.exists() else []
        self._folder = folder

    def rows(self, table: str) -> list[int]:
        with sqlite3.connect(self._folder / "db.sqlite") as database:
            return [n for (n,) in database.execute(f"select n from {table}")]


APPLE, PEAR = 'write("insert into apples values (1)")', 'write("insert into pears values (1)")'


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (APPLE, ["apples #1"]),
        (f"{APPLE}\n{PEAR}\n{APPLE}", ["apples #1", "pears #1", "apples #2"]),
        ('write("insert into pears values (1)", "update apples set n = 2")', ["pears+apples #1"]),
        ('write("insert into apples values (1)", "insert into apples values (2)")', ["apples #1"]),
        ('write("delete from apples")', ["apples #1"]),
        ('write("insert or replace into apples values (1)")', ["apples #1"]),
        ('write("select n from apples")', []),
        ('write("insert into plums values (1)", on=other)\n' + APPLE, ["plums #1", "apples #1"]),
    ],
)
def test_commits_are_named_by_the_tables_that_they_write(tmp_path: Path, lines: str, names: list[str]) -> None:
    ran = Program(tmp_path, lines)
    assert ran.code == 0
    assert ran.trace == [f"{when} {name}" for name in names for when in ("before", "after")]


def test_what_was_rolled_back_names_nothing(tmp_path: Path) -> None:
    rolled_back = """
    try:
        write("insert into apples values (1)", "insert into nowhere values (1)")
    except Exception:
        pass
    write("insert into pears values (1)")
    """
    ran = Program(tmp_path, rolled_back)
    assert (ran.code, ran.rows("apples")) == (0, [])
    assert ran.trace == ["before pears #1", "after pears #1"]


def test_transactions_that_overlap_are_kept_apart(tmp_path: Path) -> None:
    overlapping = """
    with engine.connect() as one, other.connect() as two:
        one.execute(text("insert into apples values (1)"))
        two.execute(text("insert into plums values (1)"))
        two.commit()
        one.execute(text("insert into pears values (1)"))
        one.commit()
    """
    names = ("plums #1", "apples+pears #1")
    assert Program(tmp_path, overlapping).trace == [f"{when} {name}" for name in names for when in ("before", "after")]


@pytest.mark.parametrize(
    ("kill_at", "rows"),
    [
        ("before apples #1", []),
        ("after apples #1", [1]),
        ("before apples #2", [1]),
        ("after apples #2", [1, 2]),
    ],
)
def test_killed_at_a_boundary(tmp_path: Path, kill_at: str, rows: list[int]) -> None:
    """Before a commit its rows are lost; after it they are there."""
    lines = "\n".join(f'write("insert into apples values ({n})")' for n in (1, 2, 3))
    ran = Program(tmp_path, lines, kill_at)
    assert ran.code == -signal.SIGKILL
    assert ran.trace[-1] == kill_at
    assert ran.rows("apples") == rows


def test_a_boundary_that_never_comes_kills_nobody(tmp_path: Path) -> None:
    ran = Program(tmp_path, APPLE, "before apples #2")
    assert (ran.code, ran.rows("apples")) == (0, [1])


def test_without_a_trace_nothing_is_written(tmp_path: Path) -> None:
    script = BEGIN.replace('f"{folder}/trace"', '""') + APPLE
    subprocess.run([sys.executable, "-c", script, str(tmp_path), ""], check=True, timeout=60)
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("INSERT INTO operations (id) VALUES (?)", ["operations"]),
        ("\n  INSERT OR IGNORE INTO queues VALUES (?)", ["queues"]),
        ('UPDATE "main"."workflow_status" SET status = ?', ["workflow_status"]),
        ("update dbos.workflow_status\n set status = 1", ["workflow_status"]),
        ("DELETE FROM `leases` WHERE 1", ["leases"]),
        ("WITH a AS (UPDATE ends SET seq = 1), b AS (INSERT INTO audit VALUES (1)) INSERT INTO operations SELECT 1",
         ["ends", "audit", "operations"]),
        ("INSERT INTO queues VALUES (1) ON CONFLICT (name)\n DO\n UPDATE SET name = 1", ["queues"]),
        ("SELECT seq FROM ends FOR UPDATE SKIP LOCKED", []),
        ("SELECT seq FROM ends FOR NO KEY UPDATE OF ends", []),
        ("SELECT * FROM operations", []),
        ("CREATE TABLE updates (n)", []),
        ("PRAGMA user_version", []),
    ],
)  # fmt: skip
def test_which_tables_a_statement_writes(statement: str, tables: list[str]) -> None:
    assert written_by(statement) == tables


BESIDE = """
import sys, time
from pathlib import Path
from bot.sandbox.launcher import forked
from bot.sandbox.rehearsal import Rehearsal

with Rehearsal(Path(sys.argv[1]), start=forked) as rehearsal:
    rehearsal.upgrade()
    rehearsal.bot.start()
    rehearsal.bot.wait_ready()
    print(rehearsal.bot.url, flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_a_bot_does_not_outlive_whoever_started_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", BESIDE, str(tmp_path)], stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        url = runner.stdout.readline().strip()
        assert httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
        runner.kill()
    until(lambda: not listens(url))


def listens(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:
        pass  # it was killed while it answered
    return True
