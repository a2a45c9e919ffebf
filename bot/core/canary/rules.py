"""What a canary is judged by: how a release gets its traffic, and what must be known before it gets more."""

from itertools import pairwise

from pydantic import Field, field_validator

from bot.core.promises import Slo
from bot.core.units import Model

EXAMPLE = "such as 10, 25, 50, 100"
FAST_BURN = 14.4  # times what the objective allows: two percent of 30 days' budget in one hour
HIGHEST_LIMIT_PCT = 50.0


class Metric(Model):
    """One way in which an answer can be bad: 5xx, or slower than `edge_ms`, a bucket edge of the platform's.

    A good edge is the smallest one that is at least the stable release's 95th percentile of the last 24 hours.
    """

    name: str = Field(min_length=1)  # under which the counts have it
    edge_ms: int | None = Field(None, gt=0)
    worse_by_pp: float = Field(0.5, gt=0, lt=100)  # percentage points more of bad answers are worth a rollback
    tolerated_pp: float = Field(1.0, gt=0, lt=100)  # of all the service's answers may be bad more after the next step
    limit_pct: float | None = Field(None, gt=0, lt=100)  # of a release's answers, from which on it is bad whatever else

    @property
    def noun(self) -> str:
        return "errors" if self.edge_ms is None else f"answers over {self.edge_ms:,} ms"

    @property
    def limit(self) -> float:
        """`limit_pct` as a share that is never exceeded where there is none."""
        return 1.0 if self.limit_pct is None else self.limit_pct / 100

    def limited_to(self, allowed_pct: float | None) -> "Metric":
        """With a limit from what an objective allows, unless it has one."""
        if self.limit_pct is not None or allowed_pct is None:
            return self
        return self.model_copy(update={"limit_pct": min(HIGHEST_LIMIT_PCT, FAST_BURN * allowed_pct)})


ERRORS = Metric(name="errors")


def slow(edge_ms: int) -> Metric:
    """Answers slower than an edge of the platform's buckets; named "slow" among the counts."""
    return Metric(name="slow", edge_ms=edge_ms, worse_by_pp=2.0, tolerated_pp=2.0)


class CanaryRules(Model):
    """How a release gets its traffic, and what must be known before it gets more."""

    weights_pct: tuple[int, ...] = (10, 25, 50, 100)  # of the traffic, one after the other
    metrics: tuple[Metric, ...] = Field((ERRORS,), min_length=1)  # all must agree before a promotion, one rolls back
    bake_s: int = Field(600, ge=60)  # no promotion earlier after each step
    warm_up_s: int = Field(60, ge=0)  # after each step, left out of the counts
    watch_s: int = Field(1800, ge=60)  # at 100 %
    false_rollback_pct: float = Field(1.0, gt=0, le=10)  # of good releases may be rolled back, over the whole rollout
    bound_pct: float = Field(97.5, ge=80, lt=100)  # one-sided confidence that a promotion spoils less than is tolerated
    unsure_above: float = Field(3.0, gt=1)  # e-value above which nothing is promoted
    min_bad: int = Field(3, ge=1)  # bad answers of the canary without which nothing is rolled back
    min_bad_minutes: int = Field(2, ge=1)  # in which they came; one burst is not yet a regression
    late_after_s: int = Field(120, ge=60)  # beyond the platform's own lag

    @field_validator("weights_pct")
    @classmethod
    def _rising(cls, weights: tuple[int, ...]) -> tuple[int, ...]:
        said = ", ".join(map(str, weights)) or "nothing"
        if any(one >= other for one, other in pairwise(weights)) or any(weight < 1 for weight in weights):
            raise ValueError(f"the weights {said} do not rise from 1 or more: write percentages {EXAMPLE}")
        if len(weights) < 2 or weights[-1] != 100:
            raise ValueError(f"the weights {said} do not lead to 100 from less: write percentages {EXAMPLE}")
        return weights

    @field_validator("metrics")
    @classmethod
    def _distinct(cls, metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        names = [metric.name for metric in metrics]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two metrics are named {twice}: give each a name of its own")
        return metrics

    def next_pct(self, weight_pct: int) -> int | None:
        """The weight that a promotion leads to; None at 100 %."""
        return next((weight for weight in self.weights_pct if weight > weight_pct), None)

    @property
    def decisive_e_value(self) -> float:
        """From which on a metric speaks for a rollback: the chance of a false one is shared out among the metrics."""
        return 100 * len(self.metrics) / self.false_rollback_pct

    def limited_by(self, slo: Slo) -> "CanaryRules":
        """With limits from the objective: what burns its budget 14.4 times too fast, for each metric without one.

        Answers over `edge_ms` have one where the objective promises a percentile at that edge or below it: of the
        answers over the promised time, those over a later edge are a part, so the limit is never met too soon.
        """
        limited = tuple(metric.limited_to(_allowed_pct(metric, slo)) for metric in self.metrics)
        return self.model_copy(update={"metrics": limited})


def _allowed_pct(metric: Metric, slo: Slo) -> float | None:
    if metric.edge_ms is None:
        return 100 * slo.error_ratio
    promised = (100.0 - one.percentile for one in slo.latency if one.below_ms <= metric.edge_ms)
    return min(promised, default=None)
