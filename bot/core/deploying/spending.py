"""What a release owes to the error budget of its service: smaller steps, facts for policies, and a sentence."""

from datetime import datetime

from bot.core.budget import budget_of, told
from bot.core.catalog import Catalog
from bot.core.deploying.course import Course
from bot.core.plan import Plan
from bot.core.ports import MetricReads
from bot.core.request import Target
from bot.core.slo import ErrorBudget

FIX = "It is called a fix, of which the error budget asks nothing."


class Spending:
    """Of one release. What gets no traffic spends nothing, and of a fix nothing is asked: neither reads monitoring."""

    def __init__(
        self, target: Target, metrics: MetricReads, catalog: Catalog, now: datetime, *, fix: bool, idle: bool
    ) -> None:
        self._fix = fix
        self._budget: ErrorBudget | None = None if fix or idle else budget_of(target, metrics, catalog, now)

    def course(self, usual: Course, *, chosen: bool) -> Course:
        """In smaller steps where little is known to be left, unless somebody chose the steps."""
        is_short = self._budget is not None and self._budget.smaller_steps
        return usual.smaller() if is_short and not chosen else usual

    def of(self, plan: Plan) -> Plan:
        """The plan, with what it depends on."""
        if self._budget is None:
            return plan.model_copy(update={"notes": (*plan.notes, FIX)}) if self._fix else plan
        facts, measured = told(self._budget)
        calm = self._budget.asked == "normal" and self._budget.burning is None
        said = () if calm else (self._budget.sentence,)
        return plan.model_copy(
            update={
                "facts": {**plan.facts, **facts},
                "measured": {**plan.measured, **measured},
                "notes": (*plan.notes, *said),
            }
        )
