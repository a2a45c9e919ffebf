"""Rules of a canary: the defaults that are promised, what is refused and what to write instead, limits, caution."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.canary.rules import ERRORS, CanaryRules, Metric, slow
from bot.core.promises import Latency, Slo

RULES = CanaryRules()


def test_the_defaults_are_those_that_are_promised() -> None:
    assert RULES.model_dump(exclude={"metrics"}) == {
        "weights_pct": (10, 25, 50, 100),
        "bake_s": 600,
        "warm_up_s": 60,
        "watch_s": 1800,
        "false_rollback_pct": 1.0,
        "bound_pct": 97.5,
        "unsure_above": 3.0,
        "min_bad": 3,
        "min_bad_minutes": 2,
        "late_after_s": 120,
    }
    assert RULES.metrics == (Metric(name="errors", worse_by_pp=0.5, tolerated_pp=1.0, limit_pct=None),)
    assert slow(300) == Metric(name="slow", edge_ms=300, worse_by_pp=2.0, tolerated_pp=2.0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"weights_pct": ()}, "the weights nothing do not lead to 100 from less: write percentages such as 10, 25"),
        ({"weights_pct": (100,)}, "the weights 100 do not lead to 100 from less"),
        ({"weights_pct": (10, 50)}, "the weights 10, 50 do not lead to 100 from less"),
        ({"weights_pct": (10, 10, 100)}, "the weights 10, 10, 100 do not rise from 1 or more: write percentages such"),
        ({"weights_pct": (50, 25, 100)}, "the weights 50, 25, 100 do not rise"),
        ({"weights_pct": (0, 100)}, "the weights 0, 100 do not rise from 1 or more"),
        ({"weights_pct": (-5, 100)}, "the weights -5, 100 do not rise from 1 or more"),
        ({"weights_pct": (10, 100, 150)}, "the weights 10, 100, 150 do not lead to 100 from less"),
        ({"metrics": (ERRORS, ERRORS)}, "two metrics are named errors: give each a name of its own"),
        ({"metrics": ()}, "at least 1 item"),
        ({"bake_s": 30}, "greater than or equal to 60"),
        ({"false_rollback_pct": 0}, "greater than 0"),
        ({"false_rollback_pct": 50}, "less than or equal to 10"),
        ({"bound_pct": 50}, "greater than or equal to 80"),
        ({"bound_pct": 100}, "less than 100"),
        ({"unsure_above": 1}, "greater than 1"),
        ({"min_bad": 0}, "greater than or equal to 1"),
        ({"alpha": 0.01}, "Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_refused_with_what_to_write(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CanaryRules(**wrong)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"edge_ms": 0}, {"worse_by_pp": 0}, {"tolerated_pp": 100}, {"limit_pct": 0}, {"limit_pct": 100}],
)
def test_a_metric_has_bounds_too(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Metric(**{"name": "errors", **wrong})


def test_rules_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RULES.bake_s = 60  # type: ignore[misc]


@pytest.mark.parametrize(("weight", "to"), [(10, 25), (25, 50), (50, 100), (5, 10), (30, 50), (100, None)])
def test_the_next_weight(weight: int, to: int | None) -> None:
    assert RULES.next_pct(weight) == to


@pytest.mark.parametrize(("metrics", "alpha_pct", "e_value"), [(1, 1.0, 100), (2, 1.0, 200), (2, 0.5, 400), (1, 5, 20)])
def test_the_chance_of_a_false_rollback_is_shared_out(metrics: int, alpha_pct: float, e_value: float) -> None:
    rules = CanaryRules(metrics=(ERRORS, slow(300))[:metrics], false_rollback_pct=alpha_pct)
    assert rules.decisive_e_value == e_value


def test_names_of_what_is_bad() -> None:
    assert (ERRORS.noun, slow(1500).noun) == ("errors", "answers over 1,500 ms")


# --- limits from the objective


@pytest.mark.parametrize(
    ("objective_pct", "limit_pct"), [(99.5, 7.2), (99.9, 1.44), (99, 14.4), (95, 50.0), (50, 50.0)]
)
def test_errors_are_limited_by_the_objective(objective_pct: float, limit_pct: float) -> None:
    limited = RULES.limited_by(Slo(objective_pct=objective_pct))
    assert limited.metrics[0].limit_pct == pytest.approx(limit_pct)
    assert limited.metrics[0].limit == pytest.approx(limit_pct / 100)


@pytest.mark.parametrize(
    ("edge_ms", "limit_pct"),
    [(200, None), (249, None), (250, 50.0), (289, 50.0), (799, 50.0), (800, 14.4), (1111, 14.4)],
)
def test_slow_answers_are_limited_by_what_is_promised_at_their_edge_or_below(
    edge_ms: int, limit_pct: float | None
) -> None:
    """Edges are the platform's, and seldom the very time that is promised."""
    promise = Slo(
        objective_pct=99.5, latency=(Latency(percentile=99, below_ms=800), Latency(percentile=95, below_ms=250))
    )
    (limited,) = CanaryRules(metrics=(slow(edge_ms),)).limited_by(promise).metrics
    assert limited.limit_pct == (limit_pct if limit_pct is None else pytest.approx(limit_pct))


def test_a_limit_that_is_written_stays() -> None:
    rules = CanaryRules(metrics=(Metric(name="errors", limit_pct=3),))
    assert rules.limited_by(Slo(objective_pct=99.9)) == rules


def test_without_a_limit_nothing_is_over_it() -> None:
    assert ERRORS.limit == 1.0
