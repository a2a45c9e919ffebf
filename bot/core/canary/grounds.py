"""The grounds on which a canary goes on, waits or goes back, in the order in which they are looked for."""

import math
from collections.abc import Callable
from typing import Any

from bot.core.canary.analysis import NOW_MINUTES, Analysis, Found
from bot.core.canary.bounds import MOST_BURSTS, minutes_until
from bot.core.canary.record import instant_of
from bot.core.canary.verdict import Decision, Look, Verdict, against, alone, chance, counted, needed, so_far, span
from bot.core.lastgood import percent

HIGHEST_E_VALUE = 1e9  # that is told; beyond, it is only a large number


class Grounds:
    """One verdict; each ground gives it or passes on to the next."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis, self.rules = analysis, analysis.rules
        self.canary, self.stable = analysis.record.canary, analysis.record.stable
        self.weight = analysis.shifted.weight_pct
        self.to = self.rules.next_pct(self.weight)
        self.found = analysis.found()
        self.seen = [(one.metric, one.total) for one in self.found]

    def verdict(self) -> Verdict:
        grounds: tuple[Callable[[], Verdict | None], ...] = (
            self._trouble, self._worse, self._beyond, self._everything, self._failing, self._unsure, self._baking,
        )  # fmt: skip
        return next((found for ground in grounds if (found := ground())), None) or self._good()

    def _trouble(self) -> Verdict | None:
        if trouble := self.analysis.minutes.trouble():
            return self._hold(trouble.why, f"{trouble.clause}.")
        if not self.analysis.counted:
            return self._hold("no data", "nothing has been counted yet.")
        return None

    def _worse(self) -> Verdict | None:
        decisive = [one for one in self.found if self._decides(one)]
        if not decisive:
            return None
        worst = max(decisive, key=lambda one: one.steady_e_value)
        counts = against(worst.metric, worst.worse, self.stable)
        since = f"since {instant_of(worst.worse_since):%H:%M} UTC"
        said = f"Roll back {self.canary}: {counts} {since}. {chance(worst.steady_e_value / len(self.found))}"
        return self._give("roll_back", "worse", said)

    def _decides(self, one: Found) -> bool:
        bad, often = one.worse.canary_bad, one.worse.bad_minutes >= self.rules.min_bad_minutes
        return (
            one.steady_e_value >= self.rules.decisive_e_value
            and one.matters
            and bad >= self.rules.min_bad
            and (often or bad >= self.rules.min_bad * MOST_BURSTS)  # more than the worst burst
        )

    def _beyond(self) -> Verdict | None:
        one = next((one for one in self.found if one.over_limit), None)
        if one is None:
            return None
        counts = f"{percent(one.now.canary_share)} {one.metric.noun} in {counted(one.now.canary, 'request')}"
        limit = f"the limit is {percent(one.metric.limit)}, and {self.stable} keeps it"
        said = f"Roll back {self.canary}: {counts} of the last {NOW_MINUTES} minutes, and not only these; {limit}."
        return self._give("roll_back", "over the limit", said)

    def _everything(self) -> Verdict | None:
        """With all traffic there is nothing to compare with: only the static limit is left, and time."""
        if self.to is not None:
            return None
        left = self._left(self.rules.watch_s)
        served = alone(list(zip(self.rules.metrics, self.analysis.since_shift(), strict=True)))
        if left > 0:
            said = f"it is watched for another {span(left)}; so far {served}."
            return self._hold("watching", said, more_minutes=left)
        watched = f"for {span(self.rules.watch_s / 60)} it has served all traffic with {served}"
        return self._give("promote", "watched", f"Keep {self.canary}: {watched}.")

    def _failing(self) -> Verdict | None:
        one = next((one for one in self.found if one.stable_bad and (one.canary_bad or one.highest >= 0)), None)
        if one is None:
            return None
        noun, canary, stable = one.metric.noun, percent(one.now.canary_share), percent(one.now.stable_share)
        if one.canary_bad:
            clause = f"both releases are bad, {canary} {noun} of {self.canary} and {stable} of {self.stable}"
            return self._hold("both bad", f"{clause}. Rolling back would not help: look at what they share.")
        clause = f"{self.stable} itself is bad, {stable} {noun}, so it is no measure for the {canary} of {self.canary}."
        return self._hold("stable bad", clause)

    def _unsure(self) -> Verdict | None:
        short = [one for one in self.found if one.highest >= one.margin]
        suspects = [one for one in self.found if one.e_value >= self.rules.unsure_above and one.matters]
        if suspects:
            return self._suspect(max(suspects, key=lambda one: one.e_value), short)
        if not short:
            return None
        if not short[0].now.canary:
            clause = f"no requests reach {self.canary}. Raise its weight or send synthetic traffic."
            return self._hold("no requests", clause)
        bursts = max(one.bursts for one in short)
        while_in = f" while bad answers come about {bursts:.0f} at a time" if bursts >= 2 else ""
        return self._wait("too few requests", f"too few requests to tell{while_in}; so far {so_far(self.seen)}.", short)

    def _suspect(self, one: Found, short: list[Found]) -> Verdict:
        doubt = "but it may be chance"
        if one.e_value >= self.rules.decisive_e_value:
            bursts = "one burst" if one.worse.bad_minutes == 1 else "bursts"
            doubt = f"but so many in {counted(one.worse.bad_minutes, 'minute')} may be {bursts}"
        return self._wait(
            "unsure", f"{self.canary} looks worse, {against(one.metric, one.worse, self.stable)}, {doubt}.", short
        )

    def _wait(self, why: str, clause: str, short: list[Found]) -> Verdict:
        """Hold, and say how long until the bounds of those that are short could be below what is tolerated."""
        if not short:
            return self._hold(why, clause)
        per_minute = short[0].per_minute
        waits = [minutes_until(one.whole, per_minute, one.bursts, self.analysis.z, one.margin) for one in short]
        longest = None if None in waits else max(wait for wait in waits if wait is not None)
        count = math.ceil((longest or 0) * per_minute[0])
        clause = f"{clause} {needed(self.canary, count, longest, per_minute[0])}"
        return self._hold(why, clause, more_requests=count, more_minutes=longest)

    def _baking(self) -> Verdict | None:
        left = self._left(self.rules.bake_s)
        if left <= 0:
            return None
        return self._hold(
            "baking", f"it bakes for another {span(left)}; so far {so_far(self.seen)}.", more_minutes=left
        )

    def _good(self) -> Verdict:
        worse = any(one.e_value >= self.rules.unsure_above for one in self.found)
        as_good = f"{'hardly worse than' if worse else 'as good as'} {self.stable}"
        said = f"Promote {self.canary} to {self.to} %: {as_good}, {so_far(self.seen)}."
        return self._give("promote", "good enough", said, to_pct=self.to)

    def _left(self, enough_s: int) -> int:
        """Minutes until so much of the time at this weight has been counted."""
        counted_s = self.analysis.minutes.settled * 60 - self.analysis.shifted.since.timestamp()
        return math.ceil((enough_s - counted_s) / 60)

    def _hold(self, why: str, clause: str, **more: Any) -> Verdict:
        return self._give("hold", why, f"Hold at {self.weight} %: {clause}", **more)

    def _give(self, decision: Decision, why: str, sentence: str, **more: Any) -> Verdict:
        return Verdict(
            at=self.analysis.at,
            decision=decision,
            why=why,
            sentence=sentence,
            weight_pct=self.weight,
            looks=tuple(_look(one, self.rules.decisive_e_value) for one in self.found),
            **more,
        )


def _look(one: Found, rollback_from: float) -> Look:
    return Look(
        metric=one.metric.name,
        canary_total=one.total.canary,
        canary_bad=one.total.canary_bad,
        stable_total=one.total.stable,
        stable_bad=one.total.stable_bad,
        e_value=round(min(one.steady_e_value, HIGHEST_E_VALUE), 3),
        rollback_from=rollback_from,
        bursts=round(one.bursts, 2),
        highest_excess_pp=round(one.highest * 100, 3),
        promote_below_pp=round(one.margin * 100, 3),
    )
