"""What is left of an error budget, how fast it burns, and what that asks of a release. Never of a rollback or a fix.

What follows from the budget left is after the example policy of sre.google/workbook/error-budget-policy.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from bot.core.burn import BurnAlert, Urgency
from bot.core.instants import in_utc
from bot.core.lastgood import percent
from bot.core.promises import Slo
from bot.core.units import Duration, Model, duration_text

Known = Literal["known", "unknown", "insufficient"]
Level = Literal["normal", "smaller steps", "owner approval", "fixes only"]
Asked = Literal["unknown", "normal", "smaller steps", "owner approval", "fixes only"]
HALF, LITTLE = 0.5, 0.2  # of the budget
ENOUGH_BAD = 10  # answers that the objective must allow in a window before its budget means something
ROUNDING = 1e-9
ASKS: dict[Level, str] = {
    "normal": "releases go out as usual",
    "smaller steps": "releases go out in smaller steps",
    "owner approval": "the service's owner is to approve a release",
    "fixes only": "only fixes and rollbacks go out",
}


class Objective(Model):
    """An objective as budgets are reckoned with it. Refused when one of its alerts can never fire."""

    slo: Slo
    stale_after: Duration = timedelta(minutes=10)  # older counts say nothing about now
    min_bad: int = Field(3, ge=1)  # bad answers in the long window, without which nothing fires

    @model_validator(mode="after")
    def _can_fire(self) -> "Objective":
        if fault := next(filter(None, map(self.slo.never_fires, self.slo.burn_alerts)), ""):
            raise ValueError(fault)
        return self


class Counted(BaseModel, frozen=True):
    """Answers of a service between two instants."""

    since: AwareDatetime
    until: AwareDatetime
    total: int = Field(ge=0)
    bad: int = Field(ge=0)


class Burn(BaseModel, frozen=True):
    """How fast the budget burns in the windows of one alert; no rate where nothing was answered."""

    alert: BurnAlert
    threshold: float
    long_rate: float | None
    short_rate: float | None
    firing: bool


class ErrorBudget(BaseModel, frozen=True):
    """What is known of a budget. `left` is 1 when nothing is spent, below 0 when more is; None unless it is known."""

    state: Known
    left: float | None
    level: Level
    burning: Urgency | None  # the more urgent alert that fires
    burns: tuple[Burn, ...]
    sentence: str

    @property
    def asked(self) -> Asked:
        """In one word for policies."""
        return "unknown" if self.state == "unknown" else self.level

    @property
    def left_pct(self) -> float | None:
        """In percent of the budget; None unless it is known."""
        return None if self.left is None else 100 * self.left

    @property
    def smaller_steps(self) -> bool:
        """Whether a release is to go out in smaller steps; not while nobody knows, which a person decides on."""
        return self.state != "unknown" and self.level != "normal"


def error_budget(
    objective: Objective, counted: Sequence[Counted], counted_until: datetime | None, now: datetime
) -> ErrorBudget:
    """What is known of the budget now.

    `counted` does not overlap, may be coarse far back and leave out times without requests. `counted_until` is the
    instant up to which monitoring has counted, whether or not there were requests; None when it could not be read.
    """
    if counted_until is None or now - counted_until > objective.stale_after:
        return _unknown(counted_until)
    burns = tuple(_burn(objective, alert, counted, counted_until) for alert in objective.slo.burn_alerts)
    window, allowed = objective.slo.window, objective.slo.error_ratio
    total, bad = _answers(counted, counted_until - window, counted_until)
    enough = total * allowed >= ENOUGH_BAD
    left = 1 - bad / (allowed * total) if enough else None
    firing = {burn.alert.urgency for burn in burns if burn.firing}
    burning: Urgency | None = "page" if "page" in firing else "ticket" if firing else None
    level = _level(left, burning)
    said = _left(left, window) if left is not None else _too_few(total, allowed, window)
    sentence = f"{said}{_speed(burns)}; {ASKS[level]}."
    state: Known = "known" if enough else "insufficient"
    return ErrorBudget(state=state, left=left, level=level, burning=burning, burns=burns, sentence=sentence)


def _unknown(counted_until: datetime | None) -> ErrorBudget:
    """Neither a block nor a pass: somebody who knows the service looks."""
    why = "monitoring could not be read"
    if counted_until:
        why = f"nothing was counted after {in_utc(counted_until)}"
    level: Level = "owner approval"
    sentence = f"The error budget is unknown, because {why}; {ASKS[level]}."
    return ErrorBudget(state="unknown", left=None, level=level, burning=None, burns=(), sentence=sentence)


def _level(left: float | None, burning: Urgency | None) -> Level:
    if burning == "page" or (left is not None and left <= 0):
        return "fixes only"
    if left is None or left > HALF:
        return "normal"
    return "smaller steps" if left > LITTLE else "owner approval"


def _burn(objective: Objective, alert: BurnAlert, counted: Iterable[Counted], until: datetime) -> Burn:
    allowed, threshold = objective.slo.error_ratio, alert.threshold(objective.slo.window)
    (total, bad), (soon, soon_bad) = (_answers(counted, until - span, until) for span in (alert.long, alert.short))
    long_rate = bad / total / allowed if total else None
    short_rate = soon_bad / soon / allowed if soon else None
    slower = min(long_rate or 0.0, short_rate or 0.0)
    firing = slower >= threshold * (1 - ROUNDING) and bad >= objective.min_bad
    return Burn(alert=alert, threshold=threshold, long_rate=long_rate, short_rate=short_rate, firing=firing)


def _answers(counted: Iterable[Counted], since: datetime, until: datetime) -> tuple[float, float]:
    """All and bad ones between two instants; of a count that only reaches into the time, the part that does."""
    total = bad = 0.0
    for one in counted:
        inside = min(one.until, until) - max(one.since, since)
        if inside > timedelta(0):
            part = inside / (one.until - one.since)
            total, bad = total + one.total * part, bad + one.bad * part
    return total, bad


def _left(left: float, window: timedelta) -> str:
    if left < 0:
        return f"The error budget of {duration_text(window)} is overspent by {percent(-left)}"
    return f"{percent(left)} of the error budget of {duration_text(window)} is left"


def _too_few(total: float, allowed: float, window: timedelta) -> str:
    enough = f"{ENOUGH_BAD / allowed:,.0f} would tell"
    return f"{total:,.0f} answers in {duration_text(window)} are too few for an error budget, {enough}"


def _speed(burns: Iterable[Burn]) -> str:
    """The alert that fires, the more urgent first; nothing when none does."""
    firing = sorted((burn for burn in burns if burn.firing), key=lambda burn: burn.alert.urgency != "page")
    if not firing:
        return ""
    first = firing[0]
    slower = min(first.long_rate or 0, first.short_rate or 0)
    rate = f"{slower:,.0f}" if slower >= 100 else f"{slower:.3g}"
    return f", and it burns {rate} times as fast as it may ({first.alert.name}, from {first.threshold:.3g})"
