"""Answers survive being stored, with their instants; and an operation's record is named by its request."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.answer import Answer, Cell, Code, Series, Table, Task, Tasks, Text
from bot.core.request import Actor, Address, Request
from bot.core.system import OperationRecord

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE = Answer(
    title="Everything",
    parts=(
        Text(text="a *b* <!here>", mood="bad"),
        Code(lines=("gcloud run …",)),
        Table(title="", columns=("a", "b", "c", "d", "e"), rows=(("x", 1, 0.5, NOON, None),)),
        Series(title="errors", unit="%", at=(NOON,), lines={"a": (0.5,), "b": (None,)}),
        Tasks(title="steps", tasks=(Task(title="one", state="done", detail="quick"),)),
    ),
    good=False,
)


def test_an_answer_survives_being_stored() -> None:
    assert Answer.model_validate_json(WHOLE.model_dump_json()) == WHOLE


def stored(cell: Cell) -> Cell:
    table = Table(title="", columns=("a",), rows=((cell,),))
    return Table.model_validate_json(table.model_dump_json()).rows[0][0]


@pytest.mark.parametrize(
    "instant", [NOON, NOON + timedelta(microseconds=5), NOON.astimezone(timezone(timedelta(hours=-3, minutes=-30)))]
)
def test_an_instant_in_a_table_stays_one(instant: datetime) -> None:
    assert stored(instant) == instant


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20T12:00:00", "at 2026-11-20T12:00:00Z", "12:00", "7"])
def test_a_text_that_is_no_instant_stays_text(text: str) -> None:
    assert stored(text) == text


@pytest.mark.parametrize("text", ["2026-13-40T12:00:00Z", "2026-11-20T25:00:00Z"])
def test_a_text_that_only_looks_like_an_instant_stays_text(text: str) -> None:
    assert stored(text) == text


@given(st.text() | st.integers(-(2**53), 2**53) | st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_cell_comes_back(cell: Cell) -> None:
    assert stored(cell) == cell


def test_a_record_is_named_by_its_request() -> None:
    request = Request(
        id="7k3q",
        actor=Actor(id="os:ana", name="ana"),
        operation="status",
        verb="answer",
        params={},
        target=None,
        text="status",
        address=Address(door="cli"),
        received_at=NOON,
    )
    assert OperationRecord(request=request, state="answered", revision=1, updated_at=NOON).id == "7k3q"
