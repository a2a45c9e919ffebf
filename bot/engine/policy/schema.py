"""What policies may speak of, in Cedar's terms, derived from the registry, the facts and the catalog.

One action an operation, named by its command (`Aisq::Action::"ops list"`), in the group of its risk. Changes and
controls are about a `Target`, which may be a whole environment or system; a look may also be about
`Aisq::Estate::"all"`, when it names no target.
"""

import json
import types
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

from bot.core.facts import Facts, PersonId
from bot.core.operation import Risk
from bot.core.rules import KNOWN, Act, Traits

ESTATE = "all"
Uid = dict[str, JsonValue]
Entity = dict[str, JsonValue]
ATTRIBUTES = {
    "principal": {"active?": "Bool"},
    "resource": {"kind": "String", "type": "String", "tier": "Long", "stage": "String"},
}
_ENTITIES = """\
  entity Role in [Role];
  entity User in [Role] {principal};
  entity System;
  entity Environment in [System];
  entity Target in [Environment, System] {resource};
  entity Estate;
"""


def schema(acts: Mapping[str, Act], facts: type[BaseModel] = Facts) -> str:
    """The schema, as Cedar text. Raises TypeError for a name or a fact that Cedar cannot have."""
    if clash := sorted({risk.value for risk in Risk} & set(acts)):
        raise TypeError(f"{clash[0]!r} is a risk, so no operation can have that name")
    known = "".join(f"    {name}?: {_cedar_type(kind)},\n" for name, kind in fact_types(facts).items())
    groups = ", ".join(json.dumps(risk.value) for risk in Risk)
    actions = "".join(_action(name, act) for name, act in sorted(acts.items()))
    nouns = _ENTITIES.format_map({name: _record(attributes) for name, attributes in ATTRIBUTES.items()})
    return f"namespace Aisq {{\n{nouns}  type Facts = {{\n{known}  }};\n  action {groups};\n{actions}}}\n"


def _record(attributes: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name}: {kind}" for name, kind in attributes.items()) + " }"


def _action(name: str, act: Act) -> str:
    about = "Target, Estate" if act.verb == "answer" else "Target"
    applies = f"{{ principal: [User], resource: [{about}], context: Facts }}"
    return f'  action {json.dumps(name)} in ["{act.risk}"] appliesTo {applies};\n'


@cache
def fact_types(facts: type[BaseModel] = Facts) -> dict[str, Any]:
    """Each fact's annotation without its None."""
    return {name: _present(field.annotation) for name, field in facts.model_fields.items()}


def _present(annotation: Any) -> Any:
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation
    (kind,) = (arg for arg in get_args(annotation) if arg is not type(None))
    return kind


def _cedar_type(kind: Any) -> str:
    plain = {bool: "Bool", int: "Long", str: "String", PersonId: "User"}
    if kind in plain:
        return plain[kind]
    if words_of(kind):
        return "String"
    raise TypeError(f"a fact cannot be of type {kind}; take bool, int, str, PersonId, an enumeration or a Literal")


def words_of(kind: Any) -> tuple[str, ...]:
    """The only values that a fact can have; empty: any."""
    if get_origin(kind) is Literal:
        return tuple(str(value) for value in get_args(kind))
    return tuple(str(one.value) for one in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def uid(kind: str, id: str) -> Uid:
    """Names one entity."""
    return {"type": f"Aisq::{kind}", "id": id}


def about(target: str | None) -> Uid:
    """The resource of a decision: a target by its full name, or everything."""
    return uid("Target", target) if target is not None else uid("Estate", ESTATE)


def entities(roles: Iterable[str], targets: Mapping[str, Traits]) -> list[Entity]:
    """All that policies may name, except people."""
    named = {(one.system, f"{one.system}/{one.environment}") for one in targets.values() if one.environment}
    return [
        _entity(uid("Estate", ESTATE)),
        _entity(uid("Role", KNOWN)),
        *(_entity(uid("Role", role), parent=uid("Role", KNOWN)) for role in roles),
        *(_entity(uid("System", system)) for system in sorted({system for system, _ in named})),
        *(_entity(uid("Environment", place), parent=uid("System", system)) for system, place in sorted(named)),
        *(_target(name, one) for name, one in targets.items()),
    ]


def _target(name: str, one: Traits) -> Entity:
    attributes: dict[str, JsonValue] = {"kind": one.kind, "type": one.type, "tier": one.tier, "stage": one.stage}
    environment = uid("Environment", f"{one.system}/{one.environment}")
    return _entity(uid("Target", name), attributes, environment if one.environment else uid("System", one.system))


def _entity(id: Uid, attributes: dict[str, JsonValue] | None = None, parent: Uid | None = None) -> Entity:
    return {"uid": id, "attrs": attributes or {}, "parents": [parent] if parent else []}


def person(id: str, roles: Iterable[str], active: bool | None) -> Entity:
    """One person, for one request; `active` is None when nobody could be asked, and then absent."""
    parents: list[JsonValue] = [uid("Role", role) for role in sorted(roles)]
    return {"uid": uid("User", id), "attrs": {} if active is None else {"active": active}, "parents": parents}


def context(facts: Facts) -> dict[str, JsonValue]:
    """The facts that are known; an absent one stays absent."""
    return dict(_context(facts))


def _context(facts: Facts) -> Iterator[tuple[str, JsonValue]]:
    kinds = fact_types()
    for name, value in facts.model_dump(mode="json", exclude_none=True).items():
        yield name, {"__entity": uid("User", value)} if kinds[name] is PersonId else value
