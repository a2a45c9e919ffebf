"""Calls at the same time: all of them, in order, in the context of who asks."""

from contextvars import ContextVar
from threading import Barrier

import pytest

from bot.core.at_once import MOST, at_once

PERSON: ContextVar[str] = ContextVar("PERSON", default="nobody")


def test_calls_are_made_at_the_same_time_and_given_in_order() -> None:
    together = Barrier(MOST, timeout=10)

    def call(number: int) -> int:
        together.wait()  # which passes only when so many are here
        return number * number

    assert at_once(call, range(MOST * 2)) == [number * number for number in range(MOST * 2)]


def test_of_nothing_there_is_nothing() -> None:
    assert at_once(str, []) == []


def test_each_knows_for_whom_it_is() -> None:
    token = PERSON.set("ana")
    try:
        assert at_once(lambda _: PERSON.get(), "abc") == ["ana"] * 3
    finally:
        PERSON.reset(token)


def test_what_one_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda number: 1 / number, [1, 0, 2])
