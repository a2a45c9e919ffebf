"""Running the cases of a policies folder: a case that cannot fail is a defect."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.errors import ConfigError
from bot.core.rules import Act, Case, PolicyFiles, Traits
from bot.engine.policy import Result, run_cases

Build = Callable[..., PolicyFiles]
PROD = "shop/prod/backend"
POLICIES = (
    'permit (principal in Aisq::Role::"oncall", action in Aisq::Action::"rollout", resource) '
    "when { context has approvals && context.approvals >= 1 };",
    'permit (principal in Aisq::Role::"known", action in Aisq::Action::"read", resource);',
    'forbid (principal, action in Aisq::Action::"rollout", resource) when { context has frozen && context.frozen };',
    "forbid (principal, action, resource) when { principal has active && !principal.active };",
    'permit (principal, action == Aisq::Action::"ops cancel", resource) '
    "when { context has requester && principal == context.requester };",
    'forbid (principal, action == Aisq::Action::"status", resource) '
    "when { context has traffic_moved_pct && context.traffic_moved_pct * 9223372036854775807 > 5 };",
)
ROLLBACK: dict[str, Any] = {"who": ["oncall"], "what": "rollback", "where": PROD}


@pytest.mark.parametrize(
    "case",
    [
        ROLLBACK | {"needs_approvals": 1},
        ROLLBACK | {"needs_approvals": 1, "by": "p0"},
        ROLLBACK | {"facts": {"frozen": True}, "needs_approvals": "never", "by": "p2"},
        ROLLBACK | {"active": False, "needs_approvals": "never", "by": "p3"},
        ROLLBACK | {"who": [], "needs_approvals": "never"},
        {"who": ["lead"], "what": "status", "needs_approvals": 0, "by": "p1"},
        {"what": "ops cancel", "where": PROD, "facts": {"requester": "me"}, "needs_approvals": 0, "by": "p4"},
        {"what": "ops cancel", "where": PROD, "facts": {"requester": "you"}, "needs_approvals": "never"},
    ],
)
def test_cases_that_hold(files: Build, acts: dict[str, Act], targets: dict[str, Traits], case: dict[str, Any]) -> None:
    assert run(files, acts, targets, case) == ""


@pytest.mark.parametrize(
    "case, problem",
    [
        (
            ROLLBACK | {"needs_approvals": 0},
            "needs_approvals is 1, not 0: Title 0 (p0).",
        ),
        (
            ROLLBACK | {"needs_approvals": "never"},
            "needs_approvals is 1, not never: Title 0 (p0).",
        ),
        (
            ROLLBACK | {"who": ["lead"], "needs_approvals": 1},
            f"needs_approvals is never, not 1: No policy lets me (lead) do `rollback` on {PROD}.",
        ),
        (ROLLBACK | {"needs_approvals": 1, "by": "p1"}, "is decided by p0, not by p1"),
        (
            ROLLBACK | {"facts": {"frozen": True}, "needs_approvals": "never"},
            "is decided by p2, not by none",
        ),
        (
            ROLLBACK | {"who": [], "needs_approvals": "never", "by": "p2"},
            "is decided by no policy, not by p2",
        ),
        (ROLLBACK | {"who": ["oncal"], "needs_approvals": 1}, "there is no role `oncal`. Did you mean `oncall`?"),
        (
            {"what": "rolback", "where": PROD, "needs_approvals": "never"},
            "there is no operation `rolback`. Did you mean `rollback`?",
        ),
        (
            {"what": "rollback", "where": "shop/prod/backen", "needs_approvals": "never"},
            "there is no target `shop/prod/backen`. Did you mean `shop/prod/backend` or `shop/staging/backend`?",
        ),
        (
            ROLLBACK | {"facts": {"forzen": True}, "needs_approvals": 1},
            "there is no fact `forzen`. Did you mean `frozen`?",
        ),
        (
            ROLLBACK | {"facts": {"frozen": "yes"}, "needs_approvals": 1},
            "the fact `frozen` is wrong: Input should be a valid boolean",
        ),
        (
            ROLLBACK | {"facts": {"verdict": "NOGO"}, "needs_approvals": 1},
            "the fact `verdict` is wrong: Input should be 'GO', 'GO WITH RISK' or 'NO GO'",
        ),
        (
            {"what": "rollback", "needs_approvals": "never"},
            "`rollback` must name a target, so say where",
        ),
    ],
)
def test_cases_that_do_not(
    files: Build, acts: dict[str, Act], targets: dict[str, Traits], case: dict[str, Any], problem: str
) -> None:
    assert run(files, acts, targets, case) == problem


def test_never_is_not_an_error(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    case = {"what": "status", "facts": {"traffic_moved_pct": 9}, "needs_approvals": "never"}
    assert "a policy could not be evaluated" in run(files, acts, targets, case)


def test_results_are_in_the_order_of_the_files(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    cases = tuple(Case(name=name, what="ops list", needs_approvals="never") for name in "cab")
    found = run_cases(files(cases=cases), acts, targets)
    assert found == tuple(Result("policies/tests/some.yaml", case, "") for case in cases)


def test_policies_that_do_not_fit_are_not_run(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    with pytest.raises(ConfigError):
        run_cases(files("permit"), acts, targets)


def run(files: Build, acts: dict[str, Act], targets: dict[str, Traits], case: dict[str, Any]) -> str:
    (result,) = run_cases(files(*POLICIES, cases=(Case.model_validate(case | {"name": "it"}),)), acts, targets)
    return result.problem
