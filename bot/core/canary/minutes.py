"""The minutes of a canary as monitoring told them: which are judged, and which are late, missing or shrinking."""

import math
from typing import Literal, NamedTuple

from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally, instant_of, number_of

RECENT = 10  # minutes for which trouble is remembered
DUE = 20.0  # requests in a minute that none comes of by chance in fewer than one of 400 million minutes
Why = Literal["no data", "late", "missing", "contradictory", "shrinking"]


class Trouble(NamedTuple):
    """Why nothing can be told from the counts, as a clause."""

    why: Why
    clause: str


class Minutes:
    """Takes readings in their order. A minute is judged once the platform's lag has passed since its end."""

    def __init__(self, record: CanaryRecord) -> None:
        self._record, self._rules = record, record.rules
        self._known: dict[int, Minute] = {}
        self._shifts: list[Shift] = []
        self._left_out: set[int] = set()
        self._shifted_in: dict[int, float] = {}
        self._newest = self._due = 0
        self._absent: list[int] = []
        self._faults: list[tuple[int, Trouble]] = []  # since which minute each is to be remembered
        self._first = math.inf
        self.settled = 0  # the last minute that could be judged
        self._handed_out = 0  # up to which minute; what is counted after it changes nothing that was judged

    def shift(self, shift: Shift) -> None:
        """The canary gets another weight; the minutes in which it warms up are left out.

        Of one that needs none, the rest of the minute is judged too.
        """
        self._shifts.append(shift)
        began_s = shift.since.timestamp()
        warm_s = began_s + self._rules.warm_up_s
        cold = range(math.floor(began_s / 60) + 1, math.ceil(warm_s / 60) + 1)
        if self._rules.warm_up_s:
            self._left_out.update(cold)
        else:
            self._shifted_in |= {number: max(shift.weight_pct / 100, self.least_part(number)) for number in cold}
        self._first = min(self._first, cold.stop if self._rules.warm_up_s else cold.start)

    def least_part(self, number: int) -> float:
        """What the canary is to be taken to have had of a minute in which its weight changed, 0..1; 0 of others."""
        return self._shifted_in.get(number, 0.0)

    def read(self, reading: Reading) -> bool:
        """Take one reading; true when it changes what was handed out, so that all is to be judged again."""
        self._due = math.floor((reading.at.timestamp() - self._record.lag_s) / 60)
        changed = [minute for minute in reading.minutes if minute.number >= self._first]
        for minute in changed:
            if (known := self._known.get(minute.number)) and (clause := self._shrunk(known, minute)):
                self._faults.append((number_of(reading.at), Trouble("shrinking", clause)))
            self._known[minute.number] = minute
            self._newest = max(self._newest, minute.number)
        if any(minute.number <= self._handed_out for minute in changed):
            self.settled = self._handed_out = 0
            self._absent = []
            self._faults = [fault for fault in self._faults if fault[1].why == "shrinking"]
            return True
        return False

    def settle(self) -> list[Minute]:
        """The minutes that can be judged now and were not handed out before, oldest first."""
        last, after = min(self._due, self._newest), self._due - RECENT
        numbers = range(int(max(self._handed_out + 1, self._first)), last + 1)
        self.settled, self._handed_out = max(self.settled, self._due), max(self._handed_out, last)
        found: list[Minute] = []
        for number in numbers:
            if number in self._left_out:
                continue
            if minute := self._known.get(number):
                found.append(minute)
                self._look_at(number, minute)
            else:
                self._absent.append(number)
        self._absent = [number for number in self._absent if number > after]
        self._faults = [fault for fault in self._faults if fault[0] > after]
        return found

    def recent(self, count: int) -> list[Minute]:
        """Those of the last `count` that can be judged."""
        numbers = range(self._due - count + 1, self._due + 1)
        return [self._known[number] for number in numbers if number in self._known and number not in self._left_out]

    def trouble(self) -> Trouble | None:
        """What keeps the counts from being judged now."""
        if not self._newest:
            late = self._due - self._first >= self._rules.late_after_s / 60
            clause = f"monitoring has counted nothing since {self._record.canary} got traffic"
            return Trouble("late", clause) if late else Trouble("no data", "nothing has been counted yet")
        if (self._due - self._newest) * 60 > self._rules.late_after_s:
            return Trouble("late", f"monitoring is late and has counted nothing after {_clock(self._newest)}")
        return self._gap() or (self._faults[-1][1] if self._faults else None)

    def _gap(self) -> Trouble | None:
        gap = next((number for number in reversed(self._absent) if number < self._newest), None)
        if gap is None:
            return None
        around = self.recent(RECENT)
        usual = sum(minute.canary.total + minute.stable.total for minute in around) / max(1, len(around))
        if usual < DUE:
            return None
        return Trouble("missing", f"monitoring has no counts of the minute to {_clock(gap)}")

    def _look_at(self, number: int, minute: Minute) -> None:
        weight = self._weight(number)
        total = minute.canary.total + minute.stable.total
        parts = (
            (self._record.canary, minute.canary, total * weight / 100),
            (self._record.stable, minute.stable, total * (100 - weight) / 100),
        )
        for name, tally, due in parts:
            if trouble := self._fault(name, tally, due, number):
                self._faults.append((number, trouble))

    def _fault(self, name: str, tally: Tally, due: float, number: int) -> Trouble | None:
        if not tally.total and due >= DUE:
            clause = f"no requests of {name} in the minute to {_clock(number)}, where some {due:,.0f} were due"
            return Trouble("missing", f"monitoring has {clause}")
        for metric in self._rules.metrics:
            bad = tally.bad.get(metric.name)
            if bad is None and tally.total:
                clause = f"monitoring did not count {metric.noun} of {name} in the minute to {_clock(number)}"
                return Trouble("missing", clause)
            if bad is not None and bad > tally.total:
                clause = (
                    f"{bad:,} {metric.noun} in {tally.total:,} requests of {name} in the minute to {_clock(number)}"
                )
                return Trouble("contradictory", f"monitoring contradicts itself, {clause}")
        return None

    def _weight(self, number: int) -> int:
        """The canary's when a minute began."""
        began = instant_of(number - 1)
        return next((shift.weight_pct for shift in reversed(self._shifts) if shift.since <= began), 0)

    def _shrunk(self, known: Minute, now: Minute) -> str:
        for name, before, after in (
            (self._record.canary, known.canary, now.canary),
            (self._record.stable, known.stable, now.stable),
        ):
            minute = f"the minute to {_clock(now.number)}"
            if after.total < before.total:
                counts = f"{minute} had {before.total:,} requests of {name} and now has {after.total:,}"
                return f"monitoring took counts back, {counts}"
            if any(after.bad.get(metric, 0) < bad for metric, bad in before.bad.items()):
                return f"monitoring took counts back, {minute} had more bad answers of {name} before than now"
        return ""


def _clock(number: int) -> str:
    return f"{instant_of(number):%H:%M} UTC"
