"""`python -m benchmarks [NAME…] [--json FILE] [--write | --page FILE]`: asks what is named, or all but the judge."""

import argparse
import importlib
import inspect
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks import databases, report
from benchmarks.measure import Grid, Row

NAMES = ("rollback", "acknowledge", "boot", "steps", "growth", "replicas", "takeover", "status", "verdicts", "judge")
BY_NAME = ("judge",)  # asked only when named: it takes minutes, and what it finds is the same on every machine
Question = Callable[[], Sequence[Row | Grid]]


def main(words: Sequence[str] | None = None, questions: Mapping[str, Question] | None = None) -> int:
    """Run one command line. An aim that was missed is said, and is no error."""
    known = questions or {name: importlib.import_module(f"benchmarks.questions.{name}").rows for name in NAMES}
    asked = _arguments(list(known)).parse_args(words)
    run = ask({name: known[name] for name in asked.names or known if asked.names or name not in BY_NAME}, words)
    report.show(run, Console(width=None if sys.stdout.isatty() else 170))
    if asked.json:
        asked.json.write_text(run.model_dump_json(indent=2) + "\n", encoding="utf-8")
    if page := report.PAGE if asked.write else asked.page:
        page.write_text(report.page(run), encoding="utf-8")
    return 0


def ask(questions: Mapping[str, Question], words: Sequence[str] | None = None) -> report.Run:
    """One after the other, on a machine that does nothing else if the figures shall mean something."""
    began, host, ticks = datetime.now(UTC), report.machine(), time.perf_counter()
    command = shlex.join(["python", "-m", "benchmarks", *(sys.argv[1:] if words is None else words)])
    answers: dict[str, Sequence[Row | Grid]] = {}
    for name, question in questions.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        answers[name] = question()
    left_out = [] if databases.has_postgres() else [databases.WITHOUT]
    took_s = time.perf_counter() - ticks
    rows = {name: [one for one in answer if isinstance(one, Row)] for name, answer in answers.items()}
    grids = {name: [one for one in answer if isinstance(one, Grid)] for name, answer in answers.items()}
    return report.Run(
        command=command,
        began=began,
        took_s=took_s,
        machine=host,
        questions=rows,
        tables={name: found for name, found in grids.items() if found},
        about={name: inspect.cleandoc(sys.modules[one.__module__].__doc__ or "") for name, one in questions.items()},
        left_out=left_out,
    )


def _arguments(names: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*names, []], help=", ".join(names))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the run there too")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md from this run")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write such a page there instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
