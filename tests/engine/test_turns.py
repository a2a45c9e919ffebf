"""Acknowledgements go first; what can wait goes on a little meanwhile, and all of it when nobody waits."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from bot.core.errors import Busy
from bot.engine.front import FEW
from bot.engine.turns import Turns

MANY, KINDS = 6, ("plan", "answer")


class Crowd:
    """`MANY` of each kind that want to work; those that may stay at it until `done` is set."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._lock = turns, threading.Lock()
        self.at_work, self.done = Counter[str](), threading.Event()
        self._pool = ThreadPoolExecutor(MANY * len(KINDS))
        self._work = [self._pool.submit(self._one, kind) for kind in KINDS for _ in range(MANY)]

    def _one(self, kind: str) -> None:
        with self._turns.after(kind):
            with self._lock:
                self.at_work[kind] += 1
            assert self.done.wait(10)
            with self._lock:
                self.at_work[kind] -= 1

    def settled(self, expected: int) -> bool:
        """Whether so many of each kind come to work, and no more within a moment."""
        deadline = threading.Event()
        for _ in range(100):
            if self.at_work == dict.fromkeys(KINDS, expected):
                deadline.wait(0.05)
                return self.at_work == dict.fromkeys(KINDS, expected)
            deadline.wait(0.02)
        return False

    def finish(self) -> None:
        self.done.set()
        for one in self._work:
            one.result(10)
        self._pool.shutdown()


def test_all_work_while_nobody_waits() -> None:
    crowd = Crowd(Turns(2))
    assert crowd.settled(MANY)
    crowd.finish()


@pytest.mark.parametrize("few", [1, 2, 3])
def test_few_of_each_kind_work_while_somebody_waits(few: int) -> None:
    turns = Turns(few)
    with turns.first():
        crowd = Crowd(turns)
        assert crowd.settled(few), "neither kind keeps the other from work"
    assert crowd.settled(MANY), "and all when nobody waits any more"
    crowd.finish()


def test_at_the_end_all_work_though_somebody_still_waits() -> None:
    turns = Turns(1)
    with turns.first():
        crowd = Crowd(turns)
        turns.end()
        assert crowd.settled(MANY)
        crowd.finish()


def test_only_the_last_who_waits_lets_all_work() -> None:
    turns = Turns(1)
    with ExitStack() as one, turns.first():
        one.enter_context(turns.first())
        crowd = Crowd(turns)
        one.close()
        assert crowd.settled(1)
    assert crowd.settled(MANY)
    crowd.finish()


def test_who_is_done_makes_room_for_the_next_though_somebody_still_waits() -> None:
    turns = Turns(1)
    with turns.first():
        crowd = Crowd(turns)
        assert crowd.settled(1)
        crowd.finish()


def test_what_fails_keeps_no_turn() -> None:
    turns = Turns(1)
    for way in (turns.first, lambda: turns.after("plan")):
        with suppress(KeyError), way():
            raise KeyError
    with turns.first(), turns.after("plan"):
        pass


async def test_what_was_given_up_before_it_was_begun_was_not_done(bot) -> None:  # type: ignore[no-untyped-def]
    done, busy = list[int](), threading.Event()
    try:
        with ThreadPoolExecutor(1) as one:
            bot.front._quick = one
            running = asyncio.create_task(bot.front.quickly(busy.wait, 10))
            await asyncio.sleep(0)
            with pytest.raises(Busy, match="nothing was done"):
                async with asyncio.timeout(0.05):
                    await bot.front.quickly(done.append, 1)
            busy.set()
            assert await running
        assert done == []
    finally:
        busy.set()


async def test_of_what_was_begun_nobody_says_that_it_was_not_done(bot) -> None:  # type: ignore[no-untyped-def]
    begun, go = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go.wait(10)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await bot.front.quickly(slow)
    assert begun.is_set()
    go.set()


async def test_plans_let_acknowledgements_go_first(bot, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    working, done = list[str](), threading.Event()
    monkeypatch.setattr(bot.engine, "proceed", lambda operation: working.append(operation) or done.wait(10))
    waiting = threading.Event()
    acknowledging = asyncio.create_task(bot.front.quickly(waiting.wait, 10))
    await asyncio.sleep(0)
    for number in range(FEW + 3):
        bot.front._begin(f"operation {number}", "plan")
    for _ in range(100):
        await asyncio.sleep(0.01)
        if len(working) >= FEW:
            break
    await asyncio.sleep(0.05)
    assert len(working) == FEW
    waiting.set()
    await acknowledging
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(working) == FEW + 3:
            break
    assert len(working) == FEW + 3
    done.set()


async def given_back(turns: Turns) -> bool:
    for _ in range(500):
        await asyncio.sleep(0.01)
        if not turns._waiting:
            return True
    return False


async def test_plans_let_an_acknowledgement_leave_first(bot) -> None:  # type: ignore[no-untyped-def]
    """Whoever awaited it has yet to send it."""
    assert await bot.front.quickly(lambda: "written") == "written"
    assert bot.front._turns._waiting == 1
    assert await given_back(bot.front._turns)


async def test_what_fails_gives_its_turn_back_too(bot) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ZeroDivisionError):
        await bot.front.quickly(lambda: 1 // 0)
    bot.front._quick.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        await bot.front.quickly(lambda: 1)
    assert await given_back(bot.front._turns)
