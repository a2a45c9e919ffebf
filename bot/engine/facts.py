"""Fills core's facts, each from its one named source. What cannot be had stays absent."""

from collections.abc import Callable, Sequence
from typing import get_args

from bot.core.facts import Facts
from bot.core.operation import Change, Operation
from bot.core.plan import Plan
from bot.core.request import Target
from bot.core.rules import Freezes
from bot.core.slo import Asked
from bot.core.system import Clock, LockReads, PinReads


class FactFinder:
    """Of several targets, a fact is true when it is of any."""

    def __init__(self, pins: PinReads, locks: LockReads, freezes: Freezes, clock: Clock) -> None:
        self._pins, self._locks, self._freezes, self._clock = pins, locks, freezes, clock

    def of(self, operation: Operation, *, plan: Plan | None = None, approvals: int | None = None) -> Facts:
        """The facts about a request; `plan` and `approvals` when they are known."""
        targets = targets_of(operation, plan)
        decided, measured = (plan.facts, plan.measured) if plan else ({}, {})
        moved, budget = decided.get("traffic_moved_pct"), decided.get("error_budget")
        critical = decided.get("critical_vulnerabilities")
        locks, now = self._locks.locks() if targets else (), self._clock.now()
        more = {
            "pinned": _any(targets, lambda one: self._pins.pin(one) is not None),
            "locked": _any(targets, lambda one: any(lock.stops("deploys", one.full_name, now) for lock in locks)),
            "frozen": _any(
                targets,
                lambda one: self._announced(one) or any(lock.stops("freeze", one.full_name, now) for lock in locks),
            ),
            "verdict": plan.verdict.level if plan and plan.verdict else None,
            "traffic_moved_pct": moved if isinstance(moved, int) else None,
            "critical_vulnerabilities": critical if isinstance(critical, int) else None,
            "error_rate_pct": _whole(measured.get("error_rate_pct")),
            "error_budget": budget if budget in get_args(Asked) else None,
            "error_budget_left_pct": _whole(measured.get("error_budget_left_pct")),
        }
        return self.at_hand(operation, approvals=approvals).model_copy(update=more)

    def at_hand(self, operation: Operation, *, approvals: int | None = None) -> Facts:
        """Those for which nobody has to be asked: of freezes only those that the calendar has."""
        change = operation if isinstance(operation, Change) else None
        return Facts(
            approvals=approvals,
            break_glass=bool(change.break_glass) if change else None,
            dry_run=change.dry_run if change else None,
            frozen=_any(targets_of(operation), self._announced),
        )

    def _announced(self, target: Target) -> bool:
        return self._freezes.frozen(target.full_name, self._clock.now()) is not None


def targets_of(operation: Operation, plan: Plan | None = None) -> tuple[Target, ...]:
    """What an operation is about, and what its plan is about besides."""
    others = tuple(one.target for one in plan.others) if plan else ()
    return (operation.target, *others) if operation.target else others


def _any(targets: Sequence[Target], holds: Callable[[Target], bool]) -> bool | None:
    return any(map(holds, targets)) if targets else None


def _whole(percent: float | None) -> int | None:
    return None if percent is None else round(percent)
