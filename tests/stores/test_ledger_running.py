"""Mutex, tokens, effects, outcome, pins: what runs, and whom it is taken from."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot.core.errors import Fenced
from bot.core.plan import Step
from bot.core.request import STATES, State
from bot.core.system import EffectRecord, Pin
from tests.stores.harness import BACKEND, MOVE, NOON, WORKER, Books, effect, end_of, plan

Connect = Callable[[str], Engine]


# --- the mutex


def test_every_claim_gives_a_higher_token(books: Books) -> None:
    id = books.at("queued")
    assert [books.ledger.claim(id, owner) for owner in ("one", "two", "one")] == [1, 2, 3]


def test_one_change_of_a_target_at_a_time(books: Books) -> None:
    first, second, elsewhere = books.at("queued"), books.at("queued"), books.at("queued", target=WORKER)
    token = books.token(first)
    before = books.everything()
    assert books.ledger.claim(second, "me") == "busy"
    assert books.everything() == before
    assert books.token(elsewhere) == 1
    books.ledger.finish(first, token, "failed", "no", judge=False)
    assert books.token(second) > token
    assert books.ledger.claim(first, "me") == "finished"


def test_claimed_by_many_at_once_each_gets_a_token_of_its_own(books: Books, url: str, connect: Connect) -> None:
    id, start, tokens = books.at("queued"), threading.Barrier(5), list[int]()

    def claim() -> None:
        own = Books(connect(url))
        start.wait()
        tokens.append(own.token(id))

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(tokens) == [1, 2, 3, 4, 5]


def test_two_operations_at_once_one_gets_the_target(books: Books, url: str, connect: Connect) -> None:
    """Also when the target was never claimed, so that both would insert its row."""
    ids, start, answers = [books.at("queued"), books.at("queued")], threading.Barrier(2), list[object]()

    def claim(id: str) -> None:
        own = Books(connect(url))
        start.wait()
        answers.append(own.ledger.claim(id, "me"))

    threads = [threading.Thread(target=claim, args=(id,)) for id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == ["1", "busy"]


FENCED: dict[str, Callable[[Books, str, int], object]] = {
    "begin": lambda books, id, token: books.ledger.begin(id, token, "again"),
    "intend": lambda books, id, token: books.ledger.intend(id, token, effect(id, 1), MOVE),
    "intend what is known": lambda books, id, token: books.ledger.intend(id, token, effect(id), MOVE),
    "issued": lambda books, id, token: books.ledger.issued(id, token, f"{id}/0/do", "operations/9"),
    "settle": lambda books, id, token: end_of(books, id, token, "failed"),
    "finish": lambda books, id, token: books.ledger.finish(id, token, "failed", "no", judge=False),
}


@pytest.mark.parametrize("method", FENCED)
@pytest.mark.parametrize("why", ["claimed again", "a token nobody gave", "never claimed", "another holds the target"])
def test_an_old_token_is_refused_everywhere(books: Books, method: str, why: str) -> None:
    id = books.at("queued")
    token = books.token(id)
    books.ledger.begin(id, token, "in progress")
    books.ledger.intend(id, token, effect(id), MOVE)
    if why == "claimed again":
        books.token(id, "another process")
    elif why == "a token nobody gave":
        token += 1
    elif why == "never claimed":
        books.free(id)
    else:
        books.sql("UPDATE mutexes SET holder = 'another'")
    before = books.everything()
    with pytest.raises(Fenced, match=f"{id} was taken over by another process"):
        FENCED[method](books, id, token)
    assert books.everything() == before


@pytest.mark.parametrize("method", FENCED)
def test_the_newest_token_is_taken_everywhere(books: Books, method: str) -> None:
    id = books.at("queued")
    books.ledger.intend(id, books.token(id), effect(id), MOVE)
    FENCED[method](books, id, books.token(id, "another process"))


# --- effects


def test_a_write_from_intent_to_ending(books: Books) -> None:
    id = books.at("running")
    token, key = books.token(id), f"{id}/0/do"
    assert books.ledger.effect(key) is None
    intended = books.ledger.intend(id, token, effect(id), MOVE)
    bare = MOVE.model_copy(update={"undo": None})
    assert intended == EffectRecord(effect=effect(id), call=bare, at=NOON) == books.ledger.effect(key)
    assert books.record(id).doing == 1
    books.ledger.issued(id, token, key, "operations/1")
    begun = books.ledger.effect(key)
    assert begun == intended.model_copy(update={"cloud_operation": "operations/1"})
    end_of(books, id, token, "succeeded")
    ended = begun.model_copy(update={"ending": "succeeded", "version": "8", "detail": "done"})
    assert books.ledger.effect(key) == ended
    assert books.ledger.effects(id) == (ended,)


def test_what_is_known_is_not_intended_anew(books: Books) -> None:
    """The version of the first intent stands: with another one a lost call and its repetition could both commit."""
    id = books.at("running")
    first = books.ledger.intend(id, books.token(id), effect(id), MOVE)
    other = Step(verb="Compute.delete")
    assert books.ledger.intend(id, books.token(id), effect(id, version="99"), other) == first
    assert (books.record(id).doing, books.events(id).count("writing")) == (1, 1)


def test_the_first_ending_stands(books: Books) -> None:
    id = books.at("running")
    token = books.token(id)
    books.ledger.intend(id, token, effect(id), MOVE)
    end_of(books, id, token, "uncertain")
    end_of(books, id, token, "succeeded")
    assert [one.ending for one in books.ledger.effects(id)] == ["uncertain"]
    assert books.events(id).count("written") == 1


def test_effects_in_the_order_of_their_intents(books: Books) -> None:
    id = books.at("running")
    token = books.token(id)
    for position in (2, 10, 1):
        books.clock.advance(1)
        books.ledger.intend(id, token, effect(id, position), MOVE)
    assert [one.effect.key for one in books.ledger.effects(id)] == [f"{id}/{n}/do" for n in (2, 10, 1)]
    assert books.record(id).doing == 3
    assert books.ledger.effects("another") == ()


# --- the outcome


@pytest.mark.parametrize("state", STATES[4:])
def test_outcome_and_release_are_one(books: Books, state: State) -> None:
    id = books.at("running")
    token = books.token(id)
    books.clock.advance(9)
    books.ledger.finish(id, token, state, "so it went", judge=True)
    record = books.record(id)
    assert (record.state, record.detail, record.updated_at) == (state, "so it went", books.clock.now())
    applied = state == "applied"
    assert (record.applied_at, record.judged) == ((books.clock.now(), "pending") if applied else (None, ""))
    assert books.ledger.judging() == ((id,) if applied else ())
    assert books.token(books.at("queued")) == token + 1


def test_finished_twice_nothing_more_happens(books: Books) -> None:
    first = books.at("running")
    token = books.token(first)
    books.ledger.finish(first, token, "applied", "good serves", judge=False)
    second = books.at("running")
    newer = books.token(second)
    before = books.everything()
    for again in (token, newer, None):
        books.ledger.finish(first, again, "failed", "no", judge=True)
    assert books.everything() == before
    books.ledger.begin(second, newer, "the second still has its target")


def test_rolled_back_with_its_outcome_when_it_cannot_be_written(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    id = books.at("running", made=plan(holds=True))
    token = books.token(id)
    before = books.everything()
    monkeypatch.setattr(books.ledger, "_pin", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        books.ledger.finish(id, token, "applied", "good serves", judge=False)
    assert books.everything() == before


def test_without_a_token_only_what_nobody_runs_is_finished(books: Books) -> None:
    running, waits = books.at("running"), books.at("queued")
    token = books.token(running)
    before = books.everything()
    books.ledger.finish(running, None, "failed", "nothing done", judge=False)
    assert books.everything() == before
    books.ledger.finish(waits, None, "failed", "nothing done: busy", judge=False)
    assert (books.record(waits).state, books.record(waits).detail) == ("failed", "nothing done: busy")
    books.ledger.begin(running, token, "it still has its target")


# --- judged


@pytest.mark.parametrize("found", ["holds", "broken", "unknown"])
def test_judged_once(books: Books, found: str) -> None:
    id = books.at("applied")
    books.clock.advance(300)
    books.ledger.judged(id, found, "errors fell to 0.1 %")
    record = books.record(id)
    assert (record.judged, record.judgement, record.state) == (found, "errors fell to 0.1 %", "applied")
    assert (record.updated_at, books.ledger.judging()) == (books.clock.now(), ())
    before = books.everything()
    for again in ("holds", "broken", "unknown"):
        books.ledger.judged(id, again, "no")
    assert books.everything() == before


def test_what_is_not_to_be_judged_is_not(books: Books) -> None:
    id = books.at("running")
    books.ledger.finish(id, books.token(id), "applied", "good serves", judge=False)
    before = books.everything()
    books.ledger.judged(id, "broken", "no")
    assert (books.everything(), books.record(id).judged) == (before, "")


# --- pins


def applied(books: Books, **more: bool) -> str:
    id = books.at("running", made=plan(**more))
    books.ledger.finish(id, books.token(id), "applied", "good serves", judge=False)
    return id


def test_a_pin_is_written_with_the_outcome(books: Books) -> None:
    assert (books.pins.pin(BACKEND), books.pins.pins()) == (None, ())
    books.clock.advance(60)
    id = applied(books, holds=True)
    wanted = Pin(
        target="shop/prod/backend", traffic={"good": 100}, operation=id, by="ana", since=NOON + timedelta(minutes=1),
        remind_at=NOON + timedelta(minutes=1, hours=8), away_from=("bad",), reason="it burns",
    )  # fmt: skip
    assert (books.pins.pin(BACKEND), books.pins.pins(), books.pins.pin(WORKER)) == (wanted, (wanted,), None)


def test_a_later_pin_replaces_it(books: Books) -> None:
    applied(books, holds=True)
    second = applied(books, holds=True)
    assert [pin.operation for pin in books.pins.pins()] == [second]


def test_it_is_let_go_with_the_outcome(books: Books) -> None:
    applied(books, holds=True)
    applied(books)  # a change that neither holds nor lets go
    assert len(books.pins.pins()) == 1
    applied(books, lets_go=True)
    assert books.pins.pins() == ()
    applied(books, lets_go=True)  # nothing was held
    assert books.pins.pins() == ()


def test_held_and_let_go_by_one_plan_is_held_anew(books: Books) -> None:
    applied(books, holds=True)
    second = applied(books, holds=True, lets_go=True)
    assert [pin.operation for pin in books.pins.pins()] == [second]


@pytest.mark.parametrize("state", ["failed", "uncertain", "cancelled"])
@pytest.mark.parametrize("more", [{"holds": True}, {"lets_go": True}])
def test_what_was_not_applied_moves_no_pin(books: Books, state: State, more: dict[str, bool]) -> None:
    first = applied(books, holds=True)
    id = books.at("running", made=plan(**more))
    books.ledger.finish(id, books.token(id), state, "no", judge=False)
    assert [pin.operation for pin in books.pins.pins()] == [first]


def test_pins_are_sorted_and_a_reason_may_be_absent(books: Books) -> None:
    for target in (WORKER, BACKEND):
        id = books.at("running", target=target, made=plan(target=target, holds=True), params={"reason": None})
        books.ledger.finish(id, books.token(id), "applied", "good serves", judge=False)
    assert [(pin.target, pin.reason) for pin in books.pins.pins()] == [
        ("shop/prod/backend", ""),
        ("shop/prod/worker", ""),
    ]
