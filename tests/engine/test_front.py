"""The bridge between doors and the engine."""

import asyncio
import threading
import time

import pytest

from bot.core.errors import StoreError, UserError
from bot.core.request import Address, Ask
from bot.engine import front
from tests.both import postgres_always

pytestmark = postgres_always

ANA = "slack:U0ANA"


def ask(text, heard_as="1"):
    return Ask(actor=ANA, text=text, address=Address(door="test"), heard_as=heard_as, channel="C0AISQ")


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_submitting_plans_in_the_background_and_tells(bot):
    moved = threading.Event()
    bot.front.on_change(moved.set)
    accepted = bot.front.submit(ask("rollback backend"))
    assert moved.wait(10)
    assert bot.front.record(accepted.id).state == "waiting"
    assert bot.front.submit(ask("rollback backend")).new is False


def test_looks_have_their_own_pool(bot):
    accepted = bot.front.submit(ask("whoami"))
    until(lambda: bot.front.record(accepted.id).state == "answered")


def test_one_operation_is_planned_once_at_a_time(bot, monkeypatch):
    gate, planned = threading.Event(), []

    def slow(operation):
        planned.append(operation)
        gate.wait(10)

    accepted = bot.front._acceptor.accept(ask("rollback backend"))
    monkeypatch.setattr(bot.engine, "proceed", slow)
    bot.front.proceed(accepted.id)
    bot.front.proceed(accepted.id)
    gate.set()
    until(lambda: not bot.front._busy)
    assert planned == [accepted.id]


def test_who_has_enough_to_do_takes_nothing_more_from_the_sweep(bot):
    accepted = bot.front._acceptor.accept(ask("rollback backend"))
    bot.front._busy.update(map(str, range(front.ENOUGH)))
    bot.front.proceed(accepted.id)
    assert accepted.id not in bot.front._busy
    bot.front._busy.pop()
    bot.front.proceed(accepted.id)
    until(lambda: bot.front.record(accepted.id).state == "waiting")


@pytest.mark.parametrize(
    "error, says", [(StoreError("away"), "was not planned yet: away"), (KeyError("x"), "with a bug")]
)
def test_what_fails_in_the_background_is_logged(bot, monkeypatch, caplog, error, says):
    def failing(_):
        raise error

    monkeypatch.setattr(bot.engine, "proceed", failing)
    bot.front.submit(ask("rollback backend"))
    until(lambda: says in caplog.text)


async def test_async_doors_wait_in_pools(bot):
    assert await bot.front.quickly(lambda a, b=0: a + b, 1, b=2) == 3


async def test_a_look_waits_for_no_plan(bot):
    gate = threading.Event()
    for _ in range(8):
        bot.front._plans.submit(gate.wait, 10)
    assert await bot.front.look(lambda a, b=0: a + b, 1, b=2) == 3
    gate.set()


def test_no_thread_waits_for_another_ones_connection(bot):
    pool = bot._engine.pool
    threads = sum(one._max_workers for one in (bot.front._quick, bot.front._plans, bot.front._looks))
    assert threads < pool.size() + pool._max_overflow


async def test_a_crowd_is_written_down_whole(bot):
    """One of each, a duplicate and a refusal among them; the chain is whole."""
    texts = ["rollback backend", "whoami", "status backend", "no such thing"] * 10
    asks = [ask(text, str(number)) for number, text in enumerate(texts)] + [ask("whoami", "1")] * 5
    told = await asyncio.gather(*(bot.front.quickly(bot.front.submit, one) for one in asks), return_exceptions=True)
    wrong = [one for one in told if isinstance(one, Exception)]
    assert len(wrong) == 10 and all(isinstance(one, UserError) for one in wrong)
    accepted = [one for one in told if not isinstance(one, Exception)]
    assert len({one.id for one in accepted}) == sum(one.new for one in accepted) == 30
    until(lambda: not bot.front._busy)
    assert bot.audit.verify().problem == ""


def failing_once(bot, monkeypatch, method, error):
    """The next call of a ledger's method fails."""
    real, errors = getattr(bot.ledger, method), [error]

    def call(*args, **kwargs):
        if errors:
            raise errors.pop()
        return real(*args, **kwargs)

    monkeypatch.setattr(bot.ledger, method, call)


def test_what_is_written_down_is_not_said_to_be_lost(bot, monkeypatch, caplog):
    """The database goes away between the commit and the plan: the door says nothing, and the sweep plans it."""
    failing_once(bot, monkeypatch, "propose", StoreError("away"))
    accepted = bot.front.submit(ask("rollback backend"))
    until(lambda: "was not planned yet: away" in caplog.text)
    bot.clock.advance(10)
    assert bot.ledger.accepted(older_than_s=2.0) == (accepted.id,)
    bot.front.proceed(accepted.id)
    until(lambda: bot.front.record(accepted.id).state == "waiting")


def test_wrong_input_is_raised_to_the_door(bot):
    with pytest.raises(UserError):
        bot.front.submit(ask("rolback backend"))
    assert "rollback" in bot.front.commands()


def test_planning_that_was_cancelled_at_the_end_is_not_an_error(bot, caplog):
    gate = threading.Event()
    for _ in range(8):
        bot.front._plans.submit(gate.wait, 10)
    accepted = bot.front._acceptor.accept(ask("rollback backend"))
    bot.front.proceed(accepted.id)
    bot.front.stop()
    gate.set()
    assert "bug" not in caplog.text
