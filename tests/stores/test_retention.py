"""What is let go of, and what stays however old it is."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, text

from bot.core.request import OPEN, STATES, State
from bot.core.rules import Limits
from bot.stores.messages import SqlMessages
from bot.stores.retention import SqlRetention
from bot.stores.tables import EffectRow, OperationRow
from tests.stores.harness import BACKEND, MOVE, NOON, WORKER, Books, effect, plan

DAYS = timedelta(days=1)
TABLES = ("operations", "approvals", "effects", "stages", "messages", "replies", "heard", "serving")


def counts(books: Books) -> dict[str, int]:
    rows = books.everything()
    return {name: len(rows[name]) for name in TABLES}


def lived(books: Books) -> str:
    """An operation that left something in every table."""
    id = books.at("running")
    token = books.token(id)
    books.ledger.intend(id, token, effect(id), MOVE)
    books.ledger.stage(id, token, 1)
    books.ledger.finish(id, token, "failed", "no", judge=False)
    SqlMessages(books.engine).showing(id, 3, {"channel": "C0"})
    SqlMessages(books.engine).showing(id, 3, {"channel": "C0"}, "details")
    return id


def purge(books: Books, days: float) -> int:
    return SqlRetention(books.engine).purge(books.clock.now() - days * DAYS)


def test_an_operation_goes_with_all_that_it_left(books: Books) -> None:
    lived(books)
    books.history.observed(BACKEND, {"good": 100}, "7")
    assert counts(books) == dict.fromkeys(TABLES, 1)
    books.clock.advance(31 * 86_400)
    assert purge(books, 30) == 1
    assert counts(books) == dict.fromkeys(TABLES, 0)
    assert (books.heard("heard 0001made"), purge(books, 30)) == (None, 0)


def test_older_programs_need_not_know_of_replies_and_stages(books: Books) -> None:
    id = books.accept()
    books.propose(id, "queued")
    books.ledger.stage(id, books.token(id), 1)
    SqlMessages(books.engine).showing(id, 3, {"channel": "C0"}, "details")
    with books.engine.begin() as connection:
        connection.execute(text("DELETE FROM operations WHERE id = :id"), {"id": id})
    assert (counts(books)["replies"], counts(books)["stages"]) == (0, 0)


def test_the_audit_stays(books: Books) -> None:
    id = lived(books)
    before = books.events()
    books.clock.advance(399 * 86_400)
    purge(books, 30)
    assert books.events() == before
    assert {one.operation for one in books.audit.entries()} == {id}


def test_what_is_younger_stays_whole(books: Books) -> None:
    old = lived(books)
    books.clock.advance(29 * 86_400)
    young = lived(books)
    books.history.observed(BACKEND, {"good": 100}, "7")
    books.clock.advance(2 * 86_400)
    assert purge(books, 30) == 1
    assert counts(books) == dict.fromkeys(TABLES, 1)
    assert [one.id for one in books.ledger.operations()] == [young] != [old]
    assert books.record(young).approvals and books.ledger.effects(young)


def test_to_the_instant(books: Books) -> None:
    lived(books)
    books.history.observed(BACKEND, {"good": 100}, "7")
    retention = SqlRetention(books.engine)
    assert retention.purge(NOON) == 0
    assert counts(books) == dict.fromkeys(TABLES, 1)
    assert retention.purge(NOON + timedelta(microseconds=1)) == 1
    assert counts(books) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("state", STATES)
def test_what_is_open_or_being_judged_stays_for_ever(books: Books, state: State) -> None:
    id = books.at(state)
    books.clock.advance(9999 * 86_400)
    stays = state in OPEN or state == "applied"  # whose judgement is pending
    assert purge(books, 30) == (0 if stays else 1)
    if state == "applied":
        books.ledger.judged(id, "unknown", "no metrics")
        assert purge(books, 30) == 0  # it moved just now
        books.clock.advance(31 * 86_400)
        assert purge(books, 30) == 1


def test_age_is_counted_from_the_last_change(books: Books) -> None:
    id = books.at("waiting")
    books.clock.advance(40 * 86_400)
    books.ledger.end(id, "denied", "no", "ben")
    assert purge(books, 30) == 0
    books.clock.advance(31 * 86_400)
    assert purge(books, 30) == 1


def test_many_go_in_portions(books: Books) -> None:
    lived(books)
    with books.engine.begin() as connection:
        first: dict[str, Any] = dict(connection.execute(OperationRow.__table__.select()).mappings().one())
        many = [first | {"id": f"many{number}"} for number in range(1500)]
        connection.execute(insert(OperationRow), many)
        connection.execute(
            insert(EffectRow),
            [
                {"key": one["id"], "operation": one["id"], "call": {}, "version_before": "", "at": NOON}
                | {"cloud_operation": "", "version_after": "", "detail": ""}
                for one in many
            ],
        )
    books.clock.advance(31 * 86_400)
    assert [purge(books, 30) for _ in range(3)] == [1000, 501, 0]
    assert counts(books) == dict.fromkeys(TABLES, 0)


def test_history_goes_by_when_it_was_last_seen(books: Books) -> None:
    books.history.observed(BACKEND, {"old": 100}, "1")
    books.history.observed(WORKER, {"steady": 100}, "1")
    books.clock.advance(40 * 86_400)
    books.history.observed(BACKEND, {"new": 100}, "2")
    books.history.observed(WORKER, {"steady": 100}, "1")
    purge(books, 30)
    assert [one.split for one in books.history.served(BACKEND)] == [{"new": 100}]
    assert [one.since for one in books.history.served(WORKER)] == [NOON]


def test_a_pin_outlives_the_operation_that_made_it(books: Books) -> None:
    id = books.at("running", made=plan(holds=True))
    books.ledger.finish(id, books.token(id), "applied", "good serves", judge=False)
    books.clock.advance(31 * 86_400)
    assert purge(books, 30) == 1
    assert [pin.operation for pin in books.pins.pins()] == [id]


def test_the_limits_are_those_of_the_house() -> None:
    limits = Limits()
    assert (limits.audit_kept_days, limits.requests_kept_days, limits.journal_kept_days) == (400, 30, 30)
    assert Limits(audit_kept_days=500).audit_kept_days == 500
    for wrong in ({"audit_kept_days": 399}, {"requests_kept_days": 0}, {"journal_kept_days": 0}):
        with pytest.raises(ValidationError):
            Limits(**wrong)
