"""How long do the judge's verdicts take, for as many services as one bot may look after?"""

import time
from collections.abc import Sequence

from benchmarks.measure import Row, alone, elapsed_ms
from benchmarks.questions.judge import GOOD, RATES
from benchmarks.rollouts import NOON, RULES, UNTIL, read
from benchmarks.streams import stream
from bot.core.canary.record import CanaryRecord, Shift
from bot.core.judge import judge, replay

WITHIN_S, AFRESH = 60.0, 20


def rows(services: int = 200, rounds: int = 1) -> list[Row]:
    """All verdicts of four hours, asked every minute; and the last of them from what is kept, without the others."""
    records = [_record(number) for number in range(services)]
    name = f"{services} services, {len(UNTIL)} verdicts each, seconds of one core"
    afresh = [elapsed_ms(lambda record=record: judge(record)) for record in records[:AFRESH]]  # type: ignore[misc]
    return [
        alone(name, "s", [_seconds(records) for _ in range(rounds)], below=WITHIN_S),
        alone(f"one verdict from a record of {len(UNTIL)} minutes", "ms", afresh),
    ]


def _record(number: int) -> CanaryRecord:
    """Four hours of a good release at its first weight."""
    scenario = GOOD[number % 2]
    requests = stream(scenario, RATES[number % len(RATES)], 1, seed=(2027, number))
    readings = tuple(read(requests, 0, RULES.weights_pct[0]))
    shifts = (Shift(since=NOON, weight_pct=RULES.weights_pct[0]),)
    return CanaryRecord(canary="canary", stable="stable", rules=RULES, shifts=shifts, readings=readings)


def _seconds(records: Sequence[CanaryRecord]) -> float:
    """That a core worked on it, whatever else it did meanwhile."""
    began = time.process_time()
    for record in records:
        replay(record)
    return time.process_time() - began
