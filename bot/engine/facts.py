"""Fills core's facts, each from its one named source. What cannot be had stays absent."""

from collections.abc import Callable

from bot.core.facts import Facts
from bot.core.operation import Change, Operation
from bot.core.plan import Plan
from bot.core.request import Target
from bot.core.system import PinReads


class FactFinder:
    """`frozen(target)` tells whether a change freeze covers the target now."""

    def __init__(self, pins: PinReads, frozen: Callable[[Target], bool]) -> None:
        self._pins, self._frozen = pins, frozen

    def of(self, operation: Operation, *, plan: Plan | None = None, approvals: int | None = None) -> Facts:
        """The facts about a request; `plan` and `approvals` when they are known."""
        target = operation.target
        moved, error_rate = (
            (plan.facts.get("traffic_moved_pct"), plan.measured.get("error_rate_pct")) if plan else (0, 0)
        )
        more = {
            "pinned": self._pins.pin(target) is not None if target else None,
            "verdict": plan.verdict.level if plan and plan.verdict else None,
            "traffic_moved_pct": moved if plan and isinstance(moved, int) else None,
            "error_rate_pct": round(error_rate) if plan and error_rate is not None else None,
        }
        return self.at_hand(operation, approvals=approvals).model_copy(update=more)

    def at_hand(self, operation: Operation, *, approvals: int | None = None) -> Facts:
        """Those for which nobody has to be asked."""
        target, change = operation.target, operation if isinstance(operation, Change) else None
        return Facts(
            approvals=approvals,
            break_glass=bool(change.break_glass) if change else None,
            dry_run=change.dry_run if change else None,
            frozen=self._frozen(target) if target else None,
        )
