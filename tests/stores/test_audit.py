"""The audit chain: it grows with what happened and with nothing else, and whatever is done to it shows."""

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from bot.core.errors import Denied, Fenced, StoreError, UserError
from bot.core.system import AuditReads
from bot.stores import audit
from bot.stores.audit import NOTHING, SqlAudit
from bot.stores.tables import AuditEndRow, AuditRow
from tests.stores.harness import BACKEND, BEN, NOON, Books, another_process, effect, end_of, line_of, tell

Connect = Callable[[str], Engine]


def add(engine: Engine, *events: str, at: datetime = NOON, **body: Any) -> str:
    """Links of one transaction; the head."""
    with Session(engine) as session, session.begin():
        for event in events:
            head = audit.append(session, at, event, "op1", "slack:U0ANA", body)
    return head


@pytest.fixture
def chain(books: Books) -> Books:
    """With ten links."""
    for number in range(10):
        add(books.engine, f"event {number}", at=NOON + timedelta(minutes=number), number=number)
    return books


# --- growing


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
    target = {"target": "shop/prod/backend"}
    assert told == [
        ("asked", "slack:U0ANA", target | {"text": "rollback backend", "door": "test"}),
        (
            "waiting",
            "aisq",
            target
            | {"detail": "good will serve", "digest": "digest of 0000op", "needs": 2, "permitted_by": "grant.rollback"},
        ),
        ("approved", "slack:U0BEN", target | {"digest": "digest of 0000op"}),
        ("approved", "slack:U0CHO", target | {"digest": "digest of 0000op"}),
        ("queued", "slack:U0CHO", target | {"detail": "approved by ben"}),
        ("running", "aisq", target | {"detail": "in progress"}),
        ("writing", "aisq", target | {"key": "0000op/0/do", "version": "7", "verb": "Compute.set_traffic"}),
        ("cancel asked", "ben", target),
        (
            "written",
            "aisq",
            target
            | {
                "key": "0000op/0/do",
                "ending": "succeeded",
                "version": "8",
                "detail": "done",
                "cloud_operation": "operations/1",
            },
        ),
        ("applied", "aisq", target | {"detail": "good serves"}),
        ("judged", "aisq", target | {"finding": "holds", "sentence": "errors fell"}),
    ]
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


@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


# --- what somebody does to it

