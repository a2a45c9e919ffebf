"""Steps that look: checks before the outcome, judgements after it. Both are an operation's own methods."""

from datetime import timedelta
from typing import Any, Literal

from bot.core.errors import CloudError, UserError
from bot.core.operation import Operation, needs
from bot.core.plan import Checked, Moment, Step
from bot.core.request import Request
from bot.core.system import Clock, Ledger, OperationRecord
from bot.engine.bind import Binder
from bot.engine.effect import typed_arguments
from bot.engine.registry import Registry
from bot.engine.waiting import Waiting

UNREAD_EVERY_S = 5.0  # what cannot be read is looked at more seldom


class Checker:
    """Calls `check_VERB` and `judge_VERB` of the operation that planned them."""

    def __init__(self, registry: Registry, binder: Binder, ledger: Ledger, clock: Clock) -> None:
        self._registry, self._binder, self._ledger, self._clock = registry, binder, ledger, clock

    def check(self, operation: str, token: int, position: int, step: Step) -> Checked | None:
        """Look until it is decided; None when the operation was cancelled meanwhile."""
        record = self._ledger.operation(operation)
        waiting = Waiting(
            self._ledger, self._clock, operation, token, position, step, lambda moment: self._look(record, step, moment)
        )
        return waiting.until_decided()

    def judge(self, operation: str) -> None:
        """One round for an operation that has its outcome; writes what was found as soon as it is known."""
        record = self._ledger.operation(operation)
        assert record.plan is not None and record.applied_at is not None, "only what was applied is judged"
        changed_at = next((effect.at for effect in self._ledger.effects(operation)), None)
        moment = Moment(started_at=record.applied_at, now=self._clock.now(), changed_at=changed_at)
        sentences, worst = [], "holds"
        for step in record.plan.afterwards:
            found = self._look(record, step, moment)
            late = moment.now >= moment.started_at + timedelta(seconds=step.deadline_s)
            if found.state == "not yet" and not late:
                return
            sentences.append(found.sentence)
            worst = _worse(worst, found.state)
        state: Literal["holds", "broken", "unknown"] = "holds" if worst == "holds" else "broken"
        self._ledger.judged(operation, "unknown" if worst == "unknown" else state, " ".join(sentences))

    def _look(self, record: OperationRecord, step: Step, moment: Moment) -> Checked:
        name = f"{step.kind}_{step.verb}"
        try:
            made = self._registry.load(record.request)
            found = getattr(made, name)(**self._arguments(made, name, step, moment, record.request))
        except (CloudError, UserError) as error:
            again = moment.now + timedelta(seconds=UNREAD_EVERY_S)
            return Checked(state="not yet", sentence=f"could not be checked: {error}", look_again_at=again)
        assert isinstance(found, Checked), f"{name} must return Checked"
        return found

    def _arguments(self, made: Operation, name: str, step: Step, moment: Moment, request: Request) -> dict[str, Any]:
        bound = self._binder.arguments(made, name, moment, request)
        said = typed_arguments(getattr(type(made), name), step)
        if missing := needs(type(made), name).keys() - bound.keys() - said.keys():
            raise TypeError(f"{name} asks for {', '.join(sorted(missing))}, which nobody offers")
        return {**bound, **said}


def _worse(one: str, other: str) -> str:
    order = ("holds", "unknown", "not yet", "broken")
    worst = max(one, other, key=order.index)
    return "unknown" if worst == "not yet" else worst
