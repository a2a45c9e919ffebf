"""Pauses: what may be tried when."""

import pytest

from bot.doors.slack.outbound.pauses import FIRST_S, FORGOTTEN_S, MOST_S, Pauses
from tests.doors.slack.harness import StillTime


@pytest.fixture
def pauses(time: StillTime) -> Pauses:
    return Pauses(time.monotonic)


def test_what_has_no_pause_may_be_tried(pauses: Pauses) -> None:
    assert pauses.over("anything")


def test_a_wait_that_was_asked_for_is_kept_to_the_end(pauses: Pauses, time: StillTime) -> None:
    pauses.hold("chat.update", 30)
    pauses.hold("chat.update", 1)  # a later, shorter one does not shorten it
    time.advance(29.9)
    assert not pauses.over("chat.update")
    assert pauses.over("chat.postMessage")
    time.advance(0.1)
    assert pauses.over("chat.update")


def test_delays_double_up_to_a_limit_and_start_again_after_a_success(pauses: Pauses, time: StillTime) -> None:
    seen = []
    for _ in range(7):
        pauses.grow("slack")
        waited = 0.0
        while not pauses.over("slack"):
            time.advance(0.5)
            waited += 0.5
        seen.append(waited)
    assert seen == [FIRST_S, 2, 4, 8, 16, MOST_S, MOST_S]
    pauses.calm("slack")
    pauses.grow("slack")
    time.advance(FIRST_S)
    assert pauses.over("slack")


def test_calm_ends_a_pause_at_once(pauses: Pauses) -> None:
    pauses.grow("slack")
    pauses.calm("slack")
    assert pauses.over("slack")
    pauses.calm("never paused")


def test_waited_counts_from_the_first_question(pauses: Pauses, time: StillTime) -> None:
    assert not pauses.waited("7k3q", 2)
    time.advance(1.9)
    assert not pauses.waited("7k3q", 2)
    time.advance(0.1)
    assert pauses.waited("7k3q", 2)


def test_first_is_true_once(pauses: Pauses) -> None:
    assert [pauses.first("explain"), pauses.first("explain"), pauses.first("other")] == [True, False, True]


def test_what_was_long_ago_is_forgotten_and_nothing_else(pauses: Pauses, time: StillTime) -> None:
    pauses.grow("old")
    pauses.first("old")
    time.advance(FORGOTTEN_S + FIRST_S)
    pauses.hold("new", 60)
    pauses.tidy()
    assert (pauses._until.keys(), pauses._since.keys(), pauses._delay.keys()) == ({"new"}, set(), set())
