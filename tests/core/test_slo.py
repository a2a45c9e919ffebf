"""Error budgets: what is left, what burns, and what that asks of a release."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.core.promises import Slo
from bot.core.slo import Counted, ErrorBudget, Level, Objective, error_budget

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("budgets.yaml"))["cases"]
NINES = Objective(slo=Slo(objective_pct=99.9))


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def counted(since_h: float, until_h: float, total: int, bad: int) -> Counted:
    return Counted(since=ago(since_h), until=ago(until_h), total=total, bad=bad)


def known(case: dict[str, Any]) -> ErrorBudget:
    objective = Objective(slo=Slo(objective_pct=case.get("objective_pct", 99.9), window=case.get("window", "30d")))
    minutes = case.get("until", 0)
    until = None if minutes is None else ago(minutes / 60)
    return error_budget(objective, [counted(*one) for one in case["counted"]], until, NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_what_is_known_of_a_budget(case: dict[str, Any]) -> None:
    budget = known(case)
    assert budget.sentence == case["says"]
    assert (budget.state, budget.level, budget.burning) == (case["state"], case["level"], case.get("burning"))
    assert budget.left == (pytest.approx(case["left"], abs=5e-5) if "left" in case else None)
    assert ErrorBudget.model_validate_json(budget.model_dump_json()) == budget


def test_every_state_and_level_has_a_case() -> None:
    assert {case["level"] for case in CASES} == set(get_args(Level))
    assert {case["state"] for case in CASES} == {"known", "unknown", "insufficient"}


@pytest.mark.parametrize(
    ("name", "smaller"),
    [
        ("a quiet month", False),
        ("just more than half", False),
        ("half", True),
        ("a fifth", True),
        ("nothing", True),
        ("an outage now", True),
        ("errors for days", False),
        ("monitoring is away", False),
        ("no answers at all", False),
    ],
)
def test_with_little_left_a_release_goes_out_in_smaller_steps(name: str, smaller: bool) -> None:
    case = next(case for case in CASES if case["name"] == name)
    assert known(case).smaller_steps is smaller


# --- how fast it burns


def test_burn_rates_of_all_four_alerts() -> None:
    """Bad are 2 % in the last hour, 1 % in the five before, none before that."""
    spans = [counted(72, 6, 66_000, 0), counted(6, 1, 5000, 50), counted(1, 0, 1000, 20)]
    burns = error_budget(NINES, spans, NOW, NOW).burns
    told = [(burn.alert.name, burn.threshold, burn.long_rate, burn.short_rate, burn.firing) for burn in burns]
    assert told == [
        ("page on 1h and 5m", pytest.approx(14.4), pytest.approx(20), pytest.approx(20), True),
        ("page on 6h and 30m", pytest.approx(6), pytest.approx(70 / 6), pytest.approx(20), True),
        ("ticket on 1d and 2h", pytest.approx(3), pytest.approx(70 / 24), pytest.approx(15), False),
        ("ticket on 3d and 6h", pytest.approx(1), pytest.approx(70 / 72), pytest.approx(70 / 6), False),
    ]


@pytest.mark.parametrize(("bad", "fires"), [(143, False), (144, True)])
def test_it_fires_at_the_threshold(bad: int, fires: bool) -> None:
    spans = [counted(24, 0, 240_000, bad * 24)]
    assert error_budget(NINES, spans, NOW, NOW).burns[0].firing is fires


@pytest.mark.parametrize(("bad", "fires"), [(2, False), (3, True)])
def test_a_few_bad_answers_fire_nothing(bad: int, fires: bool) -> None:
    assert error_budget(NINES, [counted(0.05, 0, 10, bad)], NOW, NOW).burns[0].firing is fires


def test_where_nothing_was_answered_nothing_burns() -> None:
    burn = error_budget(NINES, [counted(24, 2, 1000, 900)], NOW, NOW).burns[0]
    assert (burn.long_rate, burn.short_rate, burn.firing) == (None, None, False)


def test_windows_end_where_monitoring_has_counted_to() -> None:
    spans = [counted(1, 0.1, 900, 900), counted(0.1, 0, 100, 0)]
    assert error_budget(NINES, spans, ago(0.1), NOW).burns[0].short_rate == pytest.approx(1000)


def test_a_coarse_count_gives_a_window_its_part() -> None:
    burn = error_budget(NINES, [counted(2, 0, 2000, 20)], NOW, NOW).burns[0]
    assert burn.long_rate == burn.short_rate == pytest.approx(10)


def test_counts_of_no_time_count_for_nothing() -> None:
    at = Counted(since=NOW, until=NOW, total=10, bad=10)
    assert error_budget(NINES, [at], NOW, NOW).burns[0].long_rate is None


SPANS = st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1)), max_size=30)


@given(SPANS, st.integers(0, 29))
def test_more_bad_answers_never_leave_more(hours: list[tuple[int, float]], worse: int) -> None:
    spans = [counted(n + 1, n, total, int(total * part)) for n, (total, part) in enumerate(hours)]
    before = error_budget(NINES, spans, NOW, NOW)
    ruined = [one.model_copy(update={"bad": one.total}) if n == worse else one for n, one in enumerate(spans)]
    after = error_budget(NINES, ruined, NOW, NOW)
    levels = get_args(Level)
    assert after.state == before.state
    assert (after.left or 0) <= (before.left or 0)
    assert levels.index(after.level) >= levels.index(before.level)
    assert all(one.firing or not other.firing for one, other in zip(after.burns, before.burns, strict=True))


@given(SPANS, st.integers(2, 6))
def test_finer_counts_say_the_same(hours: list[tuple[int, float]], parts: int) -> None:
    spans = [counted(n + 1, n, total * parts, int(total * part) * parts) for n, (total, part) in enumerate(hours)]
    finer = [
        counted(n + (k + 1) / parts, n + k / parts, total, int(total * part))
        for n, (total, part) in enumerate(hours)
        for k in range(parts)
    ]
    coarse, fine = (error_budget(NINES, some, NOW, NOW) for some in (spans, finer))
    assert fine.left == (pytest.approx(coarse.left, abs=1e-6) if coarse.left is not None else None)
