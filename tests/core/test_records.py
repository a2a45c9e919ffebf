"""What passes between rooms cannot be changed on the way."""

import inspect

import pytest
from pydantic import BaseModel

from bot.core import answer, facts, lastgood, locks, plan, ports, request, stages, system

ROOMS = (answer, facts, lastgood, locks, plan, ports, request, stages, system)
RECORDS = {
    f"{room.__name__}.{name}": one
    for room in ROOMS
    for name, one in inspect.getmembers(room, inspect.isclass)
    if issubclass(one, BaseModel) and one.__module__ == room.__name__
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_frozen(name: str) -> None:
    assert RECORDS[name].model_config.get("frozen") is True


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_says_what_it_is(name: str) -> None:
    assert (RECORDS[name].__doc__ or "").strip().endswith(".")
