"""Applying an approved plan. Knows no durable library: it is handed one function, `durable`."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from bot.core.errors import Fenced, StoreError
from bot.core.plan import Checked, Plan, Step
from bot.core.ports import Effect
from bot.core.request import DUE, Target
from bot.core.system import Claim, Clock, EffectRecord, Ledger, OperationRecord
from bot.engine.check import Checker
from bot.engine.effect import Effector
from bot.engine.logs import about
from bot.engine.steps import UNTOUCHED, Data, Done, Steps

log = logging.getLogger(__name__)
MUTEX_WAIT_S = 60.0
BUSY = "nothing done: another operation changes the target"
PASSED = Checked(state="holds", sentence="")


class Durable(Protocol):
    """Calls `call(*args)` once and remembers what it returned; after a crash, returns that instead of calling."""

    def __call__(self, name: str, call: Callable[..., Data], *args: Any) -> Data: ...


class Reviewer(Protocol):
    """Plans and authorises again, on the world as it is now; the plan to carry out, or why there is none."""

    def __call__(self, record: OperationRecord) -> Done | Plan: ...


class Applier:
    """Runs any plan: mutex, review, steps, undo, outcome."""

    def __init__(
        self, review: Reviewer, effector: Effector, checker: Checker, ledger: Ledger, clock: Clock, owner: str
    ) -> None:
        self._review, self._effector, self._checker = review, effector, checker
        self._ledger, self._clock, self._owner = ledger, clock, owner

    def apply(self, operation: str, durable: Durable) -> str:
        """The whole way to an outcome. Deterministic given what `durable` remembers."""
        with about(operation):
            return self._apply(operation, durable)

    def _apply(self, operation: str, durable: Durable) -> str:
        """In reading order."""
        claim = self._claim(operation)  # never remembered: every process that runs this needs a token of its own
        if claim == "busy":
            by = self._cancel_by(operation)
            none = _cancelled(by) if by else Done(state="failed", detail=BUSY)
            self._ledger.finish(operation, None, none.state, none.detail, judge=False)
        if not isinstance(claim, int):
            return self._ledger.operation(operation).state
        try:
            done = self._run(operation, claim, durable)
        except (Fenced, StoreError):
            raise  # nothing can be written down now: the sweep runs it again when it can
        except Exception as bug:  # the engine's one broad except: nothing may stay "running"
            log.exception("operation %s met a bug", operation)
            done = Done(state="uncertain", detail=f"a bug in aisq ({type(bug).__name__}); look at the target")
        durable("finish", self._finish, operation, claim, done.model_dump())
        return done.state

    def _claim(self, operation: str) -> Claim:
        deadline = self._clock.monotonic() + MUTEX_WAIT_S
        while (claim := self._ledger.claim(operation, self._owner)) == "busy":
            if self._cancel_by(operation):
                break
            if self._clock.monotonic() > deadline and not self._waits_for_others(operation):
                break
            self._clock.sleep(0.5)
        return claim

    def _waits_for_others(self, operation: str) -> bool:
        """Whether what makes way for it has not come to a stop yet: a write may be on its way, which takes its time."""
        plan = self._ledger.operation(operation).plan
        return any(self._ledger.operation(other).state in DUE for other in (plan.stopped if plan else ()))

    def _run(self, operation: str, token: int, durable: Durable) -> Done:
        begun = durable("begin", self._begin, operation, token)
        if refused := begun["refused"]:
            return Done.model_validate(refused)

        def make(direction: str, position: int, step: Step, version: str, target: Target) -> Data:
            call = self.do if direction == "do" else self.undo
            data = step.model_dump(mode="json"), version, target.model_dump(mode="json")
            return durable(f"{direction} {position}", call, operation, token, position, *data)

        return Steps(Plan.model_validate(begun["plan"]), make).forwards()

    def _begin(self, operation: str, token: int) -> Data:
        """Plan and authorise again; act only if the world still gives the plan that was approved."""
        record = self._ledger.operation(operation)
        plan = record.plan
        assert plan is not None, "what was approved had a plan"
        if record.state == "queued":  # when it says running, our own steps may have changed the world since
            reviewed = _cancelled(record.cancel_by) if record.cancel_by else self._review(record)
            if isinstance(reviewed, Done):
                return {"refused": reviewed.model_dump()}
            self._ledger.begin(operation, token, "in progress", None if reviewed == plan else reviewed)
            plan = reviewed
        return {"refused": None, "plan": plan.model_dump(mode="json")}

    def do(self, operation: str, token: int, position: int, step: Data, version: str, target: Data) -> Data:
        """One step of the plan; a durable call."""
        key, made = f"{operation}/{position}/do", Step.model_validate(step)
        passed = self._began_beyond(operation, position)  # in a life of which nothing is remembered
        by = "" if passed else self._cancel_by(operation)
        if by and self._ledger.effect(key) is None:  # a write that has begun is brought to its ending first
            return _stop(by)
        if made.kind == "check":
            found = PASSED if passed else self._checker.check(operation, token, position, made)
            return _checked(found) if found else _stop(self._cancel_by(operation))
        effect, at = Effect(key=key, version=version), Target.model_validate(target)
        did = self._effector.perform(operation, token, made, effect, at, lambda: bool(self._cancel_by(operation)))
        if did.ending == "cancelled":
            did = did.model_copy(update={"detail": self._cancel_by(operation)})
        return _ending(did)

    def _began_beyond(self, operation: str, position: int) -> bool:
        """Whether a later step has begun: then this one is behind us, and all up to that one are to be put back."""
        keys = (one.effect.key.split("/") for one in self._ledger.effects(operation))
        return any(direction == "do" and int(begun) > position for _, begun, direction in keys)

    def _cancel_by(self, operation: str) -> str:
        return self._ledger.operation(operation).cancel_by

    def undo(self, operation: str, token: int, position: int, step: Data, version: str, target: Data) -> Data:
        """The undo of one step; a durable call."""
        effect = Effect(key=f"{operation}/{position}/undo", version=version)
        return _ending(
            self._effector.perform(operation, token, Step.model_validate(step), effect, Target.model_validate(target))
        )

    def _finish(self, operation: str, token: int, done: Data) -> Data:
        plan = self._ledger.operation(operation).plan
        judge = done["state"] == "applied" and plan is not None and bool(plan.afterwards)
        self._ledger.finish(operation, token, done["state"], done["detail"], judge=judge)
        return done


def _ending(record: EffectRecord) -> Data:
    return {**record.model_dump(include={"ending", "detail", "version"}), "began": bool(record.cloud_operation)}


def _checked(checked: Checked) -> Data:
    ending = {"holds": "succeeded", "broken": "failed"}.get(checked.state, "uncertain")
    return {"ending": ending, "detail": checked.sentence, "version": "", "began": False}


def _cancelled(by: str) -> Done:
    return Done(state="cancelled", detail=f"cancelled by {by}; {UNTOUCHED}")


def _stop(by: str) -> Data:
    return {"ending": "cancelled", "detail": by, "version": "", "began": False}
