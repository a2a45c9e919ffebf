"""Kill the bot at every boundary of an operation, let another one finish, and look what reached the cloud.

Boundaries are the commits of the bot and of its durable library (named by the tables that they write, see launcher)
and the calls that reach the cloud (before it acts, after it committed, after it answered). Nobody keeps a list: one
run without a crash is traced, and every boundary of that trace is killed once.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.sandbox.launcher import forked
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons, lines

SERVICE, CHANNEL = "ai-square-prod/us-central1/backend", "C0AISQ"
RATE = 300.0
SHIPPED = Path(__file__).resolve().parents[2]
RETYPE_AFTER_S, PATIENCE_S = 6.0, 45.0
TRIES = 3
# What goes on whether or not anybody asks: a crash there is a crash between two boundaries of the operation.
BACKGROUND = re.compile(r"^\w+ (leases #|serving #|queues #|workflow_status #([6-9]|\d\d))")
CALLS = ("before", "after_commit", "after_answer")
ENDED = ("100 %", "nothing was done", "failed", "denied")


@dataclass(frozen=True)
class Boundary:
    """Where to kill: at a commit, or at the n-th call of a method."""

    commit: str = ""
    method: str = ""
    nth: int = 0
    when: str = ""

    def __str__(self) -> str:
        return self.commit or f"{self.when.replace('_', ' ')} {self.method} #{self.nth}"


@dataclass
class Result:
    """One row of the table; `wrong` is empty when all is right."""

    boundary: Boundary
    died: bool
    wrong: str
    recovery_s: float
    fates: list[str] = field(default_factory=list)


class Case:
    """One bot on a fresh database, one bad release, two people."""

    def __init__(self, town: Rehearsal, trace: Path) -> None:
        self._town, self._trace = town, trace
        shutil.rmtree(town.folder / "state", ignore_errors=True)
        shutil.copytree(town.folder / "template", town.folder / "state")
        town.cloud.clear_faults()
        town.cloud.traffic(SERVICE, {"backend-00041-kex": 100})
        self.good = "backend-00041-kex"
        self.bad = town.cloud.release(SERVICE, error_rate=0.08, traffic=100)
        self._until(lambda: self._serving() == {self.bad: 100}, "the bad release never served")
        self._since = town.cloud.calls()[-1]["seq"]
        self._first = len(town.people.messages(CHANNEL))

    def run(self, boundary: Boundary | None) -> Result:
        """Play the story; with a boundary, the first bot dies there and a second one finishes."""
        trace = {"LAUNCHER_TRACE": str(self._trace)} if boundary is None else {}
        kill = {"LAUNCHER_KILL_AT": boundary.commit} if boundary and boundary.commit else {}
        bot = self._town.start(**trace, **kill)
        if boundary and boundary.method:
            self._town.cloud.fault(
                "kill",
                SERVICE.rpartition("/")[2],
                method=boundary.method,
                nth=boundary.nth,
                when=boundary.when,
                pid=bot.pid,
            )
        began = died_at = time.monotonic()
        asked_at, wrong = 0.0, ""
        while time.monotonic() - began < PATIENCE_S and not self._done():
            if self._town.bot and self._town.bot.poll() is not None:
                died_at = time.monotonic()
                self._town.cloud.clear_faults()
                self._town.start()
            asked_at = self._act(asked_at)
            time.sleep(0.05)
        recovery_s = time.monotonic() - died_at
        wrong = self._wrong()
        died = bot.poll() is not None
        self._town.stop_bot()
        return Result(boundary or Boundary(), died, wrong, recovery_s, [call["fate"] for call in self._updates()])

    def _act(self, asked_at: float) -> float:
        """What ana and ben would do now: type again if nothing appears, click Approve while it can be clicked."""
        cards = self._cards()
        waiting = [(card, name) for card in cards for name in buttons(card) if "approve" in name]
        if waiting:
            card, name = waiting[0]
            self._town.people.click("U0BEN", CHANNEL, card["ts"], name)
        elif not cards and time.monotonic() - asked_at > RETYPE_AFTER_S and self._town.ready():
            self._town.people.slash("U0ANA", CHANNEL, "rollback backend")
            return time.monotonic()
        return asked_at

    def _cards(self) -> list[dict[str, Any]]:
        return self._town.people.messages(CHANNEL)[self._first :]

    def _done(self) -> bool:
        cards = self._cards()
        settled = [card for card in cards if "Errors" in " ".join(lines(card))]
        return bool(settled) and self._serving() == {self.good: 100}

    def _serving(self) -> dict[str, int]:
        now = self._town.cloud.service(SERVICE)
        return {} if now["reconciling"] else {name: share for name, share in now["traffic"].items() if share}

    def _updates(self) -> list[dict[str, Any]]:
        found = self._town.cloud.calls(method="UpdateService", since=self._since)
        return [call for call in found if call["api"] != "console"]

    def _wrong(self) -> str:
        committed = [call["traffic"] for call in self._updates() if call["committed"]]
        texts = [" ".join(lines(card)) for card in self._cards()]
        checks = {
            f"traffic is {self._serving()}": self._serving() == {self.good: 100},
            f"committed {committed}": committed == [{self.good: 100}],
            f"messages {texts}": sum("Errors " in text for text in texts) == 1,
            "a mutex was left": not self._rows("select 1 from mutexes where holder is not null"),
            "an operation was left unfinished": not self._rows(
                "select 1 from operations where state in ('accepted', 'queued', 'running')"
            ),
        }
        return "; ".join(finding for finding, right in checks.items() if not right)

    def _rows(self, query: str) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self._town.folder / "state" / "aisq.sqlite")) as database:
            return list(database.execute(query))

    def _until(self, true: Any, otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise RuntimeError(otherwise)
            time.sleep(0.02)


@contextlib.contextmanager
def town() -> Iterator[Rehearsal]:
    """A town with a migrated, empty database to copy."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisq-crash-")))
        made = stack.enter_context(Rehearsal(folder, rate=RATE, start=forked, settings=_quick(folder)))
        made.upgrade()
        os.rename(folder / "state", folder / "template")
        yield made


