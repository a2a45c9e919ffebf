"""Whatever is done to the audit chain shows."""

import pytest
from sqlalchemy.orm import Session

from bot.core.errors import StoreError, UserError
from bot.stores import audit
from bot.stores.audit import NOTHING
from bot.stores.tables import AuditEndRow, AuditRow
from tests.stores.harness import NOON, Books, add

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
    "the noted head": (
        ["UPDATE audit_ends SET hash = (SELECT hash FROM audit WHERE seq = 5) WHERE name = 'head'"],
        "the chain ends at 10 (",
    ),
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
    assert checked.entries < 10 or what in ("the ends gone", "the noted head")


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


def test_a_long_chain_is_walked_in_slices(books: Books) -> None:
    with Session(books.engine) as session, session.begin():
        head = NOTHING
        for seq in range(1, 2502):
            text = audit.canonical(seq, NOON, "a", "op1", "ana", {})
            head = audit.link(head, text)
            session.add(AuditRow(seq=seq, at=NOON, event="a", operation="op1", actor="ana", body=text, hash=head))
        session.add_all([AuditEndRow(name="root", seq=0, hash=NOTHING), AuditEndRow(name="head", seq=2501, hash=head)])
    assert (books.audit.verify(head).entries, books.audit.verify().problem) == (2501, "")
    books.sql("UPDATE audit SET body = 'x' WHERE seq = 2400")
    assert books.audit.verify().problem.startswith("entry 2400 was changed")
