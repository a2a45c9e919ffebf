"""Stages: their start stands, what is found is told once, and what people say comes before or after it, never both."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from bot.core.errors import Fenced
from bot.core.plan import Checked
from bot.core.stages import StageRecord, StageState, Steer, Steered
from tests.stores.harness import BEN, CHO, NOON, Books

Connect = Callable[[str], Engine]
FEW = Checked(state="not yet", sentence="too few requests", evidence={"requests": [12, 0.5], "since": None})


@pytest.fixture
def baking(books: Books) -> tuple[str, int]:
    """An operation whose step 2 is a stage that has begun, and its token."""
    id = books.at("running")
    token = books.token(id)
    books.ledger.stage(id, token, 2)
    return id, token


def stage(books: Books, id: str) -> StageRecord:
    (found,) = books.ledger.stages(id)
    return found


def said(state: str, sentence: str = "so it is") -> Checked:
    return Checked.model_validate({"state": state, "sentence": sentence})


def test_a_stage_begins_once_and_keeps_its_start(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    begun = StageRecord(operation=id, position=2, started_at=NOON)
    books.clock.advance(600)
    assert books.ledger.stage(id, token, 2) == begun == stage(books, id)
    assert books.ledger.stage(id, books.token(id, "another process"), 2) == begun
    assert books.events(id)[-1] == "stage begun"


def test_stages_in_the_order_of_their_steps(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    for position in (10, 1):
        books.ledger.stage(id, token, position)
    assert [one.position for one in books.ledger.stages(id)] == [1, 2, 10]
    assert books.ledger.stages("another") == ()


def test_what_is_found_is_told_once(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    revision = books.record(id).revision
    books.clock.advance(60)
    found = books.ledger.found(id, token, 2, "baking", FEW)
    assert (
        found
        == StageRecord(operation=id, position=2, started_at=NOON, sentence=FEW.sentence, evidence=FEW.evidence)
        == stage(books, id)
    )
    before = books.everything()
    assert (books.record(id).revision, books.record(id).updated_at) == (revision + 1, books.clock.now())
    assert books.ledger.found(id, token, 2, "baking", FEW) == found
    assert books.everything() == before
    books.ledger.found(id, token, 2, "baking", FEW.model_copy(update={"evidence": {"requests": 13}}))
    books.ledger.found(id, token, 2, "held", FEW)
    assert books.events(id)[-3:] == ["stage found"] * 3
    body = books.audit.entries(operation=id)[0].body
    assert body == {"target": "shop/prod/backend", "position": 2, "stage": "held", "sentence": FEW.sentence}


def test_a_sentence_that_no_database_holds_is_no_news_for_ever(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    odd = Checked(state="not yet", sentence="odd\x00", evidence={"a\x00": ["\ud800"]})
    books.ledger.found(id, token, 2, "baking", odd)
    before = books.everything()
    books.ledger.found(id, token, 2, "baking", odd)
    assert books.everything() == before


@pytest.mark.parametrize("steer, state, event", [("advance", "passed", "stage passed"), ("hold", "held", "stage held")])
def test_what_people_say_counts_at_once(
    books: Books, baking: tuple[str, int], steer: Steer, state: StageState, event: str
) -> None:
    id, _ = baking
    assert books.ledger.steered(id, 2) == Steered(stage="baking")
    revision = books.record(id).revision
    now = books.ledger.steer(id, 2, steer, BEN)
    assert (
        now
        == stage(books, id)
        == StageRecord(operation=id, position=2, started_at=NOON, state=state, steered=steer, steered_by="ben")
    )
    assert (books.ledger.steered(id, 2), books.record(id).revision) == (Steered(stage=state), revision + 1)
    (entry, *_) = books.audit.entries(operation=id)
    assert (entry.event, entry.actor) == (event, BEN.id)
    before = books.everything()
    assert books.ledger.steer(id, 2, steer, CHO) == now
    assert books.everything() == before


def test_what_is_held_passes_when_somebody_says_so_and_not_before(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    books.ledger.steer(id, 2, "hold", BEN)
    assert books.ledger.found(id, token, 2, "passed", said("holds", "no worse")).state == "held"
    assert stage(books, id).sentence == "no worse"
    assert books.ledger.found(id, token, 2, "baking", FEW).state == "held"
    advanced = books.ledger.steer(id, 2, "advance", CHO)
    assert advanced and (advanced.state, advanced.steered_by, advanced.sentence) == ("passed", "cho", FEW.sentence)


def test_what_is_held_may_still_break(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    books.ledger.steer(id, 2, "hold", BEN)
    assert books.ledger.found(id, token, 2, "broken", said("broken")).state == "broken"


@pytest.mark.parametrize("state", ["passed", "broken"])
def test_what_is_left_stays_as_it_was(books: Books, baking: tuple[str, int], state: StageState) -> None:
    id, token = baking
    left = books.ledger.found(id, token, 2, state, said("holds"))
    before = books.everything()
    for steer in ("advance", "hold"):
        assert books.ledger.steer(id, 2, steer, BEN) == left  # type: ignore[arg-type]
    assert books.ledger.found(id, token, 2, "broken", said("broken", "it is late")) == left
    assert books.everything() == before


def test_one_stage_is_steered_and_no_other(books: Books, baking: tuple[str, int]) -> None:
    id, token = baking
    books.ledger.stage(id, token, 4)
    books.ledger.steer(id, 2, "advance", BEN)
    assert [one.state for one in books.ledger.stages(id)] == ["passed", "baking"]


def test_what_has_not_begun_is_not_steered(books: Books, baking: tuple[str, int]) -> None:
    id, _ = baking
    before = books.everything()
    assert books.ledger.steer(id, 3, "advance", BEN) is None
    assert books.everything() == before
    assert books.ledger.steered(id, 3) == Steered()


def test_what_is_cancelled_is_not_steered_any_more(books: Books, baking: tuple[str, int]) -> None:
    id, _ = baking
    books.ledger.cancel(id, "cho")
    assert books.ledger.steered(id, 2) == Steered(cancel_by="cho", stage="baking")
    before = books.everything()
    assert books.ledger.steer(id, 2, "advance", BEN) == stage(books, id)
    assert (books.everything(), stage(books, id).state) == (before, "baking")


@pytest.mark.parametrize("act", ["stage", "found"])
def test_who_was_taken_over_neither_begins_nor_finds(books: Books, baking: tuple[str, int], act: str) -> None:
    id, token = baking
    books.token(id, "another process")
    before = books.everything()
    with pytest.raises(Fenced, match=f"{id} was taken over by another process"):
        getattr(books.ledger, act)(id, token, 2, *(("passed", said("holds")) if act == "found" else ()))
    assert books.everything() == before


def test_a_hold_and_a_finding_at_once_leave_one_of_two_stories(
    books: Books, baking: tuple[str, int], url: str, connect: Connect
) -> None:
    """Either it was held before it could pass, or it had passed before it could be held."""
    id, token = baking
    start, answers = threading.Barrier(2), dict[str, StageRecord | None]()

    def at_once(name: str, call: Callable[[Books], StageRecord | None]) -> None:
        own = Books(connect(url))
        start.wait()
        answers[name] = call(own)

    calls: dict[str, Callable[[Books], StageRecord | None]] = {
        "found": lambda own: own.ledger.found(id, token, 2, "passed", said("holds")),
        "hold": lambda own: own.ledger.steer(id, 2, "hold", BEN),
    }
    threads = [threading.Thread(target=at_once, args=call) for call in calls.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = stage(books, id)
    assert {one.state for one in answers.values() if one} == {now.state}
    assert (now.state, now.steered) in (("held", "hold"), ("passed", None))
