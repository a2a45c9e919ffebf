"""Which release served all traffic last and served it well: pure functions over what was seen.

A span is a time in which traffic was split in one way; what monitoring counted gives the same spans, coarser.
A split proves nothing about its members, so only spans of one release count, and all spans of a release together.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel

from bot.core.instants import in_utc
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
        when = f"until {in_utc(self.until)}"
        if self.health == "unknown":
            return f"{self.release} served all traffic {when}; how well could not be read"
        few = ", too few to tell" if self.health == "few" else ""
        rate = f"{percent(self.error_rate)} errors in {self.total:,} requests"
        return f"{self.release} served all traffic {when} with {rate}{few}"


class Bar(BaseModel, frozen=True):
    """What it takes to be a release that served well: over enough requests, not too long ago, with few errors."""

    now: datetime
    max_age: timedelta
    min_requests: int
    error_ratio: float  # 0..1

    def pasts(self, spans: Sequence[Serving]) -> tuple[Past, ...]:
        """Releases that served all traffic not too long ago, most recent first; `spans` are newest first."""
        alone = [span for span in spans if len(span.split) == 1 and self.now - span.until <= self.max_age]
        order = dict.fromkeys(next(iter(span.split)) for span in alone)
        return tuple(self._past(name, [span for span in alone if name in span.split]) for name in order)

    def _past(self, release: str, spans: Sequence[Serving]) -> Past:
        total, errors = sum(span.total for span in spans), sum(span.errors for span in spans)
        if errors > self.error_ratio * max(total, self.min_requests):
            health: Health = "bad"  # also when there were few: it has had more errors than enough would allow
        elif total >= self.min_requests:
            health = "good"
        else:
            health = "few" if any(span.counted_until for span in spans) else "unknown"
        return Past(release=release, until=max(span.until for span in spans), total=total, errors=errors, health=health)

    def why_not(self, past: Past) -> str:
        """Why a release is not one that served well."""
        if past.health == "bad":
            return f"it had {percent(past.error_rate)} errors, where {percent(self.error_ratio)} are allowed"
        answered = f"only {past.total:,} requests" if past.total else "no request"
        return f"it answered {answered}, and {self.min_requests:,} are needed to tell"


class Found(BaseModel, frozen=True):
    """The release to go back to, empty when there is none, and why each more recent one is not it."""

    release: str = ""
    skipped: tuple[str, ...] = ()


def last_good(pasts: Iterable[Past], existing: Collection[str], bar: Bar, *, blind: bool) -> Found:
    """The most recent release that served well and still exists.

    `blind`: monitoring could not be read, so a release is good unless it is known to be bad.
    """
    skipped: list[str] = []
    for past in pasts:
        if past.release not in existing:
            skipped.append(f"{past.release} served before, but was deleted since.")
        elif past.health == "good" or (blind and past.health != "bad"):
            return Found(release=past.release, skipped=tuple(skipped))
        else:
            skipped.append(f"Not {past.release}: {bar.why_not(past)}.")
    return Found(skipped=tuple(skipped))


def percent(share: float) -> str:
    """A share as people read it: "12 %", "1.5 %", "0.1 %", "0.02 %"."""
    value = share * 100
    if 0 < value < 0.005:
        return "under 0.01 %"
    digits = 0 if value >= 10 or value == 0 else 1 if value >= 0.095 else 2
    return f"{value:.{digits}f}".removesuffix(".0") + " %"


def spans_of(counts: Iterable[Requests], step_s: int, ignore: frozenset[str]) -> tuple[Serving, ...]:
    """Spans of serving, newest first, from requests per release and step; `ignore` are releases seen by tag only."""
    by_step: dict[datetime, list[Requests]] = {}
    for one in counts:
        if one.release not in ignore and one.total:
            by_step.setdefault(one.until, []).append(one)
    return tuple(_span(served, step_s) for _, served in sorted(by_step.items(), reverse=True))


def _span(served: Sequence[Requests], step_s: int) -> Serving:
    whole, until = sum(one.total for one in served), served[0].until
    return Serving(
        split={one.release: round(100 * one.total / whole) for one in served},
        version="",
        since=until - timedelta(seconds=step_s),
        until=until,
        total=whole,
        errors=sum(one.errors for one in served),
        counted_until=until,
    )


def merged(own: Iterable[Past], counted: Iterable[Past]) -> tuple[Past, ...]:
    """Two memories of the same releases: who saw more requests tells how well, both tell until when."""
    known: dict[str, Past] = {}
    for past in (*own, *counted):
        other = known.get(past.release, past)
        better = past if past.total > other.total else other
        known[past.release] = better.model_copy(update={"until": max(past.until, other.until)})
    return tuple(sorted(known.values(), key=lambda past: past.until, reverse=True))
