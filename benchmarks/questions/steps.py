"""What does one durable step add to what it does, and how often does it ask the database?"""

import json
import subprocess
import sys

from benchmarks import databases
from benchmarks.measure import Row, alone, beside

FLOOR = "one committed insert"


def rows(rounds: int = 7, steps: int = 50) -> list[Row]:
    with databases.every() as kinds:
        return [row for kind, make in kinds.items() for row in _on(kind, make(), make(), rounds, steps)]


def _on(kind: str, url: str, progress: str, rounds: int, steps: int) -> list[Row]:
    command = [sys.executable, "-m", "benchmarks.one_step", url, progress, str(steps), str(rounds)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        raise RuntimeError(f"the steps failed: {ran.stderr[-2000:]}")
    found = json.loads(ran.stdout.splitlines()[-1])
    took, insert, statements, commits = (
        [one[name] for one in found] for name in ("ms", "insert_ms", "statements", "commits")
    )
    return [
        beside(f"one durable step, {kind}", "ms", took, insert, FLOOR),
        alone(f"its statements, {kind}", "statements", statements),
        alone(f"its commits, {kind}", "commits", commits),
    ]
