"""Every platform keeps the same promises: one table, platform x case."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.providers.conformance.platform import Row
from tests.providers.conformance.play import MOMENTS, WRITES, Moment, Played, writes_of

CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("cases.yaml"))
CRASHES = [
    pytest.param(case, position, moment, id=f"{case['case']}-write {position}-{moment}")
    for case in CASES
    if case.get("crash")
    for position in writes_of(case["do"])
    for moment in MOMENTS
]


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(row: Row, case: dict[str, Any]) -> None:
    Played(row).play(case["do"])
    assert len(row.carried_out()) == len(set(row.carried_out())) == case["writes"], row.carried_out()


@pytest.mark.parametrize(("case", "position", "moment"), CRASHES)
def test_crash(row: Row, case: dict[str, Any], position: int, moment: Moment) -> None:
    """Whenever our process dies at a write, the next one ends it, and it is carried out once."""
    Played(row, (position, moment)).play(case["do"])
    assert len(row.carried_out()) == len(set(row.carried_out())) == case["writes"], row.carried_out()


def test_the_cases_are_whole() -> None:
    said = {str(step if isinstance(step, str) else next(iter(step))) for case in CASES for step in case["do"]}
    assert set(WRITES) <= said
    assert len({case["case"] for case in CASES}) == len(CASES)
    assert len(CRASHES) > 60
