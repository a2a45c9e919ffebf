"""What a canary was judged on, as lines over time: the new release against the old one."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.answer import Series
from bot.core.canary.record import CanaryRecord, Minute, Tally


def charts(counts: CanaryRecord) -> Iterator[Series]:
    """Bad answers of both, minute by minute, as monitoring told them last; a line a release, a chart a metric."""
    known: dict[datetime, Minute] = {one.until: one for reading in counts.readings for one in reading.minutes}
    at = tuple(sorted(known))
    for metric in counts.rules.metrics:
        lines = {
            f"{counts.canary} (new)": tuple(_percent(known[until].canary, metric.name) for until in at),
            f"{counts.stable} (old)": tuple(_percent(known[until].stable, metric.name) for until in at),
        }
        yield Series(title=metric.noun.capitalize(), unit="%", at=at, lines=lines)


def _percent(tally: Tally, metric: str) -> float | None:
    return round(100 * tally.bad.get(metric, 0) / tally.total, 3) if tally.total and tally.tells(metric) else None
