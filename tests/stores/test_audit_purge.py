"""What is old is let go of; the rest of the audit chain stays verifiable."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot.stores.audit import SqlAudit
from tests.stores.harness import NOON, Books, add

Connect = Callable[[str], Engine]


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
