"""Runs the cases of policies/tests/: who does what where, how many approvals that needs, and which policy decides."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from bot.core.facts import Facts, PersonId
from bot.core.parser import did_you_mean, near
from bot.core.request import Actor
from bot.core.rules import Act, Case, PolicyFiles, Traits
from bot.engine.policy.decide import Policy

ME = PersonId("case:me")
_Known = Mapping[str, Mapping[str, object]]


class Result(NamedTuple):
    """How a case went; `problem` is empty when it holds."""

    file: str
    case: Case
    problem: str


def run_cases(files: PolicyFiles, acts: Mapping[str, Act], targets: Mapping[str, Traits]) -> tuple[Result, ...]:
    """Every case, in the order of the files. Raises ConfigError for a policy that is not right in itself."""
    policy = Policy(files, acts, targets)
    known: _Known = {"role": files.roles.roles, "operation": acts, "target": targets, "fact": Facts.model_fields}
    return tuple(Result(file, case, _wrong(case, known) or _outcome(case, policy)) for file, case in files.cases)


def _wrong(case: Case, known: _Known) -> str:
    """A case about something that does not exist would be refused for the wrong reason."""
    said = [*(("role", role) for role in case.who), ("operation", case.what), *(("fact", fact) for fact in case.facts)]
    if case.where:
        said.append(("target", case.where))
    elif isinstance(act := known["operation"].get(case.what), Act) and act.verb != "answer":
        return f"`{case.what}` must name a target, so say where"
    wrong = [(kind, name) for kind, name in said if name not in known[kind]]
    return "; ".join(f"there is no {kind} `{name}`.{did_you_mean(near(name, known[kind]))}" for kind, name in wrong)


def _outcome(case: Case, policy: Policy) -> str:
    try:
        facts = Facts.model_validate(_facts(case.facts), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        return f"the fact `{first['loc'][0]}` is wrong: {first['msg']}"
    somebody = Actor(id=ME, name="me", roles=case.who, active=case.active)
    count, decision = policy.probe(somebody, case.what, case.where or None, facts)
    needs = "never" if count is None else count
    if decision.error or needs != case.needs_approvals:
        return f"needs_approvals is {needs}, not {case.needs_approvals}: {decision.sentence}"
    if case.by not in decision.policies and (case.by or (count is None and decision.policies)):
        return f"is decided by {', '.join(decision.policies) or 'no policy'}, not by {case.by or 'none'}"
    return ""


def _facts(written: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: ME if (name, value) == ("requester", "me") else value for name, value in written.items()}
