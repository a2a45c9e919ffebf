"""One write to a platform, made at most once, however often this code is run for it.

    intent        ->  call          ->  cloud's operation id  ->  poll  ->  ending
    (our key,         (refused unless   (adopted instead of
     the version)      at the version)   called, if found)

A crash between any two arrows is repaired by running the same function again.
"""

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from bot.core.errors import CloudError, Permanent, Refused, Transient, Uncertain
from bot.core.plan import Step
from bot.core.ports import PORTS, Effect, Effects, Progress
from bot.core.request import Target
from bot.core.system import Clock, EffectRecord, Ending, Ledger
from bot.engine.bind import Binder
from bot.engine.retry import delays, patiently

FIRST_POLL_S, SLOWEST_POLL_S = 0.2, 1.0  # a cancel is heard in between, and a rescue waits for that
POLL_FOR_S = 900.0
READ_FOR_S = 300.0
CALL_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 5.0)
Stops = Callable[[], bool]  # whether its operation was cancelled


class Effector:
    """Makes writes on whatever platform the target is on, and keeps the ledger about them."""

    def __init__(self, binder: Binder, ledger: Ledger, clock: Clock) -> None:
        self._binder, self._ledger, self._clock = binder, ledger, clock
        self._effects: Effects = binder.port(Effects)

    def perform(
        self, operation: str, token: int, step: Step, effect: Effect, target: Target, stops: Stops = lambda: False
    ) -> EffectRecord:
        """Bring the write to its ending; once it `stops`, what needs it no more does not wait for the cloud. Raises
        Fenced when another process owns the operation now."""
        record = self._ledger.effect(effect.key)
        if record and record.ending:
            return record
        call = self._call(step)
        intended = record or self._ledger.intend(operation, token, effect, step)
        begun = self._begin(operation, token, intended, call, target, again=record is not None)
        ended = begun if begun.ending else self._wait(begun, step, target, stops)
        self._ledger.settle(operation, token, ended)
        return ended

    def _begin(
        self,
        operation: str,
        token: int,
        record: EffectRecord,
        call: Callable[[Effect], str],
        target: Target,
        *,
        again: bool,
    ) -> EffectRecord:
        """With the cloud's operation, or with its ending when there is none."""
        try:
            # A previous life may have called already: look before calling.
            found = record.cloud_operation or (self._find(target, record.effect.key) if again else None)
            started = found or self._call_until_known(call, record.effect, target, sent=again)
        except Refused as error:
            return _ended(record, "changed by someone else", str(error))
        except Uncertain as error:
            return _ended(record, "uncertain", str(error))
        except CloudError as error:
            return _ended(record, "failed", str(error))
        if not record.cloud_operation:
            self._ledger.issued(operation, token, record.effect.key, started)
        return record.model_copy(update={"cloud_operation": started})

    def _call(self, step: Step) -> Callable[[Effect], str]:
        port, method, arguments = write_of(step)
        write: Callable[..., Any] = getattr(self._binder.port(port), method)
        return lambda effect: str(write(effect, **arguments))

    def _call_until_known(self, call: Callable[[Effect], str], effect: Effect, target: Target, *, sent: bool) -> str:
        """Call, and after every answer but a clear one look before calling again.

        `sent`: an earlier call may have reached the cloud; then no refusal of a later one says that nothing was done.
        """
        waits = iter(CALL_DELAYS_S)
        while True:
            try:
                return call(effect)
            except CloudError as error:
                sent = sent or isinstance(error, Uncertain)
                if isinstance(error, Permanent) and not sent:
                    raise
                # Same effect, same version: if the lost call did commit, the next one is refused. Refused is
                # therefore either our own earlier call (it carries our key) or somebody else's change.
                if found := self._find(target, effect.key):
                    return found
                delay_s = next(waits, None)
                if isinstance(error, Refused) or delay_s is None or isinstance(error, Permanent):
                    raise _unknown(error) if sent else error from None
                asked_s = error.retry_after_s if isinstance(error, Transient) else 0.0
            self._clock.sleep(max(delay_s, asked_s))

    def _wait(self, record: EffectRecord, step: Step, target: Target, stops: Stops) -> EffectRecord:
        for_s = step.deadline_s or POLL_FOR_S
        deadline = self._clock.monotonic() + for_s
        waits = delays(FIRST_POLL_S, factor=1.3, most_s=SLOWEST_POLL_S)
        try:
            while (progress := self._poll(target, record.cloud_operation)).state == "running":
                if _may_be_left(step, progress) and stops():
                    return _ended(record, "cancelled", "the cloud still worked on it", progress.version)
                if self._clock.monotonic() > deadline:
                    return _ended(record, "uncertain", f"the cloud still works on it after {for_s / 60:.0f} min")
                self._clock.sleep(next(waits))
        except CloudError as error:  # it was begun: whatever keeps us from looking, it may well have succeeded
            return _ended(record, "uncertain", str(error))
        ending: Ending = "succeeded" if progress.state == "succeeded" else "failed"
        return _ended(record, ending, progress.detail, progress.version)

    def _poll(self, target: Target, cloud_operation: str) -> Progress:
        return patiently(lambda: self._effects.poll(target, cloud_operation), self._clock, for_s=READ_FOR_S)

    def _find(self, target: Target, key: str) -> str | None:
        """Raises Uncertain when nobody can look: it is only looked for when it may be there."""
        try:
            return patiently(lambda: self._effects.find(target, key), self._clock, for_s=READ_FOR_S)
        except CloudError as error:
            raise Uncertain(f"whether the change was made could not be looked up: {error}") from error


def _may_be_left(step: Step, progress: Progress) -> bool:
    """Whether nobody needs to know how it ends: it may stay, goes on beside all else, or the platform takes its undo
    over it."""
    return step.may_stay or step.may_be_left or bool(step.undo and progress.version)


def write_of(step: Step) -> tuple[type, str, dict[str, Any]]:
    """The port, the method and its typed arguments. Raises ValueError for what is no write that a port declares."""
    port, _, method = step.verb.partition(".")
    declared = getattr(PORTS.get(port), method, None)
    if declared is None or port.endswith("Reads"):
        raise ValueError(f"{step.verb} is not a write that a port declares")
    return PORTS[port], method, typed_arguments(declared, step)


def typed_arguments(method: Callable[..., Any], step: Step) -> dict[str, Any]:
    """A step's JSON arguments, as the types that the method declares."""
    hints = get_type_hints(method)
    names = [name for name in inspect.signature(method).parameters if name in step.args]
    return {name: TypeAdapter(hints[name]).validate_python(step.args[name]) for name in names}


def _unknown(error: CloudError) -> CloudError:
    """What an error means when an earlier call got no answer."""
    known = isinstance(error, Refused | Uncertain)
    return error if known else Uncertain(f"a call got no answer, and the next one was refused: {error}")


def _ended(record: EffectRecord, ending: Ending, detail: str, version: str = "") -> EffectRecord:
    return record.model_copy(update={"ending": ending, "detail": detail, "version": version})
