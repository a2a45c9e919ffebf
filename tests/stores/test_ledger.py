"""Asking, planning, approving, ending; finding operations again."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot.core.answer import Answer, Table, Text
from bot.core.errors import Denied, UserError
from bot.core.request import OPEN, State
from bot.core.system import Accepted, Ledger, Proposal
from tests.stores.harness import ANA, BEN, CHO, NOON, WORKER, Books, plan, request

Connect = Callable[[str], Engine]
USED = "that delivery was used before; ask again"


def accept(ledger: Ledger, id: str, heard_as: str, signature: str = "", state: State = "accepted") -> Accepted:
    return ledger.accept(request(id), heard_as=heard_as, signature=signature, state=state, detail="why")


# --- accept, heard


def test_a_request_is_kept_as_it_was(books: Books) -> None:
    asked = request("0000a", text="rollback backend — „jetzt“ 🔥", params={"to": None, "n": [1, {"ä": "ö"}]})
    books.ledger.accept(asked, heard_as="delivery", signature="", state="accepted", detail="ignored")
    record = books.record("0000a")
    assert record.request == asked
    assert (record.id, record.state, record.revision, record.detail) == ("0000a", "accepted", 1, "")
    assert (record.updated_at, record.plan, record.answer, record.approvals) == (NOON, None, None, ())
    assert books.heard("delivery") == "0000a"
    assert books.heard("another") is None


def test_a_request_refused_at_once_is_kept_too(books: Books) -> None:
    assert accept(books.ledger, "0000a", "one", state="denied") == Accepted(id="0000a", verb="plan", new=True)
    record = books.record("0000a")
    assert (record.state, record.detail, record.revision) == ("denied", "why", 1)
    assert books.events() == ["asked", "denied"]


def test_a_duplicate_is_the_operation_that_it_began(books: Books) -> None:
    assert accept(books.ledger, "0000a", "one", "sig") == Accepted(id="0000a", verb="plan", new=True)
    before = books.everything()
    assert accept(books.ledger, "0000b", "one", "sig") == Accepted(id="0000a", verb="plan", new=False)
    assert accept(books.ledger, "0000b", "one", "another signature") == Accepted(id="0000a", verb="plan", new=False)
    assert books.everything() == before


def test_a_replay_is_refused_and_leaves_nothing(books: Books) -> None:
    accept(books.ledger, "0000a", "one", "sig")
    before = books.everything()
    for state in ("accepted", "denied"):
        with pytest.raises(Denied, match=USED):
            accept(books.ledger, "0000b", "two", "sig", state)
    assert books.everything() == before


def test_doors_without_signatures_never_replay(books: Books) -> None:
    assert [accept(books.ledger, f"0000{n}", f"heard {n}").new for n in range(3)] == [True] * 3


def test_repeated_after_a_lost_commit_it_is_still_new(books: Books) -> None:
    """The request's own id tells our own first try from somebody else's."""
    for _ in range(2):
        assert accept(books.ledger, "0000a", "one", "sig") == Accepted(id="0000a", verb="plan", new=True)
    assert books.events() == ["asked"]


def at_once(url: str, connect: Connect, *calls: Callable[[Ledger, Books], object]) -> list[object]:
    """Calls of as many processes' ledgers, begun together; what each answered, errors too."""
    start, answers = threading.Barrier(len(calls)), list[object]()

    def run(call: Callable[[Ledger, Books], object]) -> None:
        own = Books(connect(url))
        start.wait()
        try:
            answers.append(call(own.ledger, own))
        except Denied as denied:
            answers.append(str(denied))

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_same_delivery_twice_at_once_is_one_operation(books: Books, url: str, connect: Connect) -> None:
    calls = [lambda ledger, _, n=n: accept(ledger, f"0000{n}", "one", "sig") for n in range(6)]
    answers = at_once(url, connect, *calls)
    (record,) = books.ledger.operations()
    assert {one.id for one in answers} == {record.id}
    assert [one.new for one in answers].count(True) == 1
    assert books.events() == ["asked"]


def test_a_replay_beside_the_delivery_itself(books: Books, url: str, connect: Connect) -> None:
    calls = [lambda ledger, _, n=n: accept(ledger, f"0000{n}", f"heard {n}", "sig") for n in range(6)]
    answers = at_once(url, connect, *calls)
    assert answers.count(USED) == 5
    assert len(books.ledger.operations()) == 1


