"""Locks are set and lifted in the transaction of an outcome."""

from datetime import timedelta
from typing import Any

import pytest

from bot.core.locks import Lock
from bot.core.request import State
from tests.stores.harness import BACKEND, NOON, WORKER, Books, plan

NAME = "shop/prod/backend"
FREEZE = Lock(target="shop/prod", kind="freeze", reason="few people", until=NOON + timedelta(days=3))


def ended(books: Books, state: State = "applied", **more: Any) -> str:
    id = books.at("running", made=plan(**more))
    books.ledger.finish(id, books.token(id), state, "it ended", judge=False)
    return id


def test_a_lock_is_set_with_the_outcome(books: Books) -> None:
    assert (books.locks.lock(BACKEND), books.locks.locks()) == (None, ())
    books.clock.advance(60)
    id = ended(books, locks=(Lock(target=NAME),))
    lock = Lock(target=NAME, by="ana", since=NOON + timedelta(minutes=1), operation=id, reason="it burns")
    assert (books.locks.lock(BACKEND), books.locks.locks(), books.locks.lock(WORKER)) == (lock, (lock,), None)
    link = books.audit.entries(operation=id)[0]
    assert (link.event, link.actor) == ("locked", "slack:U0ANA")
    assert link.body == {"target": NAME, "lock": NAME, "reason": "it burns"}


def test_a_reason_of_its_own_stands(books: Books) -> None:
    ended(books, locks=(Lock(target=NAME, reason="after a rollback"),))
    assert [one.reason for one in books.locks.locks()] == ["after a rollback"]


def test_a_target_may_be_locked_and_frozen(books: Books) -> None:
    ended(books, locks=(FREEZE, Lock(target=NAME)))
    assert [one.name for one in books.locks.locks()] == ["freeze shop/prod", NAME]
    ended(books, steps=(), unlocks=(NAME,))
    (left,) = books.locks.locks()
    assert (left.kind, left.until, left.by) == ("freeze", FREEZE.until, "ana")
    ended(books, steps=(), unlocks=(FREEZE.name,))
    assert books.locks.locks() == ()


def test_a_later_lock_replaces_it(books: Books) -> None:
    ended(books, locks=(Lock(target=NAME, reason="the first"),))
    second = ended(books, unlocks=(NAME,), locks=(Lock(target=NAME, reason="the second"),))
    third = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME, reason="the third"),))
    assert [one.operation for one in books.locks.locks()] == [third]
    assert books.events(second)[-2:] == ["unlocked", "locked"]


def test_a_rollback_leaves_a_lock_of_somebody_whose_it_is(books: Books) -> None:
    mine = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME, reason="mine"),))
    back = ended(books, locks=(Lock(target=NAME, reason="rolled back"),))
    assert [(one.operation, one.reason) for one in books.locks.locks()] == [(mine, "mine")]
    assert "locked" not in books.events(back)


def test_a_lock_that_would_end_by_itself_stays_as_long_as_that_of_a_rollback(books: Books) -> None:
    until = books.clock.now() + timedelta(hours=1)
    mine = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME, reason="mine", until=until),))
    back = ended(books, locks=(Lock(target=NAME, reason="rolled back"),))
    assert [(one.operation, one.reason, one.until) for one in books.locks.locks()] == [(mine, "mine", None)]
    assert books.events(back)[-1] == "locked"


def test_a_lock_whose_time_has_passed_is_replaced(books: Books) -> None:
    until = books.clock.now() + timedelta(hours=1)
    ended(books, steps=(), books_only=True, locks=(Lock(target=NAME, until=until),))
    books.clock.advance(3601)
    back = ended(books, locks=(Lock(target=NAME, reason="rolled back"),))
    assert [(one.operation, one.until) for one in books.locks.locks()] == [(back, None)]


def test_undoing_lifts_no_lock_that_somebody_set_since(books: Books) -> None:
    back = ended(books, locks=(Lock(target=NAME),))
    mine = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME),))
    undo = ended(books, unlocks=(NAME,), facts={"undoes": back})
    assert [one.operation for one in books.locks.locks()] == [mine]
    assert "unlocked" not in books.events(undo)
    ended(books, unlocks=(NAME,), facts={"undoes": mine})
    assert books.locks.locks() == ()


def test_an_unlock_lifts_the_lock_that_was_shown(books: Books) -> None:
    first = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME),))
    second = ended(books, steps=(), books_only=True, locks=(Lock(target=NAME),))
    ended(books, steps=(), books_only=True, version=first, unlocks=(NAME,))
    assert [one.operation for one in books.locks.locks()] == [second]
    ended(books, steps=(), books_only=True, version=second, unlocks=(NAME,))
    assert books.locks.locks() == ()


def test_what_is_not_locked_is_not_said_to_be_unlocked(books: Books) -> None:
    assert books.events(ended(books, unlocks=(NAME,)))[-1] == "applied"


@pytest.mark.parametrize("state", ["failed", "uncertain", "cancelled"])
def test_what_was_not_applied_moves_no_lock(books: Books, state: State) -> None:
    first = ended(books, locks=(Lock(target=NAME),))
    ended(books, state, locks=(Lock(target="shop/prod/worker"),), unlocks=(NAME,))
    assert [one.operation for one in books.locks.locks()] == [first]


@pytest.mark.parametrize("dies_in", ["moved", "release"])
def test_outcome_pin_lock_and_mutex_are_one_transaction(
    books: Books, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """Who dies before its commit has written nothing; the next one writes all of it, once."""
    from bot.stores import ledger

    id = books.at("running", made=plan(holds=True, locks=(Lock(target=NAME),)))
    token = books.token(id)
    before = books.everything()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(ledger.locks if dies_in == "moved" else ledger.mutexes, dies_in, die)
        books.ledger.finish(id, token, "applied", "it ended", judge=False)
    assert books.everything() == before
    again = books.token(id, "another process")
    for _ in range(2):
        books.ledger.finish(id, again, "applied", "it ended", judge=False)
    assert [one.operation for one in books.locks.locks()] == [one.operation for one in books.pins.pins()] == [id]
    assert [books.events(id).count(event) for event in ("applied", "locked")] == [1, 1]
    assert books.everything()["mutexes"][0][1] == "None"


def test_a_lock_outlives_the_record_of_what_set_it(books: Books) -> None:
    from bot.stores.retention import SqlRetention

    ended(books, locks=(Lock(target=NAME),))
    books.clock.advance(31 * 86_400)
    assert SqlRetention(books.engine).purge(books.clock.now() - timedelta(days=30)) == 1
    assert [one.name for one in books.locks.locks()] == [NAME]
