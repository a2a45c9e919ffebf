"""Whether a policy can ever apply: looks for one request that it speaks about, among all that differ for it."""

from collections.abc import Iterator, Mapping
from itertools import islice, product
from typing import Any

from bot.core.facts import PersonId
from bot.core.rules import Act, PolicyText, Traits
from bot.engine.policy.cedar import Cedar, Question, Syntax, syntax
from bot.engine.policy.decide import MOST_APPROVALS
from bot.engine.policy.schema import about, entities, fact_types, person, schema, uid, words_of
from bot.engine.policy.syntax import Asked, asked, covers, named, values

MOST_TRIES = 20_000  # then it gets the benefit of the doubt
_BATCH = 200
_SOMEBODY = "somebody"


class Witness:
    """Looks for requests; `roles` and `targets` are all that there are."""

    def __init__(self, acts: Mapping[str, Act], roles: tuple[str, ...], targets: Mapping[str, Traits]) -> None:
        self._acts, self._roles, self._targets = acts, roles, targets
        self._schema, self._entities = schema(acts), entities(roles, targets)

    def can_apply(self, policy: PolicyText) -> bool:
        """Whether some request makes the policy count; true when there are too many to try."""
        tree = syntax(policy)
        cedar = Cedar(self._schema, [policy], self._entities)
        left = MOST_TRIES
        for who, roles, active in self._people(tree):
            tries = self._questions(tree, who)
            while left > 0 and (some := list(islice(tries, _BATCH))):
                left -= len(some)
                if any(ruling.policies for ruling in cedar.rule(person(who, roles, active), some)):
                    return True
        return left <= 0

    def _people(self, tree: Syntax) -> Iterator[tuple[str, tuple[str, ...], bool | None]]:
        roles = [one.id for one in named(tree) if one.kind == "Role"]
        some = [self._roles, *([()] if roles else []), *((role,) for role in roles if role in self._roles)]
        active = (True, False, None) if Asked("principal", "active") in asked(tree) else (True,)
        yield from product([_SOMEBODY, *_written(tree)], some, active)

    def _questions(self, tree: Syntax, who: str) -> Iterator[Question]:
        domains, targets = dict(_domains(tree, who)), self._different(tree)
        for chosen in product(*domains.values()):
            facts = {name: value for name, value in zip(domains, chosen, strict=True) if value is not None}
            for operation, act in self._acts.items():
                if covers(tree, operation, act):
                    for target in [*targets, *([None] if act.verb == "answer" else [])]:
                        yield Question(uid("User", who), operation, about(target), facts)

    def _different(self, tree: Syntax) -> list[str]:
        """Targets that the policy can tell apart."""
        if {"System", "Environment", "Target"} & {one.kind for one in named(tree)}:
            return list(self._targets)
        attributes = sorted(one.attribute for one in asked(tree) if one.of == "resource")
        return list({tuple(getattr(one, a) for a in attributes): name for name, one in self._targets.items()}.values())


def _written(tree: Syntax) -> list[str]:
    return sorted(one.id for one in named(tree) if one.kind == "User")


def _domains(tree: Syntax, who: str) -> Iterator[tuple[str, list[Any]]]:
    """For each fact that the policy asks for: absent, and every value that could make a difference."""
    kinds = fact_types()
    for one in sorted(asked(tree)):
        if one.of == "context" and one.attribute in kinds:
            yield one.attribute, [None, *_values(tree, one.attribute, kinds[one.attribute], who)]


def _values(tree: Syntax, fact: str, kind: Any, who: str) -> list[Any]:
    if fact == "approvals":
        return list(range(MOST_APPROVALS + 1))
    if kind is bool:
        return [True, False]
    if kind is int:
        return sorted({near for number in values(tree, int) for near in (number - 1, number, number + 1)} | {0})
    if kind is PersonId:
        return [{"__entity": uid("User", id)} for id in (who, "somebody else", *_written(tree))]
    return list(words_of(kind) or [*sorted(values(tree, str)), "another text"])
