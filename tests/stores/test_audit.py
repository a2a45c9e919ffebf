"""The audit chain grows with what happened and with nothing else; several writers make one chain."""

import logging
import re
import threading
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from bot.core.errors import Denied, Fenced, StoreError
from bot.core.system import AuditReads
from bot.stores import audit
from bot.stores.audit import NOTHING
from tests.stores.harness import BACKEND, BEN, NOON, Books, add, another_process, effect, end_of, line_of, tell

Connect = Callable[[str], Engine]


def test_an_empty_chain_is_whole(books: Books) -> None:
    checked = books.audit.verify()
    assert (checked.entries, checked.head, checked.problem) == (0, NOTHING, "")
    assert (books.audit.head(), books.audit.entries()) == (NOTHING, ())
    assert books.audit.verify(NOTHING).problem == ""
    assert books.audit.verify("ab" * 32).problem == "head abababababab is not in the chain: its tail was cut"


def test_a_link_is_hashed_over_its_text_and_the_hash_before(books: Books) -> None:
    at = NOON.astimezone(timezone(timedelta(hours=2)))
    first = add(books.engine, "asked", at=at, target="shop/prod/backend")
    body = '"target":"shop/prod/backend"'
    text = (
        '{"actor":"slack:U0ANA","at":"2026-11-20T12:00:00+00:00","body":{' + body + "},"
        '"event":"asked","operation":"op1","seq":1}'
    )
    assert first == audit.link("0" * 64, text)
    assert re.fullmatch("[0-9a-f]{64}", first)
    second = add(books.engine, "denied")
    assert second == audit.link(first, text.replace(body, "").replace("asked", "denied").replace('"seq":1', '"seq":2'))
    assert books.audit.verify().head == books.audit.head() == second


def test_text_is_hashed_as_it_is_read() -> None:
    """Whoever checks a link by hand sees the words that people wrote, not escapes."""
    assert '"said":"Ärger 🔥"' in audit.canonical(1, NOON, "asked", "op1", "ana", {"said": "Ärger 🔥"})


def test_entries_are_newest_first_and_few(chain: Books) -> None:
    assert isinstance(chain.audit, AuditReads)
    newest = chain.audit.entries(limit=2)
    assert [(one.seq, one.event, one.body) for one in newest] == [
        (10, "event 9", {"number": 9}),
        (9, "event 8", {"number": 8}),
    ]
    assert (newest[0].at, newest[0].actor, newest[0].hash) == (
        NOON + timedelta(minutes=9),
        "slack:U0ANA",
        chain.audit.head(),
    )
    chain.accept("another")
    assert [one.event for one in chain.audit.entries(operation="another")] == ["asked"]
    assert len(chain.audit.entries()) == 11


TARGET = {"target": "shop/prod/backend"}
WHOLE_STORY = [  # who asks, two who approve, one who cancels too late
    ("asked", "slack:U0ANA", TARGET | {"text": "rollback backend", "door": "test"}),
    (
        "waiting",
        "aisq",
        TARGET
        | {"detail": "good will serve", "digest": "digest of 0000op", "needs": 2, "permitted_by": "grant.rollback"},
    ),
    ("approved", "slack:U0BEN", TARGET | {"digest": "digest of 0000op"}),
    ("approved", "slack:U0CHO", TARGET | {"digest": "digest of 0000op"}),
    ("queued", "slack:U0CHO", TARGET | {"detail": "approved by ben"}),
    ("running", "aisq", TARGET | {"detail": "in progress"}),
    ("writing", "aisq", TARGET | {"key": "0000op/0/do", "version": "7", "verb": "Compute.set_traffic"}),
    ("cancel asked", "ben", TARGET),
    (
        "written",
        "aisq",
        TARGET
        | {
            "key": "0000op/0/do",
            "ending": "succeeded",
            "version": "8",
            "detail": "done",
            "cloud_operation": "operations/1",
        },
    ),
    ("applied", "aisq", TARGET | {"detail": "good serves"}),
    ("judged", "aisq", TARGET | {"finding": "holds", "sentence": "errors fell"}),
]


def test_every_transition_is_one_link_in_its_own_transaction(books: Books) -> None:
    id, ledger = books.accept("0000op"), books.ledger
    books.propose(id, approvals_needed=2)
    books.yes(id)
    books.yes(id, who=BEN.model_copy(update={"id": "slack:U0CHO"}))
    token = books.token(id)
    ledger.begin(id, token, "in progress")
    ledger.intend(id, token, effect(id), books.record(id).plan.steps[0])
    ledger.issued(id, token, f"{id}/0/do", "operations/1")
    ledger.cancel(id, "ben")
    end_of(books, id, token)
    ledger.finish(id, token, "applied", "good serves", judge=True)
    ledger.judged(id, "holds", "errors fell")
    told = [(one.event, one.actor, one.body) for one in reversed(books.audit.entries())]
    assert told == WHOLE_STORY
    assert books.audit.verify().entries == len(told)


