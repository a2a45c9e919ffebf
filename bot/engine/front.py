"""The one bridge between doors and the engine: submit, ask, watch.

Everything behind it is synchronous; doors may be async. Three bounded pools: plans cannot starve acknowledgements,
and looks (people reload a status that hangs) cannot starve plans. What they share, processor and database, goes to
acknowledgements first.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import ParamSpec, TypeVar

from bot.core.errors import BotError, Busy
from bot.core.operation import Operation
from bot.core.request import Ask, Verb
from bot.core.stages import StageRecord
from bot.core.system import Accepted, Ledger, OperationRecord
from bot.engine.accept import Acceptor
from bot.engine.choices import Choices
from bot.engine.overview import Overview
from bot.engine.registry import Registry
from bot.engine.run import Engine
from bot.engine.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")
QUICK = 8  # acknowledgements at once: they share the interpreter, and a commit
FEW = 2  # plans at once, and looks, while somebody waits for an acknowledgement
SENDING_S = 0.02  # until an acknowledgement has left: a plan that begins sooner keeps the interpreter from sending it
ENOUGH = 32  # requests in hand: whoever has so many takes none that another process may have in hand too
log = logging.getLogger(__name__)


class Front:
    """What a door may ask for. `changed` is called, in some thread, after an operation of this process moved on."""

    def __init__(
        self,
        acceptor: Acceptor,
        engine: Engine,
        registry: Registry,
        ledger: Ledger,
        choices: Choices,
        overview: Overview,
    ) -> None:
        self._acceptor, self._engine, self._registry, self._ledger = acceptor, engine, registry, ledger
        self.choices, self.overview = choices, overview
        self._quick = ThreadPoolExecutor(QUICK, thread_name_prefix="accept")
        self._plans = ThreadPoolExecutor(8, thread_name_prefix="plan")
        self._looks = ThreadPoolExecutor(8, thread_name_prefix="look")
        self._turns = Turns(FEW)
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    # --- for any door

    def submit(self, ask: Ask) -> Accepted:
        """Persist a request and begin on it. Raises UserError, Denied and StoreError, with nothing begun."""
        accepted = self._acceptor.accept(ask)
        if accepted.new:
            self._begin(accepted.id, accepted.verb)
        return accepted

    def record(self, operation: str) -> OperationRecord:
        """How an operation stands. Raises UserError."""
        return self._ledger.operation(operation)

    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        """Those of its stages that have begun."""
        return self._ledger.stages(operation)

    def commands(self) -> dict[str, type[Operation]]:
        """What can be typed."""
        return self._registry.operations

    # --- for async doors

    async def quickly(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something short in the pool for acknowledgements. Raises Busy when given up before it was begun."""
        turn = ExitStack()
        turn.enter_context(self._turns.first())
        try:
            begun = self._quick.submit(call, *args, **kwargs)
            return await asyncio.wrap_future(begun)
        except asyncio.CancelledError:
            if begun.cancel():
                raise Busy("more was asked at once than could be begun in time; nothing was done") from None
            raise  # it goes on, and nobody hears how it ends
        finally:
            asyncio.get_running_loop().call_later(SENDING_S, turn.close)

    async def look(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something that only reads, and may take its time, in the pool for looks."""

        def in_turn() -> T:
            with self._turns.after("answer"):
                return call(*args, **kwargs)

        return await asyncio.wrap_future(self._looks.submit(in_turn))

    # --- for the sweep

    def proceed(self, operation: str) -> None:
        """Plan or answer in a pool, unless this process is at it already, or has enough to do: ask again then.

        Raises UserError and StoreError.
        """
        if len(self._busy) >= ENOUGH:
            return
        self._begin(operation, self._ledger.operation(operation).request.verb)

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def stop(self) -> None:
        """Take nothing more; what is being planned is planned again by whoever comes next."""
        self._quick.shutdown(wait=False, cancel_futures=True)
        self._plans.shutdown(wait=False, cancel_futures=True)
        self._looks.shutdown(wait=False, cancel_futures=True)
        self._turns.end()

    def _begin(self, operation: str, verb: Verb) -> None:
        with self._lock:
            if operation in self._busy:
                return
            self._busy.add(operation)
        pool = self._looks if verb == "answer" else self._plans
        pool.submit(self._proceed, operation, verb).add_done_callback(_report)

    def _proceed(self, operation: str, verb: Verb) -> None:
        try:
            with self._turns.after(verb):
                self._engine.proceed(operation)
        except BotError as error:
            log.warning("operation %s was not planned yet: %s", operation, error)
        finally:
            with self._lock:
                self._busy.discard(operation)
        for listener in self._listeners:
            listener()


def _report(done: Future[None]) -> None:
    if not done.cancelled() and (error := done.exception()):
        log.error("a plan failed with a bug", exc_info=error)
