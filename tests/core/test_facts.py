"""What a policy may ask: absent until it is known, and from one named source each."""

import pytest
from pydantic import ValidationError

from bot.core.facts import Facts, Source, source

FIELDS = Facts.model_fields


def test_nothing_is_known_by_default() -> None:
    assert Facts().model_dump(exclude_none=True) == {}


@pytest.mark.parametrize("name", FIELDS)
def test_each_fact_has_a_sentence_and_a_source(name: str) -> None:
    assert (FIELDS[name].description or "").endswith(".")
    assert isinstance(source(FIELDS[name]), Source)
    assert not FIELDS[name].is_required()


@pytest.mark.parametrize(
    "name, expected",
    [
        ("approvals", Source.APPROVALS),
        ("break_glass", Source.REQUEST),
        ("frozen", Source.CALENDAR),
        ("verdict", Source.PLAN),
        ("traffic_moved_pct", Source.PLAN),
        ("pinned", Source.STORE),
        ("error_rate_pct", Source.MONITORING),
    ],
)
def test_sources(name: str, expected: Source) -> None:
    assert source(FIELDS[name]) is expected


def test_few_facts_come_from_monitoring() -> None:
    measured = [name for name, field in FIELDS.items() if source(field) is Source.MONITORING]
    assert measured == ["error_rate_pct", "error_budget", "error_budget_left_pct"]


@pytest.mark.parametrize(
    "wrong", [{"verdict": "MAYBE"}, {"error_budget": "some"}, {"approvals": "many"}, {"acts_on_risk": "some"}]
)
def test_a_fact_has_its_type(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Facts.model_validate(wrong)
