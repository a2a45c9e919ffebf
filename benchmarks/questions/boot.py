"""How long does the bot take to start, and how much memory does it hold, beside a bare Bolt app with the same SDKs?"""

import time

from benchmarks.measure import Row, alternating, beside
from benchmarks.processes import bare, memory_mib, wait_ready
from benchmarks.town import ANA, CHANNEL, town, until
from bot.sandbox.rehearsal import Rehearsal

FLOOR = "a Bolt app that imports the same cloud SDKs"
AIM = 1.5
Figures = tuple[float, float, float]  # ms to ready, MiB when ready, MiB when it has worked


def rows(rounds: int = 5) -> list[Row]:
    with town() as here:
        ours, floor = alternating(rounds, lambda: _ours(here), _floor)
    named = (("start to ready", "ms"), ("memory when ready", "MiB"), ("memory after a first answer", "MiB"))
    return [
        beside(what, unit, [o[index] for o in ours], [f[index] for f in floor], FLOOR, at_most=AIM)
        for index, (what, unit) in enumerate(named)
    ]


def _ours(here: Rehearsal) -> Figures:
    began = time.perf_counter()
    here.bot.start()
    try:
        wait_ready(here.bot.url)
        took_ms = (time.perf_counter() - began) * 1000
        fresh = memory_mib(here.bot.pid)
        _answer(here)  # the SDKs are imported when they are first needed
        return took_ms, fresh, memory_mib(here.bot.pid)
    finally:
        here.bot.kill()


def _floor() -> Figures:
    began = time.perf_counter()
    with bare("--sdks") as (_, pid):
        return (time.perf_counter() - began) * 1000, memory_mib(pid), memory_mib(pid)


def _answer(here: Rehearsal) -> None:
    """ana asks how the service is, and sees it."""
    before = len(here.people.ephemerals(ANA))
    here.people.slash(ANA, CHANNEL, "status backend")
    until(lambda: len(here.people.ephemerals(ANA)) != before, "ana got no answer", patience_s=30.0, every_s=0.05)
