"""Calls that wait at the same moment are made at once, and none harms another."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy.exc import SQLAlchemyError

from bot.stores.group import Group


class Desk:
    """Answers with the double. While it is `shut`, what was begun does not end; what is in `bad` fails a batch."""

    def __init__(self) -> None:
        self.open, self.begun = threading.Event(), threading.Event()
        self.open.set()
        self.batches, self.alone_, self.bad = list[list[int]](), list[int](), set[int]()
        self.error: BaseException = SQLAlchemyError("bad")
        self.group = Group(self.together, self.alone)

    def together(self, asked: Sequence[int]) -> list[int]:
        self.batches.append(list(asked))
        self.begun.set()
        assert self.open.wait(10)
        if self.bad & set(asked):
            raise self.error
        return [2 * one for one in asked]

    def alone(self, asked: int) -> int:
        self.alone_.append(asked)
        if asked in self.bad:
            raise self.error
        return 2 * asked

    def ask(self, pool: ThreadPoolExecutor, *numbers: int) -> list[Future[int]]:
        """Returns when all of them wait behind the one that is being made."""
        asked = []
        for count, number in enumerate(numbers, start=1):
            asked.append(pool.submit(self.group, number))
            until(lambda count=count: len(self.group._waiting) == count)  # type: ignore[misc]
        return asked

    def behind(self, pool: ThreadPoolExecutor, first: int, *others: int) -> list[Future[int]]:
        """The first one is being made, the others wait; then it ends."""
        self.open.clear()
        made = [pool.submit(self.group, first)]
        assert self.begun.wait(10)
        made += self.ask(pool, *others)
        self.open.set()
        return made


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_who_comes_alone_is_made_alone_at_once(desk: Desk) -> None:
    assert [desk.group(number) for number in (1, 2, 3)] == [2, 4, 6]
    assert (desk.batches, desk.alone_) == ([[1], [2], [3]], [])


def test_who_waits_is_made_with_all_that_wait(desk: Desk) -> None:
    with ThreadPoolExecutor(6) as pool:
        made = desk.behind(pool, 1, 2, 3, 4, 5)
        assert [one.result(10) for one in made] == [2, 4, 6, 8, 10]
    assert (desk.batches, desk.alone_) == ([[1], [2, 3, 4, 5]], [])


def test_what_fails_together_is_made_alone_and_only_the_bad_one_hears_of_it(desk: Desk) -> None:
    desk.bad = {3}
    with ThreadPoolExecutor(6) as pool:
        made = desk.behind(pool, 1, 2, 3, 4)
        assert [one.result(10) for one in made if one is not made[2]] == [2, 4, 8]
        assert made[2].exception(10) is desk.error
    assert desk.batches == [[1], [2, 3, 4]]
    assert sorted(desk.alone_) == [2, 3, 4]
    assert desk.group(5) == 10


def test_one_that_fails_alone_is_tried_again_by_itself(desk: Desk) -> None:
    desk.bad = {1}
    with pytest.raises(SQLAlchemyError, match="bad"):
        desk.group(1)
    assert (desk.batches, desk.alone_) == ([[1]], [1])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), KeyError("a bug")])
@pytest.mark.parametrize("bad", [1, 3])
def test_whoever_is_interrupted_leaves_nobody_waiting(desk: Desk, error: BaseException, bad: int) -> None:
    desk.error, desk.bad = error, {bad}
    with ThreadPoolExecutor(6) as pool:
        made = desk.behind(pool, 1, 2, 3, 4)
        failed = [number for number, one in enumerate(made, start=1) if one.exception(10) is error]
        assert [one.result() for one in made if not one.exception()] == [2 * n for n in range(1, 5) if n not in failed]
    assert failed == ([1] if bad == 1 else [2, 3])  # who wrote for the others, and the bad one
    assert desk.batches == [[1], [2, 3, 4]]
    desk.bad = set()
    assert desk.group(5) == 10


def test_everybody_gets_their_own_answer(desk: Desk) -> None:
    numbers = range(2000)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(desk.group, numbers)) == [2 * number for number in numbers]
    assert Counter(number for batch in desk.batches for number in batch) == Counter(numbers)
    assert (desk.alone_, desk.group._waiting, desk.group._led) == ([], [], False)
