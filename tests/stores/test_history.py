"""Spans of serving: extended by looks, begun anew by changes, counted once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.core.ports import Traffic
from bot.core.system import HistoryReads, Serving
from bot.stores.history import LONGEST_GAP
from bot.stores.tables import ServingRow
from tests.stores.harness import BACKEND, NOON, WORKER, Books

GOOD: Traffic = {"good": 100}
BAD: Traffic = {"bad": 100}
SPLIT: Traffic = {"good": 90, "bad": 10}


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def looked(books: Books, *looks: tuple[float, Traffic, str]) -> list[tuple[float, float, Traffic, str]]:
    """Look at these minutes; the spans, oldest first, as minutes."""
    for minute, split, version in looks:
        books.clock.instant = at(minute)
        books.history.observed(BACKEND, split, version)
    spans = reversed(books.history.served(BACKEND))
    return [
        (round((one.since - NOON) / timedelta(minutes=1), 9), round((one.until - NOON) / timedelta(minutes=1), 9),
         one.split, one.version)
        for one in spans
    ]  # fmt: skip


def test_nothing_was_seen_yet(books: Books) -> None:
    assert isinstance(books.history, HistoryReads)
    assert books.history.served(BACKEND) == ()


def test_the_first_look_begins_a_span(books: Books) -> None:
    books.history.observed(BACKEND, SPLIT, "7")
    assert books.history.served(BACKEND) == (Serving(split=SPLIT, version="7", since=NOON, until=NOON),)


GAP = LONGEST_GAP / timedelta(minutes=1)


@pytest.mark.parametrize(
    "looks, spans",
    [
        pytest.param([(0, GOOD, "7"), (1, GOOD, "7"), (2, GOOD, "7")], [(0, 2, GOOD, "7")], id="nothing moved"),
        pytest.param([(0, GOOD, "7"), (1, BAD, "8")], [(0, 0, GOOD, "7"), (1, 1, BAD, "8")], id="another split"),
        pytest.param([(0, GOOD, "7"), (1, BAD, "7")], [(0, 0, GOOD, "7"), (1, 1, BAD, "7")], id="by itself"),
        pytest.param([(0, GOOD, "7"), (999, GOOD, "7")], [(0, 999, GOOD, "7")], id="nobody looked, nobody changed it"),
        pytest.param([(0, GOOD, "7"), (GAP, GOOD, "8")], [(0, GAP, GOOD, "8")], id="something else was changed"),
        pytest.param(
            [(0, GOOD, "7"), (GAP + 0.1, GOOD, "8")],
            [(0, 0, GOOD, "7"), (GAP + 0.1, GAP + 0.1, GOOD, "8")],
            id="nobody looked, and somebody changed it",
        ),
        pytest.param(
            [(0, GOOD, "7"), (1, BAD, "8"), (2, GOOD, "9")],
            [(0, 0, GOOD, "7"), (1, 1, BAD, "8"), (2, 2, GOOD, "9")],
            id="there and back",
        ),
        pytest.param([(5, GOOD, "7"), (3, BAD, "6")], [(5, 5, GOOD, "7")], id="overtaken by a later look"),
        pytest.param([(5, GOOD, "7"), (5, BAD, "8")], [(5, 5, GOOD, "7")], id="two looks of one instant"),
        pytest.param(
            [(60, GOOD, "7"), (1, BAD, "8"), (61, BAD, "8")],
            [(60, 60, GOOD, "7"), (61, 61, BAD, "8")],
            id="the clock was put back an hour",
        ),
        pytest.param(
            [(0, SPLIT, "7"), (1, {"bad": 10, "good": 90}, "7")], [(0, 1, SPLIT, "7")], id="the same in another order"
        ),
    ],
)
def test_looks_make_spans(
    books: Books, looks: list[tuple[float, Traffic, str]], spans: list[tuple[float, float, Traffic, str]]
) -> None:
    assert looked(books, *looks) == spans


@pytest.mark.parametrize(
    ("look", "writes"),
    [
        ((0.4, GOOD, "7"), False),
        ((0.5, GOOD, "7"), True),
        ((0.4, GOOD, "8"), True),
        ((0.4, BAD, "7"), True),
        ((-0.1, GOOD, "7"), False),
    ],
)
def test_what_was_seen_a_moment_ago_is_not_written_again(
    books: Books, look: tuple[float, Traffic, str], writes: bool
) -> None:
    looked(books, (0, GOOD, "7"))
    before = books.everything()
    looked(books, look)
    assert (books.everything() != before) is writes


def test_targets_are_kept_apart(books: Books) -> None:
    looked(books, (0, GOOD, "7"))
    books.history.observed(WORKER, BAD, "3")
    assert [one.split for one in books.history.served(BACKEND)] == [GOOD]
    assert [one.split for one in books.history.served(WORKER)] == [BAD]


def test_the_newest_two_hundred_come_first(books: Books) -> None:
    looked(books, *[(minute, {f"release {minute}": 100}, str(minute)) for minute in range(203)])
    found = books.history.served(BACKEND)
    assert [one.version for one in found] == [str(minute) for minute in range(202, 2, -1)]


def test_what_was_counted_is_added_and_counted_once(books: Books) -> None:
    looked(books, (0, GOOD, "7"), (9, GOOD, "7"))
    for total, errors, until in ((100, 1, 3), (50, 2, 5), (50, 2, 5), (999, 999, 4)):
        books.history.counted(BACKEND, at(0), total, errors, at(until))
    (span,) = books.history.served(BACKEND)
    assert (span.total, span.errors, span.counted_until, span.until) == (150, 3, at(5), at(9))


def test_a_span_that_was_let_go_of_is_not_counted(books: Books) -> None:
    looked(books, (0, GOOD, "7"))
    before = books.everything()
    books.history.counted(BACKEND, at(-1), 100, 1, at(3))
    books.history.counted(WORKER, at(0), 100, 1, at(3))
    assert books.everything() == before


def test_counts_stay_when_the_span_grows(books: Books) -> None:
    looked(books, (0, GOOD, "7"))
    books.history.counted(BACKEND, at(0), 100, 1, at(0.5))
    looked(books, (1, GOOD, "7"), (2, BAD, "8"))
    assert [(one.total, one.errors) for one in books.history.served(BACKEND)] == [(0, 0), (100, 1)]


@pytest.mark.parametrize("url", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_two_replicas_that_see_a_change_at_once_begin_one_span(books: Books) -> None:
    looked(books, (0, GOOD, "1"))
    books.clock.instant = at(1)
    with ThreadPoolExecutor(1) as pool, Session(books.engine) as other:
        newest = select(ServingRow).order_by(ServingRow.since.desc()).limit(1).with_for_update()
        other.scalars(newest).one()
        second = pool.submit(books.history.observed, BACKEND, BAD, "2")
        wait_until_blocked(books)
        other.add(ServingRow(target=BACKEND.full_name, since=at(0.9), until=at(0.9), split=BAD, version="2"))
        other.commit()
        second.result(timeout=30)
    assert looked(books) == [(0, 0, GOOD, "1"), (0.9, 1, BAD, "2")]


def wait_until_blocked(books: Books) -> None:
    """Until a transaction waits for a lock of another one."""
    waiting = text("select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with books.engine.connect() as connection:
            if connection.scalar(waiting):
                return
        time.sleep(0.02)
    pytest.fail("nobody waits")
