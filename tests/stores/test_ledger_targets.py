"""One plan, several targets: the mutexes of all or of none, pins of each, and one token."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.core.errors import Fenced
from bot.core.plan import Hold, Plan, Versioned
from bot.core.request import Target
from tests.stores.harness import BACKEND, WORKER, Books, plan

WEB = BACKEND.model_copy(update={"name": "web"})
Connect = Callable[[str], Engine]


def several(*targets: Target, **more: Any) -> Plan:
    """A plan for these targets, the first one its own."""
    first, *others = targets
    return plan(target=first, others=tuple(Versioned(target=one, version="7") for one in others), **more)


def queued(books: Books, *targets: Target, **more: Any) -> str:
    return books.at("queued", target=targets[0], made=several(*targets, **more))


def mutexes(books: Books) -> list[tuple[str, ...]]:
    """Target, holder and token of each."""
    return [(target, holder, token) for target, holder, _, token in books.everything()["mutexes"]]


def test_all_are_held_with_one_token_and_let_go_with_the_outcome(books: Books) -> None:
    for _ in range(3):
        alone = books.at("queued", target=WEB, made=plan(target=WEB))
        books.ledger.finish(alone, books.token(alone), "failed", "no", judge=False)
    id = queued(books, BACKEND, WORKER, WEB)
    assert books.token(id) == 4, "higher than any of theirs"
    assert mutexes(books) == [(f"shop/prod/{name}", id, "4") for name in ("backend", "web", "worker")]
    assert books.token(id, "another process") == 5
    books.ledger.finish(id, 5, "applied", "done", judge=False)
    assert [holder for _, holder, _ in mutexes(books)] == ["None"] * 3


@pytest.mark.parametrize("busy", [BACKEND, WORKER, WEB])
def test_when_one_is_busy_none_is_taken(books: Books, busy: Target) -> None:
    other = books.at("queued", target=busy, made=plan(target=busy))
    books.token(other)
    id = queued(books, BACKEND, WORKER, WEB)
    before = books.everything()
    assert books.ledger.claim(id, "me") == "busy"
    assert books.everything() == before


@pytest.mark.parametrize("other", [BACKEND, WORKER])
def test_nobody_gets_one_of_them_meanwhile(books: Books, other: Target) -> None:
    id = queued(books, BACKEND, WORKER)
    token = books.token(id)
    behind = books.at("queued", target=other, made=plan(target=other))
    assert books.ledger.claim(behind, "me") == "busy"
    books.ledger.finish(id, token, "failed", "no", judge=False)
    assert books.token(behind) == token + 1


@pytest.mark.parametrize("lost", ["shop/prod/backend", "shop/prod/worker"])
def test_who_lost_one_of_them_has_lost_all(books: Books, lost: str) -> None:
    id = queued(books, BACKEND, WORKER)
    token = books.token(id)
    books.sql("UPDATE mutexes SET token = token + 1 WHERE target = :lost", lost=lost)
    with pytest.raises(Fenced):
        books.ledger.begin(id, token, "in progress")


def test_without_a_token_nothing_is_finished_that_holds_one_of_them(books: Books) -> None:
    id = queued(books, BACKEND, WORKER)
    books.token(id)
    before = books.everything()
    books.ledger.finish(id, None, "failed", "busy", judge=False)
    assert books.everything() == before


def test_whatever_they_are_called_in_the_end_everybody_had_a_turn(books: Books, url: str, connect: Connect) -> None:
    """Each pair of three targets, in both orders, claimed by six at once: nobody waits in a circle."""
    ids = [queued(books, *pair) for pair in itertools.permutations((BACKEND, WORKER, WEB), 2)]
    start = threading.Barrier(len(ids))

    def run(id: str) -> None:
        own = Books(connect(url))
        start.wait()
        while (got := own.ledger.claim(id, "me")) == "busy":
            threading.Event().wait(0.01)
        assert isinstance(got, int)
        own.ledger.begin(id, got, "in progress")
        own.ledger.finish(id, got, "applied", "done", judge=False)

    threads = [threading.Thread(target=run, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {books.record(id).state for id in ids} == {"applied"}
    assert [holder for _, holder, _ in mutexes(books)] == ["None"] * 3


def test_each_is_pinned_where_the_plan_holds_it(books: Books) -> None:
    held = Versioned(target=WORKER, version="3", hold=Hold(traffic={"w": 100}, away_from=("x",)))
    left = Versioned(target=WEB, version="3")
    made = plan(holds=True, others=(held, left))
    id = books.at("queued", made=made)
    books.ledger.finish(id, books.token(id), "applied", "done", judge=False)
    assert [(pin.target, pin.traffic, pin.operation) for pin in books.pins.pins()] == [
        ("shop/prod/backend", {"good": 100}, id),
        ("shop/prod/worker", {"w": 100}, id),
    ]
    letting = books.at("queued", made=plan(lets_go=True, others=(held.model_copy(update={"hold": None}),)))
    books.ledger.finish(letting, books.token(letting), "applied", "done", judge=False)
    assert [pin.target for pin in books.pins.pins()] == ["shop/prod/worker"], "only its own target is let go"


def test_what_is_carried_out_may_differ_from_what_was_proposed(books: Books) -> None:
    """A plan that preempts is made again on what the other left."""
    id = books.at("queued")
    token = books.token(id)
    books.ledger.begin(id, token, "in progress", plan(version="9"))
    assert books.record(id).plan == plan(version="9")
    assert books.audit.entries(operation=id)[0].body["version"] == "9"
    books.ledger.begin(id, token, "in progress", plan(version="10"))
    assert books.record(id).plan == plan(version="9"), "once it runs, its own steps move the version"


def test_what_only_writes_to_our_books_waits_for_nothing_that_changes_the_target(books: Books) -> None:
    id = queued(books, BACKEND)
    books.token(id)
    lock, other = (books.at("queued", made=plan(steps=(), books_only=True)) for _ in range(2))
    own = "books of shop/prod/backend"
    assert books.ledger.due() == ((id, "shop/prod/backend"), (lock, own), (other, own))
    assert books.token(lock) == 1
    assert books.ledger.claim(other, "me") == "busy"
