"""What no database could hold, or only one of them, comes back as something that says so; the rest as it was."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bot.stores.messages import SqlMessages
from bot.stores.storable import dumps, storable, text
from bot.stores.tables import HeardRow
from tests.stores.harness import ANA, NOON, Books

FINE = [
    "",
    "a",
    "grün",
    "日本",
    "👩🏽‍🚒",
    "a\nb\tc",
    "\x07",
    "\x7f",
    "\u2028",
    "\uffff",
    "\U0010ffff",
    "\\u0000",
    "%s",
    "'",
]
ODD = {"\x00": "␀", "a\x00b\x00": "a␀b␀", "\ud800": "\ufffd", "\udfff\ud83d!": "\ufffd\ufffd!", "\x00\ud800": "␀\ufffd"}


@pytest.mark.parametrize("said", FINE)
def test_what_can_be_stored_is_left_alone(said: str, books: Books) -> None:
    assert text(said) == said
    assert stored(books, said) == (said, said)


@pytest.mark.parametrize(("said", "seen"), ODD.items(), ids=range(len(ODD)))
def test_what_cannot_is_shown(said: str, seen: str, books: Books) -> None:
    assert text(said) == seen
    assert stored(books, said) == (seen, seen)


def stored(books: Books, said: str) -> tuple[Any, str]:
    """It, after it was in a column of JSON and in one of text."""
    id = books.accept(params={"reason": said}, state="denied", detail=said)
    record = books.record(id)
    assert books.audit.verify().problem == ""
    return record.request.params["reason"], record.detail


@pytest.mark.parametrize("value", [None, True, 0, -(2**63), 2**53 + 1, 1.5, [], {}, {"a": [{"b": None}]}])
def test_values_other_than_text_are_left_alone(value: Any) -> None:
    assert storable(value) == value
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize("how", [{}, {"ensure_ascii": False, "sort_keys": True}])
@pytest.mark.parametrize("said", [*FINE, *ODD, "\ud83d\ude00", "\\ud800", "\\\x00"])
def test_as_json_it_is_what_can_be_stored(said: str, how: dict[str, Any]) -> None:
    for value in (said, [{"b": said}, 1], {said: None, "a": said}):
        assert dumps(value, **how) == json.dumps(storable(value), **how)


def test_names_and_whatever_is_inside_too() -> None:
    assert storable({"a\x00": ["\x00", {"b\ud800": "\x00"}]}) == {"a␀": ["␀", {"b\ufffd": "␀"}]}


def test_the_chain_is_whole_whatever_people_are_called(books: Books) -> None:
    odd = ANA.model_copy(update={"id": "slack:\x00", "name": "an\x00a"})
    id = books.accept(actor=odd, text="rollback \x00\ud800", state="denied", detail="no \x00")
    assert books.audit.verify().problem == ""
    entries = books.audit.entries(operation=id)
    assert {entry.actor for entry in entries} == {"slack:␀", "aisq"}


def test_one_odd_request_does_not_keep_the_others_from_being_shown(engine: Engine, books: Books) -> None:
    """PostgreSQL refuses to look into a JSON with a U+0000 anywhere in it."""
    for params in ({"reason": "\x00"}, {"reason": "fine"}):
        books.propose(books.accept(params=params))
    shown = SqlMessages(engine).behind("test", since=NOON)
    assert {one.record.request.params["reason"] for one in shown} == {"␀", "fine"}


def test_what_was_stored_is_found_by_what_was_said(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(HeardRow(heard_as="a\x00", operation="b", at=NOON))
    with Session(engine) as session:
        assert session.get(HeardRow, "a\x00") is not None


def test_numbers_come_back_as_they_were(books: Books) -> None:
    told = {"big": 2**60 + 1, "small": -0.1, "none": None, "list": [1, True]}
    assert books.record(books.accept(params=told)).request.params == told
