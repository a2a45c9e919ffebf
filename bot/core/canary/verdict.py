"""What the judge says of a canary, and the words in which it says so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from bot.core.canary.evidence import Sample
from bot.core.canary.rules import Metric
from bot.core.lastgood import percent

Decision = Literal["promote", "hold", "roll_back"]
LONG = 60  # minutes for which nobody likes to wait


class Look(BaseModel, frozen=True):
    """What was found of one metric in all minutes in which both served."""

    metric: str
    canary_total: int
    canary_bad: int
    stable_total: int
    stable_bad: int
    e_value: float  # 1: nothing speaks against the canary
    rollback_from: float  # the e-value from which on it is rolled back
    bursts: float  # how many bad answers of the stable release come at once
    highest_excess_pp: float  # of bad answers, above the stable release's
    promote_below_pp: float


class Verdict(BaseModel, frozen=True):
    """One verdict. `more_requests` of the canary are still needed, in about `more_minutes` at the rate of now.

    `why` is a word or two to count verdicts by.
    """

    at: datetime
    decision: Decision
    why: str
    sentence: str
    weight_pct: int
    to_pct: int | None = None  # where a promotion leads
    more_requests: int = 0
    more_minutes: int | None = None  # None where nobody can tell
    looks: tuple[Look, ...] = ()


def against(metric: Metric, seen: Sample, stable: str) -> str:
    """ "4.8 % errors (29 of 604 requests) against 1 % of backend-00041 (54 of 5,432)" """
    canary = f"{percent(seen.canary_share)} {metric.noun} ({seen.canary_bad:,} of {seen.canary:,} requests)"
    return f"{canary} against {percent(seen.stable_share)} of {stable} ({seen.stable_bad:,} of {seen.stable:,})"


def so_far(seen: Sequence[tuple[Metric, Sample]]) -> str:
    """ "0.2 % errors against 0.1 % and 5 % answers over 300 ms against 4 % in 604 requests" """
    shares = (f"{percent(one.canary_share)} {metric.noun} against {percent(one.stable_share)}" for metric, one in seen)
    return f"{' and '.join(shares)} in {counted(max(one.canary for _, one in seen), 'request')}"


def alone(seen: Sequence[tuple[Metric, Sample]]) -> str:
    """ "0.2 % errors and 5 % answers over 300 ms in 604 requests" """
    shares = " and ".join(f"{percent(one.canary_share)} {metric.noun}" for metric, one in seen)
    return f"{shares} in {counted(max(one.canary for _, one in seen), 'request')}"


def counted(count: int, thing: str) -> str:
    """ "1 request", "1,204 requests" """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def chance(e_value: float) -> str:
    """How rarely a good release looks so bad; `e_value` of all metrics together."""
    return f"Chance alone shows that in fewer than 1 of {int(min(e_value, 1e6)):,} good releases."


def needed(canary: str, count: int, minutes: int | None, per_minute: float) -> str:
    """How many more requests, and how long they take to come."""
    rate = f"{per_minute:,.0f}" if per_minute >= 10 else f"{per_minute:.2g}"
    if minutes is None:
        return f"At {rate} a minute more would take too long to come: raise its weight or send synthetic traffic."
    some = f"About {count:,} more requests of {canary} are needed, {span(minutes)} at {rate} a minute"
    return f"{some}; more weight or synthetic traffic makes that shorter." if minutes > LONG else f"{some}."


def span(minutes: float) -> str:
    """ "12 min", "4 h", "1 h 30 min", "3 days" """
    whole = max(1, round(minutes))
    if whole < 60:
        return f"{whole} min"
    if whole >= 2 * 24 * 60:
        return f"{round(whole / (24 * 60))} days"
    hours, rest = divmod(whole, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