# --- propose


def test_what_planning_made_of_it(books: Books) -> None:
    id = books.accept()
    answer = Answer(title="Status", parts=(Text(text="well"), Table(title="", columns=("a",), rows=((1,), (NOON,)))))
    told = Proposal(
        state="waiting", detail="good will serve", plan=plan(holds=True), digest="d", approvals_needed=2,
        permitted_by="grant.rollback", expires_at=NOON + timedelta(minutes=30), answer=answer,
    )  # fmt: skip
    books.ledger.propose(id, told)
    record = books.record(id)
    for name in Proposal.model_fields:
        assert getattr(record, name) == getattr(told, name)
    assert record.revision == 2


def test_the_first_proposal_wins(books: Books, url: str, connect: Connect) -> None:
    id = books.accept()
    states: list[State] = ["waiting", "queued", "rejected", "denied", "nothing_to_do", "failed"]
    at_once(url, connect, *[lambda _, own, s=state: own.propose(id, s, detail=s) for state in states])
    record = books.record(id)
    assert (record.detail, record.revision) == (record.state, 2)
    assert books.events() == ["asked", record.state]


# --- approve


def test_the_approval_that_completes_the_count_queues_it(books: Books) -> None:
    id = books.accept()
    books.propose(id, approvals_needed=2)
    assert books.yes(id, BEN) == "waiting"
    assert (books.record(id).revision, books.ledger.due()) == (3, ())
    books.clock.advance(60)
    assert books.yes(id, CHO) == "queued"
    record = books.record(id)
    assert (record.state, record.detail, record.revision) == ("queued", "approved by cho", 5)
    assert [(one.actor, one.digest, one.given_at) for one in record.approvals] == [
        (BEN, f"digest of {id}", NOON),
        (CHO, f"digest of {id}", NOON + timedelta(minutes=1)),
    ]
    assert books.ledger.due() == ((id, "shop/prod/backend"),)


def test_the_same_person_twice_counts_once(books: Books) -> None:
    id = books.accept()
    books.propose(id, approvals_needed=2)
    books.yes(id, BEN)
    before = books.everything()
    assert books.yes(id, BEN.model_copy(update={"name": "benjamin"})) == "waiting"
    assert books.everything() == before


def test_a_double_click_at_once_counts_once(books: Books, url: str, connect: Connect) -> None:
    id = books.accept()
    books.propose(id, approvals_needed=2)
    at_once(url, connect, *[lambda _, own: own.yes(id, BEN)] * 4)
    assert [one.actor for one in books.record(id).approvals] == [BEN]
    assert books.events() == ["asked", "waiting", "approved"]


def test_two_people_at_once_complete_it_once(books: Books, url: str, connect: Connect) -> None:
    id = books.accept()
    books.propose(id, approvals_needed=2)
    at_once(url, connect, *[lambda _, own, who=who: own.yes(id, who) for who in (ANA, BEN, CHO)])
    assert books.record(id).state == "queued"
    assert books.events() == ["asked", "waiting", "approved", "approved", "queued"]


@pytest.mark.parametrize("digest", ["digest of another", "digest of", " "])
def test_a_yes_to_another_plan_does_not_count(books: Books, digest: str) -> None:
    id = books.at("waiting")
    before = books.everything()
    assert books.yes(id, digest=digest) == "waiting"
    assert books.everything() == before


# --- end, cancel, expire


def test_ended_before_it_began(books: Books) -> None:
    id, answer = books.at("waiting"), Answer(title="No")
    books.clock.advance(5)
    assert books.ledger.end(id, "denied", "denied by ben: not now", BEN.id, answer=answer) == "denied"
    record = books.record(id)
    assert (record.state, record.detail, record.answer) == ("denied", "denied by ben: not now", answer)
    assert books.audit.entries(limit=1)[0].actor == BEN.id


def test_cancelled_at_once_or_asked_to_stop(books: Books) -> None:
    early, late = books.at("waiting"), books.at("running", target=WORKER)
    assert (books.ledger.cancel(early, "ben"), books.ledger.cancel(late, "ben")) == ("cancelled", "running")
    assert books.record(early).detail == "cancelled by ben; nothing was done"
    assert books.record(late).cancel_by == "ben"
    books.ledger.cancel(late, "cho")  # too late to be the one
    assert books.record(late).cancel_by == "ben"
    assert books.events(late)[-1] == "cancel asked"


