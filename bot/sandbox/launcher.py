"""Starts the bot in a child that is forked after the imports, and kills it at a chosen commit.

Nothing in the bot knows of this: the launcher listens to SQLAlchemy, through which the bot and the durable library
write. A boundary is "before" or "after" a commit, named by the tables that its transaction wrote and by how many
such commits there were: "before operations+audit+audit_ends #2".
"""

import importlib
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

# What the bot imports, so that a child has it from the moment it is forked; of the packages all modules.
HEAVY = (
    "dbos", "alembic.command", "cedarpy", "uvicorn", "slack_bolt.async_app", "google.cloud.run_v2",
    "google.cloud.monitoring_v3", "google.cloud.artifactregistry_v1", "google.cloud.secretmanager_v1",
    "bot.__main__", "bot.app",
)  # fmt: skip
PACKAGES = ("bot.operations", "bot.providers", "bot.engine", "bot.stores", "bot.doors.cli", "bot.doors.slack")
WRITES = re.compile(  # one statement may make several; SELECT … FOR UPDATE and ON CONFLICT DO UPDATE make none
    r"\b(?:INSERT (?:OR \w+ )?INTO|(?<!FOR )(?<!KEY )(?<!DO )UPDATE|DELETE FROM) [\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)",
    re.I,
)
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["bot.sandbox.preload"])
REAPING = threading.Lock()  # starting one child reaps others, and an exit code can be read only once


class Commits:
    """Names the commits of this process, writes them to a trace, and ends the process at one of them."""

    def __init__(self, trace: str, kill_at: str, sent: signal.Signals = signal.SIGKILL) -> None:
        self._trace, self._kill_at, self._sent = trace, kill_at, sent
        self._count: Counter[str] = Counter()
        self._written: dict[int, list[str]] = {}  # tables, by connection, of the transaction in progress
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Begin; for all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._executed)
        event.listen(Engine, "rollback", self._rolled_back)
        real: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

        def commit(dialect: DefaultDialect, connection: Any) -> None:
            name = self._name(connection)
            self._reach("before", name)
            real(dialect, connection)
            self._reach("after", name)

        DefaultDialect.do_commit = commit  # type: ignore[method-assign]

    def _executed(self, connection: Any, _: Any, statement: str, *__: Any) -> None:
        if tables := written_by(statement):
            with self._lock:
                self._written.setdefault(_key(connection.connection), []).extend(tables)

    def _rolled_back(self, connection: Any) -> None:
        with self._lock:
            self._written.pop(_key(connection.connection), None)

    def _name(self, connection: Any) -> str:
        with self._lock:
            tables = self._written.pop(_key(connection), [])
            if not tables:
                return ""
            name = "+".join(dict.fromkeys(tables))
            self._count[name] += 1
            return f"{name} #{self._count[name]}"

    def _reach(self, when: str, name: str) -> None:
        if not name:
            return  # a transaction that only read
        boundary = f"{when} {name}"
        if self._trace:
            with self._lock, open(self._trace, "a") as trace:
                trace.write(boundary + "\n")
        if boundary == self._kill_at:
            os.kill(os.getpid(), self._sent)


def written_by(statement: str) -> list[str]:
    """The tables that a statement of SQL writes, in its order."""
    return [table.lower() for table in WRITES.findall(" ".join(statement.split()))]


def _key(connection: Any) -> int:
    """What a connection from the pool and the one below it have in common."""
    return id(getattr(connection, "dbapi_connection", connection))


class Forked:
    """A forked bot, as the rehearsal wants a child."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        with REAPING:
            process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def poll(self) -> int | None:
        with REAPING:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        with REAPING:
            self._process.join(timeout)
            return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)


def forked(environment: Mapping[str, str], log: Path) -> Forked:
    """Start `aisq serve` in a child. LAUNCHER_TRACE and LAUNCHER_KILL_AT in the environment are for the launcher."""
    return Forked(FORK.Process(target=serve, args=(dict(environment), str(log)), daemon=True))


def serve(environment: dict[str, str], log: str) -> None:
    """In the child: become `aisq serve`."""
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    trace, kill_at = environment.pop("LAUNCHER_TRACE", ""), environment.pop("LAUNCHER_KILL_AT", "")
    os.environ.update(environment)
    Commits(trace, kill_at).listen()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(importlib.import_module("bot.__main__").main(["serve"]))


def _end_with_parent() -> None:
    """Die when whoever asked for this child is gone; killed, it cannot end its bots itself."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
