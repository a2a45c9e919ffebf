"""Applying an approved plan. Knows no durable library: it is handed one function, `durable`."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

from pydantic import BaseModel

from bot.core.errors import Fenced, StoreError
from bot.core.plan import Checked, Plan, Step
from bot.core.ports import Effect
from bot.core.request import LEFT_AS_IT_IS, State, Target
from bot.core.system import Claim, Clock, EffectRecord, Ledger, OperationRecord
from bot.engine.check import Checker
from bot.engine.effect import Effector
from bot.engine.logs import about

log = logging.getLogger(__name__)
MUTEX_WAIT_S = 60.0
PUT_BACK, UNTOUCHED = "put back as it was", "nothing was done"
Data = dict[str, Any]  # JSON: it is written down, and read by the next version of this program


class Durable(Protocol):
    """Calls `call(*args)` once and remembers what it returned; after a crash, returns that instead of calling."""

    def __call__(self, name: str, call: Callable[..., Data], *args: Any) -> Data: ...


class Done(BaseModel, frozen=True):
    """What becomes of an operation."""

    state: State
    detail: str


class Reviewer(Protocol):
    """Plans and authorises again, on the world as it is now; None when the approved plan still stands."""

    def __call__(self, record: OperationRecord) -> Done | None: ...


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
            self._ledger.finish(
                operation, None, "failed", "nothing done: another operation changes the target", judge=False
            )
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
            if self._clock.monotonic() > deadline:
                break
            self._clock.sleep(0.5)
        return claim

    def _run(self, operation: str, token: int, durable: Durable) -> Done:
        begun = durable("begin", self._begin, operation, token)
        if refused := begun["refused"]:
            return Done.model_validate(refused)
        return _Run(self, operation, token, durable, Plan.model_validate(begun["plan"])).steps()

    def _begin(self, operation: str, token: int) -> Data:
        """Plan and authorise again; act only if the world still gives the plan that was approved."""
        record = self._ledger.operation(operation)
        assert record.plan is not None, "what was approved had a plan"
        if record.state == "queued":  # when it says running, our own steps may have changed the world since
            by = record.cancel_by
            refused = Done(state="cancelled", detail=f"{_cancelled(by)}; {UNTOUCHED}") if by else self._review(record)
            if refused:
                return {"refused": refused.model_dump()}
            self._ledger.begin(operation, token, "in progress")
        return {"refused": None, "plan": record.plan.model_dump(mode="json")}

    def do(self, operation: str, token: int, position: int, step: Data, version: str, target: Data) -> Data:
        """One step of the plan; a durable call."""
        key, made = f"{operation}/{position}/do", Step.model_validate(step)
        by = self._ledger.operation(operation).cancel_by
        if by and self._ledger.effect(key) is None:  # a write that has begun is brought to its ending first
            return {"ending": "cancelled", "detail": by, "version": "", "began": False}
        if made.kind == "check":
            return _checked(self._checker.check(operation, made))
        effect = Effect(key=key, version=version)
        return _ending(self._effector.perform(operation, token, made, effect, Target.model_validate(target)))

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


class _Run:
    """The steps of one plan, forwards and, if they fail, backwards."""

    def __init__(self, applier: Applier, operation: str, token: int, durable: Durable, plan: Plan) -> None:
        self._applier, self._operation, self._token, self._durable = applier, operation, token, durable
        self._plan, self._target = plan, plan.target.model_dump(mode="json")
        self._version = plan.version

    def steps(self) -> Done:
        """Every step expects the version that the one before ended with, so nobody slips in between."""
        for position, step in enumerate(self._plan.steps):
            did = self._step("do", position, step)
            if did["ending"] != "succeeded":
                return self._stopped(position, step, did)
        return Done(state="applied", detail=self._plan.summary)

    def _stopped(self, position: int, step: Step, did: Data) -> Done:
        ending, detail = did["ending"], did["detail"]
        if ending == "cancelled":
            return self._back(position, "cancelled", _cancelled(detail))
        if step.kind == "check" and step.if_broken == "report":
            state: State = "uncertain" if ending == "uncertain" else "failed"
            return Done(state=state, detail=f"{LEFT_AS_IT_IS}: {detail}; look at {self._plan.target}")
        if ending == "uncertain" and step.kind == "call":
            return Done(state="uncertain", detail=f"{detail}; look at {self._plan.target} before doing anything else")
        if ending == "changed by someone else":  # undoing would overwrite what they did
            return Done(state="failed", detail=f"{LEFT_AS_IT_IS}: {detail}")
        return self._back(position + 1 if did["began"] else position, "failed", detail)

    def _back(self, count: int, state: State, why: str) -> Done:
        """Undo the first `count` steps in reverse; the failed step's own too, if the cloud had begun it."""
        made = [(position, step) for position, step in enumerate(self._plan.steps[:count]) if step.kind == "call"]
        for position, step in reversed(made):
            if step.undo and (did := self._step("undo", position, step.undo))["ending"] != "succeeded":
                return Done(state="uncertain", detail=f"{why}; putting it back failed: {did['detail']}")
        if stays := [step.title or step.verb for _, step in made if not step.undo]:
            said = f"{LEFT_AS_IT_IS}: {why}; cannot be undone: {', '.join(stays)}; look at {self._plan.target}"
            return Done(state="failed", detail=said)
        return Done(state=state, detail=f"{why}; {PUT_BACK if made else UNTOUCHED}")

    def _step(self, direction: str, position: int, step: Step) -> Data:
        call = self._applier.do if direction == "do" else self._applier.undo
        data = step.model_dump(mode="json")
        args = (self._operation, self._token, position, data, self._version, self._target)
        did = self._durable(f"{direction} {position}", call, *args)
        self._version = did["version"] or self._version
        return did


def _ending(record: EffectRecord) -> Data:
    return {**record.model_dump(include={"ending", "detail", "version"}), "began": bool(record.cloud_operation)}


def _checked(checked: Checked) -> Data:
    ending = {"holds": "succeeded", "broken": "failed"}.get(checked.state, "uncertain")
    return {"ending": ending, "detail": checked.sentence, "version": "", "began": False}


def _cancelled(by: str) -> str:
    return f"cancelled by {by}"
