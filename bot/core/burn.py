"""Alerts on how fast an error budget burns: their windows and thresholds, and why one could never fire.

A burn rate is the share of bad answers over the share that the objective allows: at 1 the budget lasts just as long
as its window. An alert looks at a long window, so that it means something, and at a short one, so that it ends soon
after what burned: sre.google/workbook/alerting-on-slos.
"""

import math
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from bot.core.units import Duration, Model, duration_text

DAY = timedelta(days=1)
Urgency = Literal["page", "ticket"]


class BurnAlert(Model):
    """Both windows must burn so fast that the long one alone would use up `budget_pct` of the whole budget."""

    long: Duration
    short: Duration
    budget_pct: float = Field(gt=0, le=100)
    urgency: Urgency

    @model_validator(mode="after")
    def _ordered(self) -> "BurnAlert":
        if not timedelta(0) < self.short < self.long:
            said = f"short {duration_text(self.short)} is not between 0 and long {duration_text(self.long)}"
            raise ValueError(f"{said}: write about a twelfth of the long window, such as 5m for 1h")
        return self

    @property
    def name(self) -> str:
        return f"{self.urgency} on {duration_text(self.long)} and {duration_text(self.short)}"

    def threshold(self, window: timedelta) -> float:
        """The burn rate from which on it fires: 14.4 for 2 % in 1 h of 30 days, 3.36 for the same in 7 days."""
        return self.budget_pct / 100 * (window / self.long)


ALERTS = (
    BurnAlert(long=timedelta(hours=1), short=timedelta(minutes=5), budget_pct=2, urgency="page"),
    BurnAlert(long=timedelta(hours=6), short=timedelta(minutes=30), budget_pct=5, urgency="page"),
    BurnAlert(long=timedelta(days=1), short=timedelta(hours=2), budget_pct=10, urgency="ticket"),
    BurnAlert(long=timedelta(days=3), short=timedelta(hours=6), budget_pct=10, urgency="ticket"),
)


def never_fires(alert: BurnAlert, allowed: float, window: timedelta) -> str:
    """Why an alert could not fire were every answer bad, and what to write instead; empty when it could.

    `allowed` is the share of answers that may be bad in the window of the objective.
    """
    if alert.long > window:
        said = f"the {alert.name} looks back further than the window of {duration_text(window)}"
        return f"{said}: write a long window of at most {duration_text(window)}"
    threshold = alert.threshold(window)
    if threshold * allowed <= 1 + 1e-9:
        return ""
    objective_pct = math.ceil(100 * 100 * (1 - 1 / threshold)) / 100
    budget_pct = math.floor(100 * 100 * (alert.long / window) / allowed) / 100
    longest = alert.long / (alert.budget_pct / 100 * allowed)
    whole = DAY if longest >= 2 * DAY else timedelta(hours=1)
    return (
        f"the {alert.name} can never fire: {threshold:.3g} times the {100 * allowed:.3g} % that may be bad is "
        f"{100 * threshold * allowed:,.0f} % of all answers. Write an objective_pct of {objective_pct:g} or more, a "
        f"window of at most {duration_text(longest // whole * whole)}, or a budget_pct of at most {budget_pct:g} for it"
    )
