"""Which release served all traffic last and served it well: pure functions over what was seen.

A span is a time in which traffic was split in one way; what monitoring counted gives the same spans, coarser.
A split proves nothing about its members, so only spans of one release count, and all spans of a release together.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from bot.core.ports import Requests
from bot.core.system import Serving

Health = Literal["good", "bad", "few", "unknown"]


class Past(BaseModel, frozen=True):
    """What one release did while it served all traffic."""

    release: str
    until: datetime
    total: int
    errors: int
    health: Health

    @property
    def error_rate(self) -> float:
        """0..1; 0 without requests."""
        return self.errors / self.total if self.total else 0.0

    def sentence(self) -> str:
        """How well it served."""
        when = f"until {self.until:%Y-%m-%d %H:%M} UTC"
        if self.health == "unknown":
            return f"{self.release} served all traffic {when}; how well could not be read"
        rate = f"{percent(self.error_rate)} errors in {self.total:,} requests"
        return f"{self.release} served all traffic {when} with {rate}"


def percent(share: float) -> str:
    """A share as people read it: "12 %", "1.5 %", "0.1 %", "0.02 %"."""
    value = share * 100
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 0.095 else 2
    return f"{value:.{digits}f}".removesuffix(".0") + " %"


def spans_of(counts: Iterable[Requests], step_s: int, ignore: frozenset[str]) -> tuple[Serving, ...]:
    """Spans of serving, newest first, from requests per release and step; `ignore` are releases seen by tag only."""
    by_step: dict[datetime, list[Requests]] = {}
    for one in counts:
        if one.release not in ignore and one.total:
            by_step.setdefault(one.until, []).append(one)
    spans = []
    for until, served in sorted(by_step.items(), reverse=True):
        whole = sum(one.total for one in served)
        split = {one.release: round(100 * one.total / whole) for one in served}
        if len(served) == 1:
            split = {served[0].release: 100}
        spans.append(
            Serving(
                split=split,
                version="",
                since=until - timedelta(seconds=step_s),
                until=until,
                total=whole,
                errors=sum(one.errors for one in served),
                counted_until=until,
            )
        )
    return tuple(spans)


def pasts(
    spans: Sequence[Serving], *, now: datetime, max_age: timedelta, min_requests: int, error_ratio: float
) -> tuple[Past, ...]:
    """Releases that served all traffic within `max_age`, most recent first, each with how well it did."""
    alone = [span for span in spans if len(span.split) == 1 and now - span.until <= max_age]
    order = list(dict.fromkeys(next(iter(span.split)) for span in alone))
    return tuple(
        _past(name, [span for span in alone if name in span.split], min_requests, error_ratio) for name in order
    )


def _past(release: str, spans: Sequence[Serving], min_requests: int, error_ratio: float) -> Past:
    total, errors = sum(span.total for span in spans), sum(span.errors for span in spans)
    counted = any(span.counted_until for span in spans)
    if total and errors / total > error_ratio and errors > error_ratio * min_requests:
        health: Health = "bad"
    elif total >= min_requests:
        health = "good" if errors / total <= error_ratio else "bad"
    else:
        health = "few" if counted else "unknown"
    return Past(release=release, until=max(span.until for span in spans), total=total, errors=errors, health=health)


def merged(own: Iterable[Past], counted: Iterable[Past]) -> tuple[Past, ...]:
    """Two memories of the same releases: who saw more requests tells how well, both tell until when."""
    known: dict[str, Past] = {}
    for past in (*own, *counted):
        other = known.get(past.release, past)
        better = past if past.total > other.total else other
        known[past.release] = better.model_copy(update={"until": max(past.until, other.until)})
    return tuple(sorted(known.values(), key=lambda past: past.until, reverse=True))
