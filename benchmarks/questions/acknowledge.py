"""How long does Slack wait for its 200, and is every request that got one written down?

So many requests come at the same moment to a bot that has nothing else to do; before the next ones it comes to rest.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial

from sqlalchemy import create_engine, make_url, text

from benchmarks import databases
from benchmarks.load import Load, load
from benchmarks.measure import Row, alone, alternating, beside, percentile
from benchmarks.processes import bare, rest
from benchmarks.town import serving, town

AIM, SLACK_WAITS_MS = 1.5, 3000.0
ECHO, INSERT = "a Bolt app that answers", "a Bolt app that inserts one row"
SIZES = {1: 15, 20: 5, 100: 3}  # how many at once: how often
# The first has the least to do once it is answered; behind the second a plan is made while others wait for answers.
TEXTS = ("whoami", "rollback backend")


def rows(sizes: Mapping[int, int] = SIZES, texts: Sequence[str] = TEXTS) -> list[Row]:
    with databases.every() as kinds:
        return [row for kind, make in kinds.items() for word in texts for row in _on(kind, make, word, sizes)]


def _on(kind: str, make: databases.Maker, word: str, sizes: Mapping[int, int]) -> list[Row]:
    url, found = make(), list[Row]()
    with ExitStack() as stack:
        here = stack.enter_context(town(settings={"AISQ_DATABASE_URL": url}))
        stack.enter_context(serving(here))
        apps = (here.bot.url, here.bot.pid), stack.enter_context(bare("--insert", make())), stack.enter_context(bare())
        for at_once, often in sizes.items():
            runs = [partial(_burst, address, pid, word, at_once) for address, pid in apps]
            for run in runs:
                run()  # what a first request costs is another question
            found += _rows(f"`{word}`, {at_once} at once, {kind}", alternating(often, *runs), url)
    return found


def _burst(address: str, pid: int, word: str, at_once: int) -> Load:
    sent = load([address], word, concurrent=at_once, requests=at_once)
    rest(pid)
    return sent


def _rows(name: str, loads: list[list[Load]], url: str) -> list[Row]:
    ours, insert, echo = ([_percentile([one], 50) for one in run] for run in loads)
    return [
        beside(f"{name}: p50", "ms", ours, insert, INSERT, at_most=AIM),
        beside(f"{name}: p50", "ms", ours, echo, ECHO),
        alone(f"{name}: p99", "ms", [_percentile(loads[0], 99)], below=SLACK_WAITS_MS),
        alone(f"{name}: refused", "requests", [sum(one.refused for one in loads[0])]),
        alone(f"{name}: lost", "requests", [_lost(loads[0], url)], below=1),
    ]


def _percentile(loads: list[Load], percent: float) -> float:
    """Of all that were answered, in ms."""
    return percentile([one.ms for run in loads for one in run.answered], percent)


def _lost(loads: list[Load], url: str) -> int:
    """Requests that were acknowledged and have no row."""
    engine = create_engine(make_url(url).set(drivername=_driver(url)))
    with engine.connect() as connection:
        heard = set(connection.scalars(text("SELECT heard_as FROM heard")))
    engine.dispose()
    return sum(f"slack:command:{one.trigger}" not in heard for run in loads for one in run.answered)


def _driver(url: str) -> str:
    return "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
