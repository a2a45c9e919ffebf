"""A step that waits for its check, and hears meanwhile what people say of it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import datetime, timedelta
from types import TracebackType

from pydantic import JsonValue

from bot.core.errors import StoreError
from bot.core.plan import Checked, Moment, Step
from bot.core.stages import LEFT, StageState
from bot.core.system import Clock, Ledger

log = logging.getLogger(__name__)
EVERY_S, AGAIN_AFTER_S = 1.0, 60.0  # the second: after a bug, or when our own books could not be read
HEAR_EVERY_S = 1.0  # of real time, however long a look takes: who rescues must not wait for what is looked at
ENDS: dict[str, StageState] = {"holds": "passed", "broken": "broken"}


class Waiting:
    """One check, until it is decided: by what it finds, by its time, or by people.

    A step that may ask a person keeps a record. Its start outlives this process, what is found is written down when it
    is news, and what people say counts. When its time has passed it is held until they say something.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        operation: str,
        token: int,
        position: int,
        step: Step,
        look: Callable[[Moment], Checked],
    ) -> None:
        self._ledger, self._clock, self._look = ledger, clock, look
        self._operation, self._token, self._position = operation, token, position
        self._asks = step.if_late == "ask"
        self._started = ledger.stage(operation, token, position).started_at if self._asks else clock.now()
        self._late_at = self._started + timedelta(seconds=step.deadline_s)
        self._told: tuple[StageState, str, dict[str, JsonValue]] | None = None

    def until_decided(self) -> Checked | None:
        """What was found; None when the operation was cancelled meanwhile. Raises Fenced."""
        due = self._started
        with _Looks(self._looked) as looks:
            while not (said := self._ledger.steered(self._operation, self._position)).cancel_by:
                if said.stage in LEFT:
                    return self._left()
                if (wait_s := (due - self._clock.now()).total_seconds()) > 0:
                    self._clock.nap(wait_s)
                elif found := looks.found():
                    if self._is_decided_by(found):
                        return found
                    due = self._next_look(found)
        return None

    def _looked(self) -> Checked:
        moment = Moment(started_at=self._started, now=self._clock.now())
        again = moment.now + timedelta(seconds=AGAIN_AFTER_S)
        try:
            return self._look(moment)
        except StoreError as error:  # whether this operation may go on, the ledger itself will say
            return Checked(state="not yet", sentence=f"could not be checked: {error}", look_again_at=again)
        except Exception as bug:  # a look changes nothing: what it would have seen is not known, and all else still is
            log.exception("a look of operation %s met a bug", self._operation)
            said = f"could not be checked: a bug in aisq ({type(bug).__name__})"
            return Checked(state="not yet", sentence=said, look_again_at=again)

    def _left(self) -> Checked:
        """What a stage was left with, by this process or by the one before."""
        stage = next(one for one in self._ledger.stages(self._operation) if one.position == self._position)
        return Checked(state="holds" if stage.state == "passed" else "broken", sentence=stage.sentence)

    def _is_decided_by(self, found: Checked) -> bool:
        """Of a step that may ask a person the record decides, once it was told what was found."""
        late = self._clock.now() >= self._late_at
        if not self._asks:
            return late or found.state in ENDS
        state = ENDS.get(found.state, "held" if late else "baking")
        if (news := (state, found.sentence, found.evidence)) != self._told:
            self._ledger.found(self._operation, self._token, self._position, state, found)
            self._told = news
        return False

    def _next_look(self, found: Checked) -> datetime:
        now = self._clock.now()
        due = max(now + timedelta(seconds=EVERY_S), found.look_again_at or now)
        return min(due, self._late_at) if now < self._late_at else due


class _Looks:
    """Looks in a thread of its own, so that whoever waits for what is found hears other things too."""

    def __init__(self, look: Callable[[], Checked]) -> None:
        self._look = look
        self._begun: Future[Checked] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="look")

    def __enter__(self) -> "_Looks":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)  # it changes nothing: nobody waits for it any more

    def found(self) -> Checked | None:
        """What is found now; None when it takes longer, and then the next call asks for the same."""
        look = self._begun or self._pool.submit(copy_context().run, self._look)
        self._begun = None if wait([look], timeout=HEAR_EVERY_S).done else look
        return None if self._begun else look.result()
