"""The schema and the entities that policies are checked against."""

import json
from enum import StrEnum
from typing import Any, Literal

import cedarpy
import pytest
from pydantic import BaseModel

from bot.core.facts import Facts, PersonId, Source, source
from bot.core.operation import Risk
from bot.core.rules import KNOWN, Act, Traits
from bot.engine.policy.schema import about, context, entities, fact_types, person, schema, words_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Odd(BaseModel):
    flag: bool | None
    count: int | None
    text: str | None
    who: PersonId | None
    colour: Colour | None
    level: Literal["low", "high"] | None
    bare: bool


def test_every_type_of_fact_has_a_cedar_type(acts: dict[str, Act]) -> None:
    text = schema(acts, Odd)
    lines = ["flag?: Bool", "count?: Long", "text?: String", "who?: User", "colour?: String", "level?: String"]
    assert all(f"    {line},\n" in text for line in [*lines, "bare?: Bool"])
    cedarpy.Schema.from_str(text)


def test_a_fact_of_another_type_is_refused(acts: dict[str, Act]) -> None:
    class Wrong(BaseModel):
        when: list[str] | None

    with pytest.raises(TypeError, match=r"a fact cannot be of type list\[str\]; take bool, int"):
        schema(acts, Wrong)


def test_all_facts_are_in_the_schema_and_each_names_its_source(acts: dict[str, Act]) -> None:
    text = schema(acts)
    assert all(f"    {name}?: " in text for name in Facts.model_fields)
    assert "    requester?: User,\n" in text
    sources = {name: source(field) for name, field in Facts.model_fields.items()}
    assert sources["error_rate_pct"] is Source.MONITORING
    assert sources["frozen"] is Source.CALENDAR


def test_an_operation_is_an_action_in_the_group_of_its_risk(acts: dict[str, Act]) -> None:
    text = schema(acts)
    assert 'action "ops list" in ["read"] appliesTo { principal: [User], resource: [Target, Estate]' in text
    assert 'action "rollback" in ["rollout"] appliesTo { principal: [User], resource: [Target],' in text
    assert 'action "approve" in ["control"] appliesTo { principal: [User], resource: [Target],' in text
    assert 'action "read", "control", "operate", "rollout", "database", "destructive";' in text


def test_a_new_operation_needs_nothing_but_the_registry(acts: dict[str, Act]) -> None:
    grown = schema(acts | {"db slow": Act(Risk.READ, "answer")})
    assert 'action "db slow" in ["read"]' in grown
    cedarpy.Schema.from_str(grown)


@pytest.mark.parametrize("risk", Risk)
def test_an_operation_cannot_be_named_like_a_risk(acts: dict[str, Act], risk: Risk) -> None:
    with pytest.raises(TypeError, match=f"'{risk}' is a risk"):
        schema(acts | {risk.value: Act(Risk.READ, "answer")})


@pytest.mark.parametrize(
    "kind, words",
    [(Colour, ("red", "blue")), (Literal["a", "b"], ("a", "b")), (str, ()), (int, ()), (PersonId, ()), (None, ())],
)
def test_words_of(kind: Any, words: tuple[str, ...]) -> None:
    assert words_of(kind) == words


def test_fact_types_have_no_none() -> None:
    assert fact_types(Odd)["flag"] is bool
    assert fact_types(Odd)["bare"] is bool
    assert fact_types()["requester"] is PersonId


def test_entities_are_a_tree(targets: dict[str, Traits]) -> None:
    found = {(one["uid"]["type"], one["uid"]["id"]): one for one in entities(["oncall"], targets)}  # type: ignore[index,call-overload]
    parent = {key: [up["id"] for up in one["parents"]] for key, one in found.items()}  # type: ignore[union-attr,index,call-overload]
    assert parent["Aisq::Role", "oncall"] == [KNOWN]
    assert parent["Aisq::Target", "shop/prod/backend"] == ["shop/prod"]
    assert parent["Aisq::Environment", "shop/prod"] == ["shop"]
    assert parent["Aisq::System", "shop"] == parent["Aisq::Estate", "all"] == parent["Aisq::Role", KNOWN] == []
    assert found["Aisq::Target", "blog/prod/db"]["attrs"] == {
        "kind": "database",
        "type": "cloud_sql",
        "tier": 1,
        "stage": "prod",
    }


def test_entities_fit_the_schema(acts: dict[str, Act], targets: dict[str, Traits]) -> None:
    handle = cedarpy.Entities.from_json_str(json.dumps(entities(["oncall"], targets)), schema(acts))
    added = handle.with_added_json_str(json.dumps([person("slack:U1", ["oncall"], None)]), schema(acts))
    assert len(added) == len(handle) + 1


def test_a_person_whose_activity_is_unknown_has_no_such_attribute() -> None:
    assert person("os:ana", ["b", "a"], True)["attrs"] == {"active": True}
    assert person("os:ana", [], False)["attrs"] == {"active": False}
    assert person("os:ana", [], None)["attrs"] == {}


def test_parents_of_a_person_are_sorted() -> None:
    parents = person("os:ana", ["b", "a"], True)["parents"]
    assert parents == [{"type": "Aisq::Role", "id": "a"}, {"type": "Aisq::Role", "id": "b"}]


def test_absent_facts_stay_absent() -> None:
    assert context(Facts()) == {}
    assert context(Facts(frozen=False, approvals=0)) == {"frozen": False, "approvals": 0}


def test_people_and_enumerations_among_the_facts() -> None:
    found = context(Facts(requester=PersonId("slack:U1"), acts_on_risk=Risk.ROLLOUT, verdict="NO GO"))
    assert found == {
        "requester": {"__entity": {"type": "Aisq::User", "id": "slack:U1"}},
        "acts_on_risk": "rollout",
        "verdict": "NO GO",
    }


def test_what_a_decision_is_about() -> None:
    assert about("shop/prod/backend") == {"type": "Aisq::Target", "id": "shop/prod/backend"}
    assert about(None) == {"type": "Aisq::Estate", "id": "all"}
