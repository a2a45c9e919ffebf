"""Alerts on burn rates: thresholds for every window, and those that could never fire."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.core.burn import ALERTS, BurnAlert
from bot.core.catalog import SLO
from bot.core.promises import Slo
from bot.core.slo import Objective

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "thresholds"),
    [  # of 30 days: sre.google/workbook/alerting-on-slos, table 5-6; of 28 and 7: the same shares of a shorter budget
        (30, [14.4, 6, 3, 1]),
        (28, [13.44, 5.6, 2.8, 0.9333]),
        (7, [3.36, 1.4, 0.7, 0.2333]),
    ],
)
def test_thresholds_follow_the_window(days: int, thresholds: list[float]) -> None:
    assert [alert.threshold(days * DAY) for alert in ALERTS] == pytest.approx(thresholds, abs=5e-5)


@given(st.floats(0.1, 100), st.integers(1, 90))
def test_at_its_threshold_the_long_window_spends_its_share(budget_pct: float, days: int) -> None:
    alert = BurnAlert(long="6h", short="30m", budget_pct=budget_pct, urgency="page")
    spent_pct = 100 * alert.threshold(days * DAY) * (alert.long / (days * DAY))
    assert spent_pct == pytest.approx(budget_pct)


@pytest.mark.parametrize(
    ("objective_pct", "window", "says"),
    [
        (
            90,
            "30d",
            "the page on 1h and 5m can never fire: 14.4 times the 10 % that may be bad is 144 % of all answers. "
            "Write an objective_pct of 93.06 or more, a window of at most 20d, or a budget_pct of at most 1.38 for it",
        ),
        (
            50,
            "28d",
            "the page on 1h and 5m can never fire: 13.4 times the 50 % that may be bad is 672 % of all answers. "
            "Write an objective_pct of 92.56 or more, a window of at most 4d, or a budget_pct of at most 0.29 for it",
        ),
        (
            60,
            "7d",
            "the page on 1h and 5m can never fire: 3.36 times the 40 % that may be bad is 134 % of all answers. "
            "Write an objective_pct of 70.24 or more, a window of at most 5d, or a budget_pct of at most 1.48 for it",
        ),
        (
            99,
            "2d",
            "the ticket on 3d and 6h looks back further than the window of 2d: write a long window of at most 2d",
        ),
    ],
)
def test_what_can_never_fire_is_refused(objective_pct: float, window: str, says: str) -> None:
    slo = Slo(objective_pct=objective_pct, window=window)
    assert next(said for alert in ALERTS if (said := slo.never_fires(alert))) == says
    with pytest.raises(ValidationError) as caught:
        Objective(slo=slo)
    assert says in str(caught.value)


@pytest.mark.parametrize("objective_pct", [93.06, 95, 99, 99.5, 99.99])
@pytest.mark.parametrize("window", ["7d", "28d", "30d"])
def test_usual_objectives_can_fire(objective_pct: float, window: str) -> None:
    assert Objective(slo=Slo(objective_pct=objective_pct, window=window)).slo.burn_alerts == ALERTS


def test_what_the_catalog_promises_where_nothing_is_written_can_fire() -> None:
    assert Objective(slo=SLO).slo == SLO


@given(st.floats(1, 99.9), st.integers(3, 60), st.sampled_from(ALERTS), st.sampled_from([1, 10]))
def test_each_thing_that_may_be_written_instead_helps(pct: float, days: int, usual: BurnAlert, times: int) -> None:
    slo = Slo(objective_pct=pct, window=days * DAY)
    alert = usual.model_copy(update={"budget_pct": usual.budget_pct * times})
    if not (said := slo.never_fires(alert)):
        return
    objective, window, budget = (
        said.split(f"{what} of ")[1].removeprefix("at most ").split()[0].rstrip(",")
        for what in ("objective_pct", "window", "budget_pct")
    )
    assert not Slo(objective_pct=float(objective), window=slo.window).never_fires(alert)
    assert not Slo(objective_pct=pct, window=window).never_fires(alert)
    assert not slo.never_fires(alert.model_copy(update={"budget_pct": float(budget)}))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"short": "1h"}, "short 1h is not between 0 and long 1h: write about a twelfth of the long window"),
        ({"short": "0s"}, "short 0d is not between 0 and long 1h"),
        ({"budget_pct": 0}, "greater than 0"),
        ({"budget_pct": 101}, "less than or equal to 100"),
        ({"urgency": "email"}, "'page' or 'ticket'"),
        ({"long": "an hour"}, "write a duration such as"),
    ],
)
def test_an_alert_that_makes_no_sense_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BurnAlert.model_validate({"long": "1h", "short": "5m", "budget_pct": 2, "urgency": "page", **wrong})
    assert says in str(caught.value)


def test_an_objective_is_written_as_people_write_it() -> None:
    written = Objective.model_validate({"slo": {"objective_pct": 99.5}, "stale_after": "5m"})
    assert written.stale_after == timedelta(minutes=5)
    assert Objective.model_validate_json(written.model_dump_json()) == written