@pytest.mark.parametrize("state", ["answered", "rejected"])
def test_looks_leave_no_link(books: Books, state: Any) -> None:
    books.at(state, verb="answer")
    assert books.events() == []


def test_a_refused_look_leaves_one(books: Books) -> None:
    books.accept(verb="answer", state="denied", detail="no role")
    assert books.events() == ["denied"]


def test_who_is_refused_leaves_none(books: Books) -> None:
    id = books.at("running")
    token = books.token(id)
    before = books.events()
    with pytest.raises(Fenced):
        books.ledger.finish(id, token - 1, "failed", "", judge=False)
    with pytest.raises(Denied):
        books.ledger.accept(
            books.record(id).request, heard_as="new", signature=f"signed {id}", state="accepted", detail=""
        )
    assert books.events() == before


def heads(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "bot.stores.audit"]


def test_heads_go_to_the_log_after_the_commit(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Session(books.engine) as session:
        with session.begin():
            first = audit.append(session, NOON, "a", "op1", "ana")
            second = audit.append(session, NOON, "b", "op1", "ana")
            assert heads(caplog) == []
        assert heads(caplog) == [f"audit head 1 {first}", f"audit head 2 {second}"]
        with session.begin():
            audit.append(session, NOON, "c", "op1", "ana")
    assert len(heads(caplog)) == 3


def test_a_transaction_that_is_rolled_back_leaves_no_link_and_logs_no_head(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    head = add(books.engine, "a")
    with pytest.raises(ZeroDivisionError), Session(books.engine) as session, session.begin():
        audit.append(session, NOON, "b", "op1", "ana")
        raise ZeroDivisionError
    assert heads(caplog) == [f"audit head 1 {head}"]
    assert (books.audit.head(), books.events()) == (head, ["a"])
    add(books.engine, "c")
    assert books.events() == ["a", "c"]


def test_a_commit_that_fails_logs_no_head(
    books: Books, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    caplog.set_level(logging.INFO)
    books.accept("a")
    caplog.clear()
    disk = books.engine.dialect.loaded_dbapi.OperationalError("database or disk is full")

    def full(*_: object) -> None:
        raise disk

    with monkeypatch.context() as patched:
        patched.setattr(books.engine.dialect, "do_commit", full)
        with pytest.raises(StoreError, match="is full"):
            books.ledger.end("a", "denied", "no", "ben")
    assert heads(caplog) == []
    assert books.events() == ["asked"]


@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    words=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    more=st.dictionaries(
        st.sampled_from(["ключ", "🔑", "", "a\nb"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
    ),
)
def test_any_text_comes_back_and_is_verified(books: Books, words: str, more: dict[str, Any]) -> None:
    safe = words.replace("\0", "") if books.engine.dialect.name == "postgresql" else words
    body = {"said": words, **more}
    try:
        add(books.engine, safe, body=body)
    except UnicodeEncodeError:  # half a character: no text can hold it, and the parser refuses it before
        return
    (entry,) = books.audit.entries(limit=1)
    assert (entry.event, entry.body) == (safe, {"body": body})
    assert books.audit.verify().problem == ""


def test_an_instant_without_a_zone_is_refused(books: Books) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        add(books.engine, "a", at=NOON.replace(tzinfo=None))
    assert books.events() == []


# --- several writers


def check_unforked(books: Books, count: int) -> None:
    checked = books.audit.verify()
    assert (checked.entries, checked.problem) == (count, "")
    assert [one.seq for one in books.audit.entries(limit=1000)] == list(range(count, 0, -1))


def test_threads_write_one_chain(books: Books) -> None:
    start = threading.Barrier(4)

    def write(name: str) -> None:
        start.wait()
        for number in range(6):
            books.accept(f"{name}{number}")

    threads = [threading.Thread(target=write, args=(name * 4,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_unforked(books, 24)


WRITER = """
import sys
from bot.stores import database
from tests.stores.harness import Books
books = Books(database.connect(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    books.accept(f"{sys.argv[2]}{number}")
print("done", flush=True)
"""


def test_processes_write_one_chain(books: Books, url: str) -> None:
    with another_process(WRITER, url, "aaaa") as one, another_process(WRITER, url, "bbbb") as two:
        for process in (one, two):
            assert line_of(process) == "ready"
        for process in (one, two):
            tell(process)
        for number in range(5):
            books.accept(f"cccc{number}")
            assert books.audit.verify().problem == ""  # also in the midst of it
        for process in (one, two):
            assert line_of(process) == "done"
    check_unforked(books, 35)


def test_targets_are_told_in_full(books: Books) -> None:
    books.accept("0000a", target=None)
    books.accept("0000b")
    assert [one.body["target"] for one in books.audit.entries()] == [BACKEND.full_name, ""]
