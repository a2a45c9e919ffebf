"""What lint finds in a policies folder that Cedar's own validator does not."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.operation import Risk
from bot.core.rules import Act, Case, Freeze, Freezes, PolicyFiles, PolicyText, Traits
from bot.engine.policy import lint, witness
from bot.engine.policy.lint import RESCUES
from bot.engine.policy.witness import Witness

Build = Callable[..., PolicyFiles]
CASES = YAML(typ="safe").load((Path(__file__).parent / "lint_cases.yaml").read_text())
FINE = "permit (principal, action, resource);"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["policy"])
def test_a_policy(files: Build, acts: dict[str, Act], targets: dict[str, Traits], case: dict[str, Any]) -> None:
    found = lint(files(case["policy"]), acts, targets)
    assert len(found) == len(case["says"]), [str(one) for one in found]
    for error, begins in zip(found, case["says"], strict=True):
        assert error.problem.startswith(begins)
        assert (error.file, error.line, error.field) == ("policies/10.cedar", 7, "p0")


def test_every_problem_of_every_policy_is_told(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    wrong = 'permit (principal in Aisq::Role::"x", action, resource) when { context has frozn };'
    found = lint(files(wrong, FINE, "permit (principal, action, resource) when { tru };"), acts, targets)
    assert [one.field for one in found] == ["p0", "p0", "p2"]


def test_formatting(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    good = files(FINE)
    (written,) = good.policies
    loose = good._replace(policies=(written._replace(text=written.text.replace(", ", ",")),))
    (problem,) = lint(loose, acts, targets)
    assert problem.problem == f"is formatted otherwise than all policies are; write\n{written.text}"


@pytest.mark.parametrize("rescue", RESCUES)
def test_no_rescue_depends_on_monitoring(
    files: Build, acts: dict[str, Act], targets: dict[str, Traits], rescue: str
) -> None:
    body = f'permit (principal, action == Aisq::Action::"{rescue}", resource) when {{ context has error_rate_pct }};'
    (problem,) = lint(
        files(body), acts | {"deny": Act(Risk.CONTROL, "act"), "ops undo": Act(Risk.ROLLOUT, "plan")}, targets
    )
    assert problem.problem.startswith(f"`{rescue}` must not depend on error_rate_pct")


def test_a_registry_without_rollback_has_no_rule_for_it(files: Build, targets: dict[str, Traits]) -> None:
    body = "permit (principal, action, resource) when { context has error_rate_pct };"
    assert lint(files(body), {"scale": Act(Risk.OPERATE, "plan")}, targets) == ()


def test_a_case_that_fails_is_a_problem(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    right = Case(name="right", what="ops list", needs_approvals=0)
    wrong = Case(name="wrong", what="ops list", needs_approvals="never")
    (problem,) = lint(files(FINE, cases=(right, wrong)), acts, targets)
    assert str(problem) == "policies/tests/some.yaml: wrong: needs_approvals is 0, not never: Title 0 (p0)."


def test_cases_wait_for_policies_that_fit(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    wrong = Case(name="wrong", what="ops list", needs_approvals="never")
    assert [one.field for one in lint(files("permit (principal);", cases=(wrong,)), acts, targets)] == ["p0"]


def test_a_freeze_that_covers_nothing(files: Build, acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    def freeze(name: str, *places: str) -> Freeze:
        since, until = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        return Freeze(name=name, since=since, until=until, targets=places, reason="rest")

    freezes = Freezes(freezes=(freeze("good", "shop", "nowhere"), freeze("bad", "shopp/prod")))
    (problem,) = lint(files(FINE, freezes=freezes), acts, targets)
    assert str(problem) == "policies/freezes.yaml: bad: covers no target"


def test_what_takes_too_long_to_try_gets_the_benefit_of_the_doubt(
    acts: dict[str, Act],
    targets: dict[str, Traits],
    text: Callable[[str], PolicyText],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = text(
        "permit (principal, action, resource) when { context has frozen && context.frozen && !context.frozen };"
    )
    looks = Witness(acts, ("lead",), targets)
    assert not looks.can_apply(never)
    monkeypatch.setattr(witness, "MOST_TRIES", 3)
    assert looks.can_apply(never)
