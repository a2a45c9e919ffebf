"""The shipped policies: their cases hold, lint is content, and every weaker policy fails a case."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.core.rules import Act, PolicyFiles, PolicyText, Traits
from bot.engine.policy import Result, lint, run_cases
from bot.stores.policy_files import policy_files

FILES = policy_files(Path(__file__).parents[2] / "policies")
CASES = FILES.cases


@pytest.fixture(scope="module")
def results(shipped_acts: dict[str, Act], shipped_targets: dict[str, Traits]) -> tuple[Result, ...]:
    return run_cases(FILES, shipped_acts, shipped_targets)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case.name for _, case in CASES])
def test_case(index: int, results: tuple[Result, ...]) -> None:
    assert results[index].problem == ""


def test_case_names_are_unique() -> None:
    names = [case.name for _, case in CASES]
    assert len(set(names)) == len(names)


def test_lint_is_content(shipped_acts: dict[str, Act], shipped_targets: dict[str, Traits]) -> None:
    assert [str(problem) for problem in lint(FILES, shipped_acts, shipped_targets)] == []


def test_every_operation_that_exists_is_in_a_case(shipped_acts: dict[str, Act]) -> None:
    looks = {name for name, act in shipped_acts.items() if act.verb == "answer"}
    assert set(shipped_acts) - looks <= {case.what for _, case in CASES}
    assert {"help", "whoami", "status"} <= {case.what for _, case in CASES}


# mutants: what a careless edit does to a policy, each of which some case must notice

Edit = Callable[[str], str]
EDITS: dict[str, Edit] = {
    "without its when": lambda text: re.sub(r"\nwhen\s*\{.*?\n?\}(?=[\n;])", "", text, flags=re.DOTALL),
    "without its unless": lambda text: re.sub(r"\nunless\s*\{.*?\n?\}(?=[\n;])", "", text, flags=re.DOTALL),
    "with fewer approvals": lambda text: text.replace("approvals >= 1", "approvals >= 0"),
    "with more approvals": lambda text: text.replace("approvals >= 1", "approvals >= 2"),
    "with break-glass known, not true": lambda text: re.sub(r"\s*&&\s*context.break_glass", "", text),
    "with frozen known, not true": lambda text: re.sub(r"\s*&&\s*context.frozen", "", text),
    "with any traffic moved": lambda text: re.sub(r"context.traffic_moved_pct (==|>) 0", "true", text),
    "for everybody": lambda text: re.sub(r'principal in Aisq::Role::"[^"]*"', "principal", text),
    "in prod too": lambda text: text.replace('["staging", "dev"]', '["staging", "dev", "prod"]'),
    "for any rollout": lambda text: text.replace(
        'action == Aisq::Action::"rollback"', 'action in Aisq::Action::"rollout"'
    ),
    "of the requester alone": lambda text: text.replace("principal != context.requester", "principal == principal"),
    "of anybody's": lambda text: text.replace("principal == context.requester", "principal == principal"),
    "without the undo": lambda text: text.replace(', Aisq::Action::"ops undo"', ""),
    "without the rollback": lambda text: text.replace('Aisq::Action::"rollback", ', ""),
    "with a risk as NO GO": lambda text: text.replace('== "NO GO"', '!= "GO"'),
    "with permits for forbids": lambda text: text.replace("\nforbid (", "\npermit ("),
    "with forbids for permits": lambda text: text.replace("\npermit (", "\nforbid ("),
    "for activity unknown": lambda text: text.replace("principal has active && !principal.active", "false"),
}


def mutants() -> Iterator[tuple[str, PolicyFiles]]:
    for policy in FILES.policies:
        rest = tuple(other for other in FILES.policies if other is not policy)
        yield f"{policy.id} removed", FILES._replace(policies=rest)
        for what, edit in EDITS.items():
            if (text := edit(policy.text)) != policy.text:
                edited = PolicyText(policy.file, policy.line, policy.id, policy.title, text)
                yield f"{policy.id} {what}", FILES._replace(policies=(*rest, edited))


MUTANTS = dict(mutants())


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_case_notices(mutant: str, shipped_acts: dict[str, Act], shipped_targets: dict[str, Traits]) -> None:
    results = run_cases(MUTANTS[mutant], shipped_acts, shipped_targets)
    assert [result.case.name for result in results if result.problem], "no case noticed"


def test_there_are_mutants_of_every_policy_and_every_kind() -> None:
    assert len(MUTANTS) > 30
    for what in EDITS:
        assert any(name.endswith(what) for name in MUTANTS), what
