"""What is queued asks those that it preempts to stop, in the same transaction."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from bot.core.plan import Step, Versioned
from bot.core.request import STATES, State
from tests.stores.harness import BACKEND, CHO, MOVE, WORKER, Books, effect, end_of, plan

OTHER = BACKEND.model_copy(update={"name": "web"})
BY = "ana's rollback {}"


def rescue(books: Books, *preempts: str, state: State = "waiting") -> str:
    """A rollback that stops others first."""
    id = books.accept()
    books.propose(id, state, made=plan(preempts=preempts))
    return id


def test_with_the_last_approval_what_runs_is_asked_to_stop(books: Books) -> None:
    deploy = books.at("running")
    id = rescue(books, deploy)
    assert books.record(deploy).cancel_by == ""
    revision = books.record(deploy).revision
    books.clock.advance(5)
    assert books.yes(id) == "queued"
    now = books.record(deploy)
    assert (now.cancel_by, now.state) == (BY.format(id), "running")
    assert (now.revision, now.updated_at) == (revision + 1, books.clock.now())
    assert books.events(deploy)[-1] == "cancel asked"


def test_not_with_an_approval_that_leaves_others_to_wait_for(books: Books) -> None:
    deploy, id = books.at("running"), books.accept()
    books.propose(id, made=plan(preempts=(deploy,)), approvals_needed=2)
    assert books.yes(id) == "waiting"
    assert books.record(deploy).cancel_by == ""


def test_what_needs_no_approval_stops_it_as_soon_as_it_is_planned(books: Books) -> None:
    deploy = books.at("running")
    id = rescue(books, deploy, state="queued")
    assert books.record(deploy).cancel_by == BY.format(id)


@pytest.mark.parametrize("state", STATES)
def test_only_what_runs_or_is_about_to_is_stopped(books: Books, state: State) -> None:
    other = books.at(state)
    before = books.record(other)
    books.yes(rescue(books, other, "never heard of"))
    now = books.record(other)
    if state in ("queued", "running"):
        assert now.cancel_by and now.state == state
    else:
        assert now == before


@pytest.mark.parametrize("state", ["waiting", "queued"])
def test_to_be_queued_and_to_stop_others_is_one_transaction(
    books: Books, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """Who dies before its commit has queued nothing and stopped nobody; the next try does both, once."""
    deploy, id = books.at("running"), books.accept()
    made = plan(preempts=(deploy,))
    if state == "waiting":
        books.propose(id, made=made)
    before = books.everything()

    def queue() -> None:
        books.yes(id) if state == "waiting" else books.propose(id, "queued", made=made)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(books.ledger, "_ask_to_stop", die)
        queue()
    assert books.everything() == before
    for _ in range(2):
        queue()
    assert (books.record(id).state, books.record(deploy).cancel_by) == ("queued", BY.format(id))
    assert books.events(deploy).count("cancel asked") == 1


SLOW = Step(kind="check", verb="bake", if_late="ask")


@pytest.mark.parametrize("way", ["approved", "planned"])
def test_a_rescue_stops_what_has_begun_on_its_targets_since_it_was_planned(books: Books, way: str) -> None:
    made, id = plan(rescues=True, others=(Versioned(target=WORKER, version="1"),)), books.accept()
    if way == "approved":
        books.propose(id, made=made)
    slow = [books.at("running", target=one, made=plan(target=one, steps=(SLOW,))) for one in (BACKEND, WORKER)]
    spared = (
        books.at("running"),
        books.at("running", target=OTHER, made=plan(target=OTHER, steps=(SLOW,))),
        books.at("running", made=plan(steps=(SLOW,), books_only=True)),
        books.at("waiting", made=plan(steps=(SLOW,))),
    )
    books.yes(id) if way == "approved" else books.propose(id, "queued", made=made)
    assert [books.record(one).cancel_by for one in slow] == [BY.format(id)] * 2
    assert [books.record(one).cancel_by for one in spared] == [""] * 4
    noted = books.record(id).plan
    assert noted is not None and (noted.preempts, sorted(noted.stops)) == ((), sorted(slow))


def test_what_ended_before_the_last_approval_was_not_stopped_for_it(books: Books) -> None:
    id = books.accept()
    books.propose(id, made=plan(rescues=True), approvals_needed=2)
    deploy = books.at("running", made=plan(steps=(SLOW,)))
    assert books.yes(id) == "waiting"
    books.ledger.finish(deploy, books.token(deploy), "applied", "it ended", judge=False)
    assert books.yes(id, CHO) == "queued"
    noted = books.record(id).plan
    assert noted is not None and noted.stops == ()


def test_the_sweep_makes_way_where_whoever_queued_the_rescue_did_not(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program, or one that did not see the rollout that was just being queued."""
    first, id = books.at("running"), books.accept()
    books.propose(id, made=plan(rescues=True, preempts=(first,)))
    with monkeypatch.context() as older:
        older.setattr(books.ledger, "_stop", lambda *_: None)
        books.yes(id)
    second = books.at("queued", made=plan(steps=(SLOW,)))
    assert [books.record(one).cancel_by for one in (first, second)] == ["", ""]
    for _ in range(2):
        books.ledger.make_way()
    assert [books.record(one).cancel_by for one in (first, second)] == [BY.format(id)] * 2
    assert [books.events(one).count("cancel asked") for one in (first, second)] == [1, 1]
    noted = books.record(id).plan
    assert noted is not None and noted.stops == (second,)


@pytest.mark.parametrize("state", [state for state in STATES if state != "queued"])
def test_only_what_is_queued_makes_others_give_way(books: Books, state: State) -> None:
    books.at(state, made=plan(rescues=True))
    deploy = books.at("running", made=plan(steps=(SLOW,)))
    books.ledger.make_way()
    assert books.record(deploy).cancel_by == ""


def test_who_was_cancelled_by_somebody_before_stays_so(books: Books) -> None:
    deploy = books.at("running")
    books.ledger.cancel(deploy, "cho")
    books.yes(rescue(books, deploy))
    assert books.record(deploy).cancel_by == "cho"
    assert books.events(deploy).count("cancel asked") == 1


def test_while_the_other_writes_nobody_waits_for_ever(books: Books, url: str, connect: Callable[[str], Engine]) -> None:
    """The one has the chain's head and wants the other's row, which is held by whoever wants the head: not so."""
    deploy = books.at("running")
    token, start = books.token(deploy), threading.Barrier(2)
    rescues = [rescue(books, deploy) for _ in range(5)]

    def write() -> None:
        own = Books(connect(url))
        start.wait()
        for position in range(5):
            own.ledger.intend(deploy, token, effect(deploy, position), MOVE)
            end_of(own, deploy, token, position=position)

    def approve() -> None:
        own = Books(connect(url))
        start.wait()
        for id in rescues:
            own.yes(id)

    threads = [threading.Thread(target=one) for one in (write, approve)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books.record(deploy).cancel_by == BY.format(rescues[0])
    assert [one.ending for one in books.ledger.effects(deploy)] == ["succeeded"] * 5
