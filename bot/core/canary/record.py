"""What a canary was judged on: counts per minute as monitoring told them, kept so that they can be judged again."""

from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

from pydantic import AwareDatetime, Field, NonNegativeInt, field_validator

from bot.core.canary.rules import CanaryRules
from bot.core.units import Model

RECORD, VERDICT = "record", "verdict"  # as what a look keeps them in its evidence


class Tally(Model):
    """Requests of one release in one minute, and how many were answered badly, by metric.

    A metric that is left out was not counted, which is not the same as 0.
    """

    total: int = Field(0, ge=0)
    bad: dict[str, NonNegativeInt] = Field({})

    def tells(self, metric: str) -> bool:
        """Whether it was counted, and no more answers were bad than there were."""
        return 0 <= self.bad.get(metric, -1 if self.total else 0) <= self.total


class Minute(Model):
    """What both releases answered in the minute up to `until`, a whole minute of the clock."""

    until: AwareDatetime
    canary: Tally = Tally()
    stable: Tally = Tally()

    @field_validator("until")
    @classmethod
    def _whole(cls, until: datetime) -> datetime:
        if until.second or until.microsecond:
            raise ValueError(f"{until.isoformat()} is within a minute: ask monitoring for whole minutes of the clock")
        return until

    @cached_property
    def number(self) -> int:
        """Minutes since 1970 at its end."""
        return number_of(self.until)


class Shift(Model):
    """Since when the canary gets how much of the traffic."""

    since: AwareDatetime
    weight_pct: int = Field(ge=1, le=100)


class Reading(Model):
    """One look at monitoring: the minutes that were new or had changed since the look before."""

    at: AwareDatetime
    minutes: tuple[Minute, ...] = ()


class CanaryRecord(Model):
    """All that a canary was judged on, to be kept and judged again.

    `history` is the stable release's last hour before, a tally a minute: it tells whether its bad answers come in
    bursts. `lag_s` is how late the platform's counts may be. Readings are in the order in which they were made.
    `canary` and `stable` are the releases' names.
    """

    canary: str
    stable: str
    rules: CanaryRules = CanaryRules()
    lag_s: int = Field(0, ge=0)
    history: tuple[Tally, ...] = ()
    shifts: tuple[Shift, ...] = Field(min_length=1)
    readings: tuple[Reading, ...] = ()

    @field_validator("shifts")
    @classmethod
    def _in_order(cls, shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
        if any(one.since > other.since for one, other in pairwise(shifts)):
            raise ValueError("the shifts are not in the order of time: write the oldest first")
        return shifts

    def shifted(self, since: datetime, weight_pct: int) -> "CanaryRecord":
        """With the canary at another weight from an instant on; a clock that went back is not followed."""
        shift = Shift(since=max(since, self.shifts[-1].since), weight_pct=weight_pct)
        return self.model_copy(update={"shifts": (*self.shifts, shift)})

    def read(self, at: datetime, minutes: tuple[Minute, ...]) -> "CanaryRecord":
        """With one more look: `minutes` is all that monitoring tells from the first shift on, in any order.

        Kept is what changed; a minute that monitoring no longer has is kept as one without requests.
        """
        known = {minute.until: minute for reading in self.readings for minute in reading.minutes}
        now = {until: Minute(until=until) for until in known} | {minute.until: minute for minute in minutes}
        changed = tuple(minute for until, minute in sorted(now.items()) if known.get(until) != minute)
        return self.model_copy(update={"readings": (*self.readings, Reading(at=at, minutes=changed))})


def number_of(at: datetime) -> int:
    """The whole minutes from 1970 to an instant."""
    return int(at.timestamp() // 60)


def instant_of(number: int) -> datetime:
    """The instant of such a number."""
    return datetime.fromtimestamp(number * 60, UTC)
