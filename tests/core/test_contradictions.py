"""What a system promises against itself, against its cloud or against arithmetic."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.contradictions import contradictions
from bot.core.entry_checks import CHECKS
from bot.core.estate import System

CASES = YAML(typ="safe").load(Path(__file__).with_name("contradictions.yaml"))["cases"]


def found(case: dict[str, Any]) -> list[str]:
    prod = {"stage": "prod", "project": "p", "region": "r", "services": {}, **case.get("prod", {})}
    named = {"system": "shop", "title": "Shop", "owner": "us", **case.get("system", {})}
    system = {**named, "environments": {"prod": prod}}
    if (other := case.get("other")) is not None:
        system["environments"]["other"] = {"stage": "prod", "services": {}, **other}
    places = contradictions(System.model_validate(system))
    return [f"{'.'.join(map(str, place))}: {sentence}" for place, sentence in places]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_contradictions(case: dict[str, Any]) -> None:
    assert found(case) == case.get("says", [])


def test_every_check_of_an_entry_finds_something_somewhere() -> None:
    """A check that cannot fail is a defect."""
    modules = {name for case in CASES for name in case.get("checks", [])}
    assert modules == {check.__name__ for _, check in CHECKS}