def test_approved_and_ended_at_once_is_one_of_the_two(books: Books, url: str, connect: Connect) -> None:
    ids = [books.at("waiting") for _ in range(6)]
    for id in ids:
        calls = (lambda _, own, id=id: own.yes(id), lambda ledger, _, id=id: ledger.cancel(id, "ben"))
        at_once(url, connect, *calls)
        record = books.record(id)
        assert (record.state, record.cancel_by) in (("cancelled", ""), ("queued", "ben"))


def test_expires_when_its_time_has_passed_not_before(books: Books) -> None:
    first = books.at("waiting")
    books.clock.advance(10 * 60)
    second = books.at("waiting")
    books.clock.advance(20 * 60)
    assert books.ledger.expire() == 0  # to the second
    books.clock.advance(1)
    assert books.ledger.expire() == 1
    assert (books.record(first).state, books.record(second).state) == ("expired", "waiting")
    assert books.record(first).detail == "nobody approved it in time; nothing was done"
    books.clock.advance(-3600)
    assert books.ledger.expire() == 0
    assert books.yes(first) == "expired"


# --- finding


def test_found_by_an_unambiguous_beginning(books: Books) -> None:
    for id in ("abcdef1", "abcdef2", "abxx", "x%_y"):
        books.accept(id)
    for said, found in (("abcdef1", "abcdef1"), ("abxx", "abxx"), (" ABCDEF2\n", "abcdef2"), ("x%_y", "x%_y")):
        assert books.record(said).id == found
    books.accept("abcdef1more")
    assert books.record("abcdef1").id == "abcdef1"  # the whole id is that id, whatever else begins so
    assert books.record("abcdef1m").id == "abcdef1more"


@pytest.mark.parametrize(
    "said, why",
    [
        ("abcd", "several operations begin with `abcd`"),
        ("abcdef", "several operations begin with `abcdef`"),
        ("abx", "there is no operation `abx`"),
        ("", "there is no operation ``"),
        ("%%%%", "there is no operation `%%%%`"),
        ("____", "there is no operation `____`"),
        ("bcdef1", "there is no operation `bcdef1`"),
        ("zzzz" * 100, f"there is no operation `{'zzzz' * 10}`"),
    ],
)
def test_what_is_not_found_is_said(books: Books, said: str, why: str) -> None:
    for id in ("abcdef1", "abcdef2", "abxx"):
        books.accept(id)
    with pytest.raises(UserError) as raised:
        books.record(said)
    assert str(raised.value) == f"{why}; `ops` lists them."


def test_listed_newest_first_and_changes_only(books: Books) -> None:
    made = []
    for number in range(25):
        books.clock.advance(1)
        made.append(books.accept(verb=("plan", "answer", "act")[number % 3]))
    newest = [id for number, id in enumerate(made) if number % 3 == 0][::-1]
    assert [one.id for one in books.ledger.operations()] == newest
    assert [one.id for one in books.ledger.operations(limit=3)] == newest[:3]
    assert books.ledger.operations(limit=0) == ()


def test_twenty_unless_more_are_asked_for(books: Books) -> None:
    for _ in range(22):
        books.accept()
    same = [one.id for one in books.ledger.operations(limit=99)]
    assert (len(books.ledger.operations()), same) == (20, sorted(same))  # of one instant: by id


def test_listed_by_state_and_target(books: Books) -> None:
    waiting, queued = books.at("waiting"), books.at("queued")
    other, over = books.at("waiting", target=WORKER), books.at("applied")

    def listed(**by: object) -> set[str]:
        return {one.id for one in books.ledger.operations(**by)}

    assert listed() == {waiting, queued, other, over}
    assert listed(states=OPEN) == {waiting, queued, other}
    assert listed(states=OPEN, target="shop/prod/backend") == {waiting, queued}
    assert listed(target="shop/prod/backend") == {waiting, queued, over}
    assert listed(target=WORKER.full_name) == {other}
    assert listed(target="shop/prod") == listed(states=OPEN, target="shop/prod") == set()


def test_due_is_oldest_first(books: Books) -> None:
    made = []
    for seconds in (0, 60, -120):
        books.clock.advance(seconds)
        made.append(books.at("queued"))
    assert [id for id, _ in books.ledger.due()] == [made[2], made[0], made[1]]
