"""The one place where permission is given. Every door, and every step from request to apply, comes through here."""

import logging

from pydantic import BaseModel

from bot.core.errors import Denied
from bot.core.facts import Facts
from bot.core.operation import Change, Operation, Risk
from bot.core.places import above
from bot.core.plan import Plan
from bot.core.request import Actor, Subject
from bot.engine.facts import FactFinder, targets_of
from bot.engine.policy import MOST_APPROVALS, Decision, Policy

log = logging.getLogger(__name__)


class Permit(BaseModel, frozen=True):
    """Permission, once `approvals` people have agreed."""

    approvals: int
    by: str  # ids of the policies that permit it

    @property
    def how(self) -> str:
        """What it takes, as people read it after "you may"."""
        people = {0: "at once, alone", 1: "once one other person approves"}
        return people.get(self.approvals, f"once {self.approvals} other people approve")


class Gate:
    """Asks policy with all facts that there are."""

    def __init__(self, policy: Policy, facts: FactFinder) -> None:
        self._policy, self._facts = policy, facts

    def permit(
        self, actor: Actor, operation: Operation, *, plan: Plan | None = None, approvals: int | None = None
    ) -> Permit:
        """Permission now, with the approvals given so far (None: how many would be needed). Raises Denied."""
        if not _is_known(actor, operation):
            raise Denied("nobody could be asked whether you are still active; try again, or use the terminal")
        facts = self._facts_of(operation, plan, approvals)
        permits = [self._permit_at(place, actor, operation, facts, approvals) for place in _places(operation, plan)]
        by = dict.fromkeys(one.by for one in permits)
        return Permit(approvals=max(one.approvals for one in permits), by=", ".join(by))

    def _permit_at(
        self, place: str | None, actor: Actor, operation: Operation, facts: Facts, approvals: int | None
    ) -> Permit:
        """For one of its targets."""
        probe = self._policy.probe(actor, operation.command(), place, facts)
        needed = probe.approvals
        if needed is None:
            raise self._denied(place, actor, operation, facts, probe.decision)
        if approvals is not None and approvals < needed:
            decision = self._policy.decide(actor, operation.command(), place, facts)
            raise self._denied(place, actor, operation, facts, decision)
        return Permit(approvals=needed, by=", ".join(probe.decision.policies))

    def first_refusal(self, actor: Actor, operation: Operation) -> Denied | None:
        """Before anything is planned. What the request and the calendar would permit is not refused yet, so that
        nobody waits for a store: policy is asked again when there is a plan."""
        facts = self._acting(operation, self._facts.at_hand(operation, approvals=MOST_APPROVALS))
        decision = self._policy.decide(actor, operation.command(), _target(operation), facts)
        return None if decision.allowed and _is_known(actor, operation) else self.refusal(actor, operation)

    def refusal(self, actor: Actor, operation: Operation) -> Denied | None:
        """What policy refuses, from facts that need no cloud."""
        try:
            self.permit(actor, operation)
        except Denied as denied:
            return denied
        return None

    def allows(self, actor: Actor, operation: Operation) -> bool:
        """Whether policy would permit it, once enough people approve; says no more, and so is quick."""
        if not _is_known(actor, operation):
            return False
        facts = self._facts_of(operation, None, None)
        return self._policy.probe(actor, operation.command(), _target(operation), facts).approvals is not None

    def remedies(self, actor: Actor, operation: Operation) -> tuple[str, ...]:
        """The smallest sets of facts that would permit it, easiest first."""
        found = self._policy.why_not(
            actor, operation.command(), _target(operation), self._facts_of(operation, None, None)
        )
        return tuple(remedy.sentence for remedy in found)

    def _facts_of(self, operation: Operation, plan: Plan | None, approvals: int | None) -> Facts:
        return self._acting(operation, self._facts.of(operation, plan=plan, approvals=approvals))

    def _acting(self, operation: Operation, facts: Facts) -> Facts:
        """With what a control acts on."""
        about = None if isinstance(operation, Change) else getattr(operation, "operation", None)
        return self._policy.acting_on(about.operation, about.requester, facts) if isinstance(about, Subject) else facts

    def _denied(
        self, place: str | None, actor: Actor, operation: Operation, facts: Facts, decision: Decision
    ) -> Denied:
        if decision.error:
            log.error("policy failed on %s by %s: %s", operation.command(), actor.id, decision.error)
        found = self._policy.why_not(actor, operation.command(), place, facts)
        remedy = " or ".join(one.sentence for one in found[:2])
        return Denied(decision.sentence, policy=", ".join(decision.policies), remedy=remedy)


def _is_known(actor: Actor, operation: Operation) -> bool:
    """Who may have left may still look."""
    return actor.active is not None or operation.risk is Risk.READ


def _places(operation: Operation, plan: Plan | None) -> tuple[str | None, ...]:
    """What policy knows all of its targets by, each once."""
    others = dict.fromkeys(above(target.full_name) for target in targets_of(operation, plan))
    return tuple(others) or (None,)


def _target(operation: Operation) -> str | None:
    """What policy knows it by; a pattern is as critical as the system or environment that holds all of it."""
    return above(operation.target.full_name) if operation.target else None
