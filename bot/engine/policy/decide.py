"""May this person do this there, with how many approvals, and what would change the answer."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.core.facts import Facts, PersonId
from bot.core.request import Actor
from bot.core.rules import Act, PolicyFiles, Traits
from bot.engine.policy import remedies
from bot.engine.policy.cedar import Cedar, Question, Ruling
from bot.engine.policy.schema import about, context, entities, person, schema, uid

MOST_APPROVALS = 3


class Decision(NamedTuple):
    """Yes or no, the ids of the policies that decided (none: nothing permits), and a sentence for people.

    `error` is set when a policy could not be evaluated: then it is a no, and somebody must repair the policy.
    """

    allowed: bool
    policies: tuple[str, ...]
    sentence: str
    error: str = ""


class Probe(NamedTuple):
    """The fewest approvals that permit; None: no number does. The decision is the one with that many, or with most."""

    approvals: int | None
    decision: Decision


class Policy:
    """The one place that says yes or no. Whatever is unknown or goes wrong is a no.

    `acts`: operation (its command) to what policy knows of it. `targets`: full name to what policies may ask of it.
    Raises ConfigError for a policy that does not parse or does not fit what there is.
    """

    def __init__(self, files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> None:
        self._acts, self._targets, self._roles = acts, targets, tuple(files.roles.roles)
        self._titles = {policy.id: policy.title for policy in files.policies}
        self._cedar = Cedar(schema(acts), files.policies, entities(self._roles, targets))

    def decide(self, actor: Actor, operation: str, target: str | None, facts: Facts) -> Decision:
        """One decision with the facts as they are. `target` is a full name; None: the operation names none."""
        if refusal := self._unknown(operation, target):
            return refusal
        (ruling,) = self._rule(actor, operation, target, [facts])
        return self._decision(ruling, actor, operation, target)

    def probe(self, actor: Actor, operation: str, target: str | None, facts: Facts) -> Probe:
        """How many approvals it takes, found by trying; an error in any trial is a no."""
        if refusal := self._unknown(operation, target):
            return Probe(None, refusal)
        trials = [_with(facts, approvals=count) for count in range(MOST_APPROVALS + 1)]
        rulings = self._rule(actor, operation, target, trials)
        broken = next((ruling for ruling in rulings if ruling.error), None)
        count = None if broken else next((n for n, ruling in enumerate(rulings) if ruling.allowed), None)
        ruling = broken or rulings[-1 if count is None else count]
        return Probe(count, self._decision(ruling, actor, operation, target))

    def acting_on(self, operation: str, requester: str, facts: Facts) -> Facts:
        """The facts for a control (approve, deny, ops cancel), which is about somebody's operation."""
        act = self._acts.get(operation)
        risk = act.risk if act else None
        return _with(facts, requester=PersonId(requester), acts_on=operation, acts_on_risk=risk)

    def why_not(self, actor: Actor, operation: str, target: str | None, facts: Facts) -> tuple[remedies.Remedy, ...]:
        """The smallest sets of changes that would permit, easiest first; none when it is allowed or nothing would."""
        decision = self.decide(actor, operation, target, facts)
        if decision.allowed or self._unknown(operation, target):
            return ()
        groups = remedies.candidates(actor, facts, self._roles)
        permitted: list[remedies.Remedy] = []
        for role, tries in groups.items():
            somebody = actor.model_copy(update={"roles": (*actor.roles, *([role] if role else []))})
            rulings = self._rule(somebody, operation, target, [one.applied(facts) for one in tries])
            permitted += [one for one, ruling in zip(tries, rulings, strict=True) if ruling.allowed]
        return remedies.smallest(permitted)

    def _unknown(self, operation: str, target: str | None) -> Decision | None:
        if operation not in self._acts:
            return Decision(False, (), f"There is no operation `{operation}`.")
        if target is None and self._acts[operation].verb != "answer":
            return Decision(False, (), f"`{operation}` must name a target.")
        if target is not None and target not in self._targets:
            return Decision(False, (), f"`{target}` is not in the catalog.")
        return None

    def _rule(self, actor: Actor, operation: str, target: str | None, trials: list[Facts]) -> tuple[Ruling, ...]:
        somebody = person(actor.id, set(actor.roles) & set(self._roles), actor.active)
        who, resource = uid("User", actor.id), about(target)
        return self._cedar.rule(somebody, [Question(who, operation, resource, context(one)) for one in trials])

    def _decision(self, ruling: Ruling, actor: Actor, operation: str, target: str | None) -> Decision:
        if ruling.error:
            return Decision(False, (), f"a policy could not be evaluated: {ruling.error}.", ruling.error)
        titles = "; ".join(f"{self._titles[id]} ({id})" for id in ruling.policies)
        on = f" on {target}" if target else ""
        nothing = f"No policy lets {actor.name} ({_roles(actor)}) do `{operation}`{on}"
        return Decision(ruling.allowed, ruling.policies, f"{titles or nothing}.")


def _with(facts: Facts, **changes: Any) -> Facts:
    return facts.model_copy(update=changes)


def _roles(actor: Actor) -> str:
    return ", ".join(actor.roles) or "no role"