TAMPERED: dict[str, tuple[list[str], str]] = {
    "the body": (
        ["UPDATE audit SET body = replace(body, 'slack:U0ANA', 'slack:U0BEN') WHERE seq = 5"],
        "entry 5 was changed, or what stood before it was",
    ),
    "a space in the body": (
        ["UPDATE audit SET body = body || ' ' WHERE seq = 10"],
        "entry 10 was changed, or what stood before it was",
    ),
    "a body that is nothing any more": (
        ["UPDATE audit SET body = '' WHERE seq = 1"],
        "entry 1 was changed, or what stood before it was",
    ),
    "a hash": (
        ["UPDATE audit SET hash = 'ab' || hash WHERE seq = 5"],
        "entry 5 was changed, or what stood before it was",
    ),
    "the last hash": (
        ["UPDATE audit SET hash = 'ab' WHERE seq = 10", "UPDATE audit_ends SET hash = 'ab' WHERE name = 'head'"],
        "entry 10 was changed, or what stood before it was",
    ),
    "the column event": (
        ["UPDATE audit SET event = 'applied' WHERE seq = 5"],
        "entry 5 says one thing in its body and another in its columns",
    ),
    "the column operation": (
        ["UPDATE audit SET operation = 'op2' WHERE seq = 5"],
        "entry 5 says one thing in its body and another in its columns",
    ),
    "the column actor": (
        ["UPDATE audit SET actor = 'slack:U0BEN' WHERE seq = 5"],
        "entry 5 says one thing in its body and another in its columns",
    ),
    "the column at": (
        ["UPDATE audit SET at = (SELECT at FROM audit WHERE seq = 1) WHERE seq = 5"],
        "entry 5 says one thing in its body and another in its columns",
    ),
    "the number": (["UPDATE audit SET seq = 99 WHERE seq = 10"], "entry 10 is missing; the next one is 99"),
    "one gone": (["DELETE FROM audit WHERE seq = 5"], "entry 5 is missing; the next one is 6"),
    "one gone, the rest numbered anew": (
        ["DELETE FROM audit WHERE seq = 5", *(f"UPDATE audit SET seq = {n - 1} WHERE seq = {n}" for n in range(6, 11))],
        "entry 5 was changed, or what stood before it was",
    ),
    "the first gone": (["DELETE FROM audit WHERE seq = 1"], "entry 1 is missing; the next one is 2"),
    "two in another order": (
        [
            "UPDATE audit SET seq = 77 WHERE seq = 5",
            "UPDATE audit SET seq = 5 WHERE seq = 6",
            "UPDATE audit SET seq = 6 WHERE seq = 77",
        ],
        "entry 5 was changed, or what stood before it was",
    ),
    "the tail cut": (
        ["DELETE FROM audit WHERE seq > 7"],
        "the chain ends at 7 (",
    ),
    "all gone but the ends": (["DELETE FROM audit"], "the chain ends at 0 (000000000000), but its head was 10 ("),
    "the ends gone": (["DELETE FROM audit_ends"], "but its head was 0 (000000000000)"),
    "the beginning gone, and the root moved": (
        [
            "UPDATE audit_ends SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4) WHERE name = 'root'",
            "DELETE FROM audit WHERE seq <= 4",
        ],
        "the entries up to 4 are gone, and none of the rest says that they were let go",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_done_to_it_shows(chain: Books, what: str) -> None:
    statements, problem = TAMPERED[what]
    assert chain.audit.verify().problem == ""
    for statement in statements:
        chain.sql(statement)
    checked = chain.audit.verify()
    assert problem in checked.problem
    assert checked.entries < 10 or "ends gone" in what


def test_how_far_it_is_whole_is_said(chain: Books) -> None:
    fourth = chain.audit.entries(limit=7)[-1].hash
    chain.sql("UPDATE audit SET body = 'x' WHERE seq = 5")
    checked = chain.audit.verify()
    assert (checked.entries, checked.head) == (4, fourth)


def cut_after(books: Books, seq: int) -> None:
    """As somebody would who knows where the head is kept."""
    books.sql("DELETE FROM audit WHERE seq > :seq", seq=seq)
    books.sql("UPDATE audit_ends SET seq = :seq, hash = (SELECT hash FROM audit WHERE seq = :seq) WHERE name = 'head'", seq=seq)  # fmt: skip  # noqa: E501


def test_a_cut_tail_shows_against_a_head_that_was_noted(chain: Books) -> None:
    noted = chain.audit.head()
    cut_after(chain, 7)
    assert chain.audit.verify().problem == ""  # nothing that is left tells of what was behind it
    assert chain.audit.verify(noted).problem == f"head {noted[:12]} is not in the chain: its tail was cut"
    add(chain.engine, "and went on")
    assert "its tail was cut" in chain.audit.verify(noted).problem


def test_all_wiped_shows_against_a_head_that_was_noted(chain: Books) -> None:
    noted = chain.audit.head()
    chain.sql("DELETE FROM audit")
    chain.sql("DELETE FROM audit_ends")
    assert chain.audit.verify().entries == 0
    assert "its tail was cut" in chain.audit.verify(noted).problem


def test_a_chain_that_went_on_keeps_its_earlier_heads(chain: Books) -> None:
    for entry in chain.audit.entries(limit=100):
        for head in (entry.hash, entry.hash[:12], f"  {entry.hash.upper()}\n"):
            assert chain.audit.verify(head).problem == ""


@pytest.mark.parametrize("head", ["a", "abcdefabcde", "7", "g" * 12, "ab" * 33, "10 abcdefabcdef", "…"])
def test_what_is_no_head_is_refused(chain: Books, head: str) -> None:
    with pytest.raises(UserError, match="A head is the 12 to 64 hexadecimal digits that the log shows"):
        chain.audit.verify(head)


def test_without_its_head_the_chain_cannot_be_forked(chain: Books, waits: list[float]) -> None:
    chain.sql("DELETE FROM audit_ends")
    with pytest.raises(StoreError):
        chain.accept("a")
    assert len(chain.audit.entries(limit=100)) == 10


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


# --- letting go


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def test_what_is_old_is_let_go_and_the_rest_hangs_on_it(chain: Books) -> None:
    fourth = chain.audit.entries(limit=7)[-1].hash
    assert chain.audit.purge(minute(4), minute(60)) == 4
    newest = chain.audit.entries(limit=1)[0]
    assert (newest.event, newest.body) == ("audit purged", {"up to": 4, "hash": fourth})
    assert (newest.actor, newest.operation, newest.at) == ("aisq", "", minute(60))
    checked = chain.audit.verify()
    assert (checked.entries, checked.problem) == (7, "")
    assert [one.seq for one in chain.audit.entries(limit=100)] == list(range(11, 4, -1))
    assert chain.audit.verify(fourth).problem == ""  # the rest hangs on it


def test_again_and_again(chain: Books) -> None:
    gone = [chain.audit.purge(minute(number), minute(100 + number)) for number in (0, 2, 2, 5, 200, 200.5, 201)]
    assert gone == [0, 2, 0, 3, 7, 0, 0]
    assert chain.events() == ["audit purged"]
    for _ in range(3):
        add(chain.engine, "more", at=minute(999))
    assert chain.audit.purge(minute(1000), minute(1001)) == 4
    assert chain.events() == ["audit purged"]


def test_nothing_to_let_go_of(books: Books) -> None:
    assert books.audit.purge(minute(1), minute(2)) == 0
    add(books.engine, "a", at=minute(5))
    assert books.audit.purge(minute(5), minute(6)) == 0
    assert books.events() == ["a"]


def test_a_wrong_clock_lets_go_of_nothing_too_early(books: Books) -> None:
    for at in (0, 1, 500, 2, -1e6, 501):  # the third far ahead, the fifth far behind
        add(books.engine, f"at {at}", at=minute(at))
    assert books.audit.purge(minute(3), minute(600)) == 2
    assert books.events() == ["at 500", "at 2", "at -1000000.0", "at 501", "audit purged"]


def test_what_came_before_a_purge_is_not_called_cut(chain: Books) -> None:
    second = chain.audit.entries(limit=9)[-1].hash
    chain.audit.purge(minute(4), minute(60))
    assert chain.audit.verify(second).problem == (
        f"head {second[:12]} is not in the chain: its tail was cut, "
        "unless it is older than entry 4, up to which entries were let go"
    )


@pytest.mark.parametrize("value", ["seq = 5", "hash = (SELECT hash FROM audit WHERE seq = 5)"])
def test_a_root_that_was_moved_shows(chain: Books, value: str) -> None:
    chain.audit.purge(minute(4), minute(60))
    chain.sql(f"UPDATE audit_ends SET {value} WHERE name = 'root'")
    assert chain.audit.verify().problem


def test_two_purges_at_once_let_go_once(books: Books, url: str, connect: Connect) -> None:
    for number in range(50):
        add(books.engine, "a", at=minute(number))
    start, gone = threading.Barrier(2), list[int]()

    def purge(before: float) -> None:
        start.wait()
        gone.append(SqlAudit(connect(url)).purge(minute(before), minute(99)))

    threads = [threading.Thread(target=purge, args=(before,)) for before in (20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(gone) == 40 and min(gone) >= 0
    assert books.audit.verify().problem == ""


def test_a_long_chain_is_walked_in_slices(books: Books) -> None:
    with Session(books.engine) as session, session.begin():
        head = NOTHING
        for seq in range(1, 2502):
            text = audit.canonical(seq, NOON, "a", "op1", "ana", {})
            head = audit.link(head, text)
            session.add(
                AuditRow(
                    seq=seq, at=NOON.astimezone(UTC), event="a", operation="op1", actor="ana", body=text, hash=head
                )
            )
        session.add_all([AuditEndRow(name="root", seq=0, hash=NOTHING), AuditEndRow(name="head", seq=2501, hash=head)])
    assert (books.audit.verify(head).entries, books.audit.verify().problem) == (2501, "")
    books.sql("UPDATE audit SET body = 'x' WHERE seq = 2400")
    assert books.audit.verify().problem.startswith("entry 2400 was changed")


def test_targets_are_told_in_full(books: Books) -> None:
    books.accept("0000a", target=None)
    books.accept("0000b")
    assert [one.body["target"] for one in books.audit.entries()] == [BACKEND.full_name, ""]
