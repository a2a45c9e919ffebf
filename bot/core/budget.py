"""A service's error budget by what monitoring counted, and what its policies are told of it.

Only what releases something new asks for it. A rollback, or whatever else puts things right, waits for no budget.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from pydantic import JsonValue

from bot.core.catalog import Catalog
from bot.core.errors import CloudError
from bot.core.ports import MetricReads
from bot.core.request import Target
from bot.core.slo import Counted, ErrorBudget, Objective, error_budget

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FINE_FOR, COARSE_FOR = 6 * HOUR, 3 * DAY  # the long windows of what pages, and of what does not
DUE = 20.0  # requests that no silence swallows by chance


def budget_of(target: Target, metrics: MetricReads, catalog: Catalog, now: datetime) -> ErrorBudget:
    """What is known of it at `now`; who cannot read monitoring knows nothing, and nothing is raised.

    Alerts that could never fire are left out.
    """
    slo = catalog.slo(target)
    alerts = tuple(alert for alert in slo.burn_alerts if not slo.never_fires(alert))
    objective = Objective(slo=slo.model_copy(update={"burn_alerts": alerts}))
    try:
        until = now - timedelta(seconds=metrics.lag_s(target))
        until -= timedelta(seconds=until.second, microseconds=until.microsecond)
        counted = tuple(_counted(target, metrics, until, slo.window))
    except CloudError:
        return error_budget(objective, (), None, now)
    return error_budget(objective, counted, counted_to(counted, until - slo.window, until), now)


def told(budget: ErrorBudget) -> tuple[dict[str, JsonValue], dict[str, float]]:
    """The `facts` and `measured` of a plan that depends on it, from which policies have theirs."""
    left_pct = budget.left_pct
    return {"error_budget": budget.asked}, {} if left_pct is None else {"error_budget_left_pct": left_pct}


def counted_to(counted: Iterable[Counted], since: datetime, until: datetime) -> datetime:
    """Up to when monitoring has counted: `until`, unless it fell silent while more requests were due than fit chance.

    Nothing at all since `since` tells of no service that is idle, and of no monitoring that is not.
    """
    told = [one for one in counted if one.total]
    newest = max(told, key=lambda one: one.until, default=None)
    if newest is None:
        return since
    lately = sum(one.total for one in told if one.until > newest.until - HOUR)
    due = lately * ((until - newest.until) / max(HOUR, newest.until - newest.since))
    return newest.until if due >= DUE else until


def _counted(target: Target, metrics: MetricReads, until: datetime, window: timedelta) -> Iterator[Counted]:
    """Answers of all releases, the older the coarser."""
    edges = (timedelta(0), min(FINE_FOR, window), min(COARSE_FOR, window), window)
    for step, near, far in zip((MINUTE, HOUR, DAY), edges, edges[1:], strict=False):
        read = metrics.requests(target, until - far, until - near, round(step.total_seconds()))
        for at, some in groupby(sorted(read, key=lambda one: one.until), key=lambda one: one.until):
            answers = tuple(some)
            total, bad = sum(one.total for one in answers), sum(one.errors for one in answers)
            yield Counted(since=at - step, until=at, total=total, bad=bad)
