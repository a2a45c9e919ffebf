"""Which method may act in which state, as a table; what it may not touch it leaves as it was, to the last row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.core.errors import Fenced, UserError
from bot.core.plan import Checked
from bot.core.request import DUE, OPEN, STATES, State
from bot.core.system import EffectRecord, Ledger
from tests.both import postgres_seldom
from tests.stores.harness import BEN, MOVE, OUTCOMES, Books, effect

FOUND = Checked(state="not yet", sentence="too few requests", evidence={"requests": 12})

TABLE: dict[str, dict[State, str]] = YAML(typ="safe").load(Path(__file__).with_name("ledger_states.yaml"))
Call = Callable[[Books, str, int], object]


def intend(books: Books, id: str, token: int) -> EffectRecord:
    return books.ledger.intend(id, token, effect(id), MOVE)


def settle(books: Books, id: str, token: int) -> None:
    ended = EffectRecord(effect=effect(id), call=MOVE, ending="succeeded", version="8")
    books.ledger.settle(id, token, ended)


CALLS: dict[str, Call] = {
    "propose": lambda books, id, _: books.propose(id, detail="another plan"),
    "approve": lambda books, id, _: books.yes(id, who=BEN.model_copy(update={"id": "slack:U0NEW"})),
    "end": lambda books, id, _: books.ledger.end(id, "denied", "no", "slack:U0BEN"),
    "cancel": lambda books, id, _: books.ledger.cancel(id, "ben"),
    "expire": lambda books, id, _: books.ledger.expire(),
    "make_way": lambda books, id, _: books.ledger.make_way(),
    "claim": lambda books, id, _: books.ledger.claim(id, "another process"),
    "begin": lambda books, id, token: books.ledger.begin(id, token, "begun"),
    "intend": intend,
    "issued": lambda books, id, token: books.ledger.issued(id, token, f"{id}/0/do", "operations/2"),
    "settle": settle,
    "stage": lambda books, id, token: books.ledger.stage(id, token, 1),
    "found": lambda books, id, token: books.ledger.found(id, token, 1, "baking", FOUND),
    "steer": lambda books, id, _: books.ledger.steer(id, 1, "hold", BEN),
    "finish": lambda books, id, token: books.ledger.finish(id, token, "failed", "no", judge=False),
    "finish without a token": lambda books, id, _: books.ledger.finish(id, None, "failed", "no", judge=False),
    "judged": lambda books, id, _: books.ledger.judged(id, "holds", "well"),
}
FENCED = {"begin", "intend", "issued", "settle", "stage", "found"}
CASES = [(method, state) for method in CALLS for state in STATES]


def test_the_table_has_every_method_that_changes_something() -> None:
    reads = {"operation", "operations", "effects", "heard", "accepted", "due", "judging", "effect", "stages", "steered"}
    named = {name for name in vars(Ledger) if not name.startswith("_")} | {"finish without a token"}
    assert set(TABLE) == set(CALLS) == named - reads - {"accept"}
    assert {state for row in TABLE.values() for state in row} <= set(STATES)


def arranged(books: Books, method: str, state: State) -> tuple[str, int]:
    """An operation in a state, and a token for it: the newest, where there is one to be had."""
    id = books.at(state)
    token = 0
    if state in DUE and method in (*FENCED, "finish", "steer"):
        token = books.token(id)
    if state in DUE and method in ("issued", "settle"):
        intend(books, id, token)
    if state in DUE and method in ("found", "steer"):
        books.ledger.stage(id, token, 1)
    if method == "expire" and state == "waiting":
        books.clock.advance(31 * 60)
    return id, token


@postgres_seldom
@pytest.mark.parametrize("method, state", CASES)
def test_acts_in_these_states_only(books: Books, method: str, state: State) -> None:
    id, token = arranged(books, method, state)
    books.clock.advance(60)
    before, links, was = books.everything(), len(books.events()), books.record(id)
    answer = outcome_of(books, method, id, token)
    wanted = TABLE[method].get(state)
    if wanted is None:
        assert books.everything() == before
        return
    now = books.record(id)
    assert books.everything() != before
    assert now.state == (state if wanted == "own" else wanted)
    if method not in ("claim", "issued"):
        assert (now.revision, now.updated_at) == (was.revision + (2 if method == "approve" else 1), books.clock.now())
        assert len(books.events()) > links
    if method in ("approve", "end", "cancel"):
        assert answer == now.state


def outcome_of(books: Books, method: str, id: str, token: int) -> Any:
    """What a call answers; being fenced or told that it is finished are answers too."""
    acts = bool(TABLE[method].get(books.record(id).state))
    if method in FENCED and not token:
        with pytest.raises(Fenced, match=f"{id} was taken over by another process"):
            CALLS[method](books, id, token)
        assert not acts
        return None
    answer = CALLS[method](books, id, token)
    if method == "claim":
        assert isinstance(answer, int) if acts else answer == "finished"
    return answer


@pytest.mark.parametrize("method", [name for name in CALLS if name not in ("expire", "make_way")])
def test_an_operation_that_there_is_not_is_said(books: Books, method: str) -> None:
    with pytest.raises(UserError, match="there is no operation `nothing`; `ops` lists them"):
        CALLS[method](books, "nothing", 1)


@pytest.mark.parametrize("method", [name for name in CALLS if TABLE[name]])
def test_every_method_may_be_repeated(books: Books, method: str) -> None:
    """After a lost commit nobody knows whether it counted, so it is simply done again."""
    state = next(iter(TABLE[method]))
    id, token = arranged(books, method, state)
    CALLS[method](books, id, token)
    before, events = books.everything(), books.events()
    CALLS[method](books, id, token)
    if method == "claim":
        assert books.ledger.claim(id, "another process") == 3  # a new token each time; nothing else
        books.sql("UPDATE mutexes SET token = 1")
    assert (books.everything(), books.events()) == (before, events)


def test_states_are_parted_into_open_ones_and_outcomes() -> None:
    assert (*OPEN, *OUTCOMES) == STATES
    assert set(DUE) < set(OPEN)


@pytest.mark.parametrize("state", STATES)
def test_what_the_sweep_reads(books: Books, state: State) -> None:
    id = books.at(state)
    books.clock.advance(10)
    assert books.ledger.due() == (((id, "shop/prod/backend"),) if state in DUE else ())
    assert books.ledger.accepted(older_than_s=5) == ((id,) if state == "accepted" else ())
    assert books.ledger.judging() == ((id,) if state == "applied" else ())
