"""The only file that imports cedarpy: parsed once, asked often, and whatever goes wrong is a refusal."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import cedarpy

from bot.core.errors import ConfigError
from bot.core.rules import PolicyText
from bot.engine.policy.schema import Entity, Uid

_NOISE = re.compile(r'^for policy `policy0`, | for Aisq::Action::"[^"]*"$')
PEOPLE = 100  # of whom is kept what Cedar makes of them
RULINGS = 1000  # that are kept: the same question about the same person has the same answer
WIDTH = 110  # characters a line in which policies are written
Syntax = dict[str, Any]  # Cedar's JSON policy format: https://docs.cedarpolicy.com/policies/json-format.html


class Question(NamedTuple):
    """May `who` do `action` to `resource`, given these facts?"""

    who: Uid
    action: str
    resource: Uid
    context: dict[str, Any]


class Ruling(NamedTuple):
    """Cedar's answer, and the ids of the policies that decided: none when nothing permits. An error never permits."""

    allowed: bool
    policies: tuple[str, ...] = ()
    error: str = ""


class Cedar:
    """Policies, schema and entities as handles. Raises ConfigError for a policy that does not fit the schema."""

    def __init__(self, schema: str, policies: Sequence[PolicyText], entities: Sequence[Entity]) -> None:
        self._schema = cedarpy.Schema.from_str(schema)
        for policy in policies:
            check(policy, self._schema)
        self._policies = cedarpy.PolicySet.from_str("\n".join(policy.text for policy in policies))
        self._entities = cedarpy.Entities.from_json_str(json.dumps(entities), self._schema)
        self._knowing = lru_cache(maxsize=PEOPLE)(self._with)
        self._ruled = lru_cache(maxsize=RULINGS)(self._rule)

    def rule(self, person: Entity, questions: Sequence[Question]) -> tuple[Ruling, ...]:
        """One ruling a question; `person` is only known in this call."""
        try:
            return self._ruled(json.dumps([person]), json.dumps([_request(question) for question in questions]))
        except ValueError as error:
            return tuple(Ruling(False, error=str(error)) for _ in questions)

    def _rule(self, person: str, requests: str) -> tuple[Ruling, ...]:
        known = self._knowing(person)
        answers = cedarpy.is_authorized_batch(json.loads(requests), self._policies, known, self._schema)
        return tuple(_ruling(answer) for answer in answers)

    def _with(self, added: str) -> cedarpy.Entities:
        return self._entities.with_added_json_str(added, self._schema)


def _request(question: Question) -> dict[str, Any]:
    return {
        "principal": question.who,
        "action": {"type": "Aisq::Action", "id": question.action},
        "resource": question.resource,
        "context": question.context,
    }


def _ruling(answer: cedarpy.AuthzResult) -> Ruling:
    # A forbid that fails is skipped by Cedar, so an error beside a permit means that nobody knows.
    errors = answer.diagnostics.errors
    if errors or answer.decision is cedarpy.Decision.NoDecision:
        return Ruling(False, error="; ".join(errors) or "no decision")
    return Ruling(answer.allowed, tuple(sorted(answer.diagnostics.id_annotations_by_reason.values())))


def syntax(policy: PolicyText) -> Syntax:
    """One policy as a tree. Raises ConfigError with the file, the line and the id."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(policy.text))
    except ValueError as error:
        raise _wrong(policy, str(error)) from None
    if len(parsed["staticPolicies"]) != 1:
        raise _wrong(policy, "must be one policy, without ?principal and ?resource: a template permits nothing")
    (tree,) = parsed["staticPolicies"].values()
    return dict(tree)


def check(policy: PolicyText, schema: str | cedarpy.Schema) -> None:
    """Whether it parses and fits the schema. Raises ConfigError with the file, the line and the id."""
    syntax(policy)
    found = cedarpy.validate_policies(policy.text, schema)
    if not found:
        each = {_NOISE.sub("", error.error) for error in found.errors}  # it says the same again for every action
        raise _wrong(policy, "; ".join(sorted(each)))


def formatted(policy: PolicyText) -> str:
    """The policy as it should be written. Raises ConfigError."""
    try:
        return cedarpy.format_policies(policy.text, line_width=WIDTH).strip()
    except ValueError as error:
        raise _wrong(policy, str(error)) from None


def _wrong(policy: PolicyText, problem: str) -> ConfigError:
    return ConfigError(problem, file=policy.file, line=policy.line, field=policy.id)
