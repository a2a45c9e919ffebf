"""What one durable step costs, in a process of its own: the durable library allows one engine a process.

python -m benchmarks.one_step URL PROGRESS_URL STEPS ROUNDS prints JSON: per round and step the milliseconds, the
statements and the commits, and the milliseconds of one committed insert.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from benchmarks.bare_bolt import inserting
from bot.engine.apply import Applier
from bot.engine.steps import Data
from bot.engine.workflow import Workflows
from bot.stores import database


class Counted:
    """Statements and commits of the thread that called `here`, through SQLAlchemy."""

    def __init__(self) -> None:
        self.statements = self.commits = 0
        self._thread = 0
        event.listen(Engine, "before_cursor_execute", self._executed)
        real: Callable[[DefaultDialect, Any], None] = DefaultDialect.do_commit

        def commit(dialect: DefaultDialect, connection: Any) -> None:
            self.commits += threading.get_ident() == self._thread
            real(dialect, connection)

        DefaultDialect.do_commit = commit  # type: ignore[method-assign]

    def here(self) -> None:
        self._thread, self.statements, self.commits = threading.get_ident(), 0, 0

    def _executed(self, *_: Any) -> None:
        self.statements += threading.get_ident() == self._thread


class Steps:
    """In place of what applies a plan: so many durable steps that do nothing."""

    def __init__(self, steps: int) -> None:
        self.steps, self.counted, self.done = steps, Counted(), threading.Event()
        self.found: dict[str, float] = {}

    def apply(self, _: str, durable: Callable[..., Data]) -> str:
        self.counted.here()
        began = time.perf_counter()
        for number in range(self.steps):
            durable(f"step {number}", nothing, number)
        took_ms = (time.perf_counter() - began) * 1000
        counts = {"statements": self.counted.statements, "commits": self.counted.commits, "ms": took_ms}
        self.found = {name: value / self.steps for name, value in counts.items()}
        self.done.set()
        return "applied"


def nothing(number: int) -> Data:
    return {"number": number}


def main(url: str, progress: str, steps: int, rounds: int) -> None:
    database.upgrade(url)
    work, applier = inserting(url), Steps(steps)
    runs = Workflows(cast(Applier, applier), url=progress, executor="bench", poll_s=0.05)
    runs.launch()
    print(json.dumps([_round(runs, applier, work, number) for number in range(rounds)]))
    runs.stop(0)


def _round(runs: Workflows, applier: Steps, work: Callable[[], None], number: int) -> dict[str, float]:
    applier.done.clear()
    runs.start(f"round{number}", "target")
    applier.done.wait()
    began = time.perf_counter()
    for _ in range(applier.steps):
        work()
    insert_ms = (time.perf_counter() - began) * 1000 / applier.steps
    return {**applier.found, "insert_ms": insert_ms}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
