"""What is left of a service's error budget, and how fast it burns."""

from collections.abc import Iterator

from bot.core.answer import Answer, Cell, Mood, Part, Table, Text
from bot.core.budget import budget_of
from bot.core.catalog import Catalog
from bot.core.operation import Look, Risk, ServiceRef, param
from bot.core.plan import Moment
from bot.core.ports import MetricReads
from bot.core.slo import Asked, Burn, ErrorBudget, Known
from bot.core.units import duration_text

MOODS: dict[Asked | Known, Mood] = {
    "fixes only": "bad",
    "owner approval": "warning",
    "smaller steps": "warning",
    "unknown": "warning",
    "known": "good",
}
COLUMNS = ("alert", "looks at", "burns", "fires from", "state")


class Slo(Look, risk=Risk.READ, examples=("slo backend",)):
    """Show what is left of a service's error budget, how fast it burns, and what that asks of a release."""

    service: ServiceRef = param("Service whose error budget is shown.", positional=True)

    def answer(self, metrics: MetricReads, catalog: Catalog, moment: Moment) -> Answer:
        budget = budget_of(self.service, metrics, catalog, moment.now)
        window = duration_text(catalog.slo(self.service).window)
        parts = (*self._promised(catalog), _left(budget), *_burning(budget, window))
        return Answer(title=f"Error budget of {self.service}", parts=parts, good=budget.asked != "fixes only")

    def _promised(self, catalog: Catalog) -> Iterator[Text]:
        slo = catalog.slo(self.service)
        promised = f"{slo.objective_pct:g} % of the requests in {duration_text(slo.window)}"
        yield Text(text=f"{promised} are to be answered well.")
        for said in filter(None, map(slo.never_fires, slo.burn_alerts)):
            yield Text(text=f"{said[:1].upper()}{said[1:]}.", mood="warning")


def _left(budget: ErrorBudget) -> Text:
    mood: Mood = "warning" if budget.burning else MOODS.get(budget.state, "plain")
    return Text(text=budget.sentence, mood=MOODS.get(budget.asked, mood))


def _burning(budget: ErrorBudget, window: str) -> Iterator[Part]:
    if budget.burns:
        yield Table(title=f"At 1x it lasts for {window}", columns=COLUMNS, rows=tuple(map(_row, budget.burns)))


def _row(burn: Burn) -> tuple[Cell, ...]:
    alert = burn.alert
    windows = f"{duration_text(alert.long)} and {duration_text(alert.short)}"
    rates = f"{_rate(burn.long_rate)} and {_rate(burn.short_rate)}"
    return alert.urgency, windows, rates, f"{burn.threshold:.3g}x", "fires" if burn.firing else "quiet"


def _rate(rate: float | None) -> str:
    """Nothing where nothing was answered."""
    return "-" if rate is None else f"{rate:,.0f}x" if rate >= 100 else f"{rate:.3g}x"
