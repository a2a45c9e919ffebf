"""Whether a canary goes on, waits or goes back: verdicts as functions of what was counted, minute by minute.

A release is rolled back when the sequential test of `evidence` speaks against it on any metric, or when it is beyond a
static limit and the stable release is not. It is promoted when it has baked, no metric speaks against it, and the upper
bound of what it would spoil at the next weight is below what is tolerated. Anything else holds: too few requests,
counts that are late, missing or shrinking, both releases bad. No data never promotes and never rolls back.

Never ask this of a rollback: a rescue waits for no counts, and is not measured by the release that it leaves. Nor does
it say whether a release is ready; one that is not gets no traffic at all. Whoever calls sees to both.
"""

from collections.abc import Iterator

from bot.core.canary.analysis import Analysis
from bot.core.canary.grounds import Grounds
from bot.core.canary.record import CanaryRecord
from bot.core.canary.verdict import Verdict


def judge(record: CanaryRecord) -> Verdict:
    """The verdict at the last reading. To promote leads to the weight `to_pct`; at 100 % it means that it stays."""
    analysis = Analysis(record)
    for _ in _read(analysis):
        pass
    return verdict(analysis)


def replay(record: CanaryRecord) -> list[Verdict]:
    """The verdict at each reading, as it was then."""
    analysis = Analysis(record)
    return [verdict(analysis) for _ in _read(analysis)]


def verdict(analysis: Analysis) -> Verdict:
    """What follows from all that an analysis has read."""
    return Grounds(analysis).verdict()


def _read(analysis: Analysis) -> Iterator[None]:
    """Give an analysis all of its record, and stop after each reading."""
    later = list(analysis.record.shifts[1:])
    for reading in analysis.record.readings:
        while later and later[0].since <= reading.at:
            analysis.shift(later.pop(0))
        analysis.read(reading)
        yield
