"""The time that people see, and the delays that are waited out in it."""

import time
from datetime import UTC, datetime
from itertools import islice

import pytest

from bot.core.errors import Transient, Uncertain
from bot.engine.clock import SystemClock
from bot.engine.retry import delays, patiently


def test_real_time_is_the_default():
    assert abs((SystemClock().now() - datetime.now(UTC)).total_seconds()) < 5


def test_a_rate_stretches_what_passed_since_the_origin():
    clock = SystemClock(time.time() - 100, 60)
    assert 5990 < (clock.now() - datetime.fromtimestamp(time.time() - 100, UTC)).total_seconds() < 6100
    before = clock.monotonic()
    clock.sleep(1.2)
    clock.sleep(-1)
    assert clock.monotonic() - before >= 1.2


@pytest.mark.parametrize("rate, asked, slept", [(1, 60, 1), (60, 90, 60), (60, 30, 30), (60, -1, -1)])
def test_a_nap_is_a_second_of_real_time_at_most(monkeypatch, rate, asked, slept):
    naps = []
    clock = SystemClock(time.time(), rate)
    monkeypatch.setattr(clock, "sleep", naps.append)
    clock.nap(asked)
    assert naps == [slept]


def test_delays_grow_to_a_limit():
    assert list(islice(delays(0.5, factor=2, most_s=3), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_patience_ends(bot):
    tries = []

    def read():
        tries.append(1)
        raise Uncertain("no answer")

    with pytest.raises(Uncertain):
        patiently(read, bot.clock, for_s=3)
    assert len(tries) == 5  # after 0, 0.2, 0.6, 1.4 and 3.0 seconds


def test_a_wait_that_is_longer_than_patience_is_not_begun(bot):
    def read():
        raise Transient("quota", retry_after_s=60)

    with pytest.raises(Transient):
        patiently(read, bot.clock, for_s=3)
    assert bot.clock.slept_s == 0
