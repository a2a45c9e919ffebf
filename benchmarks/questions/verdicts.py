"""How long do the judge's verdicts take, for as many services as one bot may look after?"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.measure import Row, alone
from benchmarks.questions.judge import GOOD, RATES
from benchmarks.rollouts import NOON, RULES, UNTIL, read
from benchmarks.streams import stream
from bot.core.canary.record import CanaryRecord, Shift
from bot.core.judge import judge, replay

WITHIN_S = 60.0


def rows(services: int = 200, rounds: int = 1) -> list[Row]:
    """All verdicts of four hours, asked every minute; and the last of them as a deploy asks, from what it kept."""
    records = [_record(number) for number in range(services)]
    kept = [record.model_dump(mode="json") for record in records]
    every, last = (
        f"{services} services, {len(UNTIL)} verdicts each",
        f"{services} services, verdict {len(UNTIL)} of each",
    )
    return [
        alone(f"{every}, seconds of one core", "s", _seconds(rounds, replay, records), below=WITHIN_S),
        alone(f"{last} from what was kept, seconds of one core", "s", _seconds(rounds, _look, kept), below=WITHIN_S),
    ]


def _record(number: int) -> CanaryRecord:
    """Four hours of a good release at its first weight."""
    scenario = GOOD[number % 2]
    requests = stream(scenario, RATES[number % len(RATES)], 1, seed=(2027, number))
    readings = tuple(read(requests, 0, RULES.weights_pct[0]))
    shifts = (Shift(since=NOON, weight_pct=RULES.weights_pct[0]),)
    return CanaryRecord(canary="canary", stable="stable", rules=RULES, shifts=shifts, readings=readings)


def _look(kept: dict[str, Any]) -> None:
    """What a deploy does at each look, but for the questions to cloud and database: read, judge anew, keep."""
    record = CanaryRecord.model_validate(kept)
    judge(record)
    record.model_dump(mode="json")


def _seconds(rounds: int, judges: Callable[[Any], object], given: Iterable[Any]) -> list[float]:
    """That a core worked on all of it, whatever else it did meanwhile."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        for one in given:
            judges(one)
        took.append(time.process_time() - began)
    return took