def _quick(folder: Path) -> dict[str, str]:
    """Settings of a bot that watches one system only, and whose plans do not expire while the clock runs so fast."""
    (folder / "catalog").mkdir()
    shutil.copy(SHIPPED / "catalog" / "ai-square.yaml", folder / "catalog")
    shutil.copytree(SHIPPED / "policies", folder / "policies")
    limits = folder / "policies" / "limits.yaml"
    limits.write_text(re.sub(r"approval_expires_min: \d+", "approval_expires_min: 1440", limits.read_text()))
    return {
        "AISQ_CATALOG_DIR": str(folder / "catalog"),
        "AISQ_POLICIES_DIR": str(folder / "policies"),
        "AISQ_LEASE_S": "3",
        "AISQ_SWEEP_EVERY_S": "0.1",
    }


def boundaries(here: Rehearsal) -> list[Boundary]:
    """All of them, from one run without a crash. Raises RuntimeError if even that went wrong."""
    trace = here.folder / "trace"
    trace.unlink(missing_ok=True)
    case = Case(here, trace)
    result = case.run(None)
    if result.wrong:
        raise RuntimeError(f"the story went wrong without a crash: {result.wrong}\n{here.log.read_text()[-3000:]}")
    commits = [line for line in dict.fromkeys(trace.read_text().splitlines()) if not BACKGROUND.match(line)]
    return [*(Boundary(commit=one) for one in commits), *_calls(here, case)]


def _calls(here: Rehearsal, case: Case) -> list[Boundary]:
    methods = {call["method"] for call in here.cloud.calls(resource="", since=case._since)}
    wanted = sorted(methods & {"UpdateService", "GetOperation", "ListOperations"})
    found = [Boundary(method=one, nth=1, when=when) for one in wanted for when in CALLS]
    reads = sorted(methods & {"GetService", "ListRevisions", "ListTimeSeries"})
    return [*found, *(Boundary(method=one, nth=nth, when="before") for one in reads for nth in (1, 2))]


def crash(every: int = 1, workers: int = 1) -> list[Result]:
    """Kill at every boundary (or at every n-th of them), in several towns at once."""
    with contextlib.ExitStack() as stack:
        towns = [stack.enter_context(town()) for _ in range(workers)]
        todo = boundaries(towns[0])[::every]
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(_crash_all, towns, [todo[index::workers] for index in range(workers)])
            results = [result for part in parts for result in part]
    return sorted(results, key=lambda result: todo.index(result.boundary))


def _crash_all(here: Rehearsal, todo: Sequence[Boundary]) -> list[Result]:
    return [_crash(here, one) for one in todo]


def _crash(here: Rehearsal, boundary: Boundary) -> Result:
    """One boundary; again when the run took another way and never came there (edits of a message coalesce)."""
    for _ in range(TRIES):
        result = Case(here, here.folder / "trace").run(boundary)
        if result.died or result.wrong:
            break
    return result


def show(results: Sequence[Result], console: Console) -> None:
    """The table."""
    table = Table(
        "boundary", "verdict", "recovery", "updates that reached the cloud", title="crash matrix: rollback, SQLite"
    )
    for one in results:
        verdict = one.wrong or ("right" if one.died else "right (not reached)")
        table.add_row(str(one.boundary), verdict, f"{one.recovery_s:.1f} s", ", ".join(one.fates))
    console.print(table)
    wrong = sum(bool(one.wrong) for one in results)
    console.print(f"{len(results)} crashes, {wrong} wrong, {sum(not one.died for one in results)} not reached")


def main(operation: str, every: int, workers: int) -> int:
    """Print the table; 0 if every row is right."""
    console = Console(highlight=False)
    if operation != "rollback":
        console.print(f"There is no story for {operation!r} yet; write rollback.")
        return 2
    results = crash(every, workers)
    show(results, console)
    return int(any(result.wrong for result in results))
