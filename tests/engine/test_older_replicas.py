"""While a process of an older version takes work, nothing begins that it could not carry on if it took it over."""

import pytest
from sqlalchemy import text

from bot.engine.registry import Registry
from tests.engine.conftest import ANA, BEN
from tests.engine.toys.rescue import Rescue
from tests.engine.toys.stepwise import Stepwise

NEW, OLD, OLDER = "backend-00041-kex", "backend-00042-bad", "backend-00040-fom"
SAID = (
    "An older version of aisq still works on old-host, and could not carry this on if it took it over. Ask again when"
    " it has ended; a `rollback` need not wait."
)


@pytest.fixture
def bot(bot):
    bot.registry = Registry({**bot.registry.operations, "stepwise": Stepwise, "rescue": Rescue})
    return bot


def old_one_lives(bot):
    """Its lease says nothing of its program, as before there were any stages."""
    bot.leases.acquire("old", "old-host")
    with bot._engine.begin() as connection:
        connection.execute(text("UPDATE leases SET program = NULL"))


@pytest.mark.parametrize("words", ["stepwise backend", "deploy backend v43 --strategy all-at-once --fix"])
def test_what_takes_its_time_is_not_planned(bot, words):
    old_one_lives(bot)
    bot.platform.asked, bot.platform.latest_ready = {"LATEST": 100}, OLD
    bot.platform.digests["gcr.io/ai-square-prod/backend:v43"] = "sha256:" + "4" * 64
    record = bot.say(ANA, words)
    assert (record.state, record.detail) == ("rejected", SAID)
    assert bot.say(ANA, f"{words} --dry-run").state == "planned"


def test_what_was_planned_before_it_came_is_not_approved(bot):
    waits = bot.say(ANA, "stepwise backend")
    old_one_lives(bot)
    refused = bot.say(BEN, f"approve {waits.id}")
    assert (refused.state, refused.detail) == ("rejected", SAID)
    bot.leases.release("old")
    bot.say(BEN, f"approve {waits.id}")
    assert bot.ledger.operation(waits.id).state == "queued", "it has ended"


def test_what_was_approved_before_it_came_does_not_begin(bot):
    operation = bot.approved("stepwise backend")
    old_one_lives(bot)
    done = bot.work(operation)
    assert (done.state, done.detail) == ("failed", f"nothing done: {SAID}")
    assert bot.platform.writes == []


def test_what_has_begun_goes_on(bot):
    """A process of this version carries it on: who has it does not leave it for the sake of who might take it."""
    operation, nap = bot.approved("stepwise backend"), bot.clock.nap

    def napping(seconds):
        nap(seconds)
        if not bot.leases.older():
            old_one_lives(bot)
        bot.say(ANA, f"ops advance {operation} --stage {max(1, len(bot.ledger.stages(operation)))}")

    bot.clock.nap = napping
    assert (bot.work(operation).state, bot.platform.serving) == ("applied", {NEW: 100})


@pytest.mark.parametrize("words", [f"rescue backend --to {OLDER}", f"rollback backend --to {OLDER}"])
def test_a_rescue_does_not_wait_for_it(bot, words):
    old_one_lives(bot)
    done = bot.work(bot.approved(words))
    assert (done.state, bot.platform.serving) == ("applied", {OLDER: 100})


def test_nor_does_what_takes_no_time(bot):
    old_one_lives(bot)
    assert bot.work(bot.approved(f"traffic backend {NEW}=50 --rest")).state == "applied"


def test_this_versions_own_processes_are_in_nobodys_way(bot):
    bot.leases.acquire("mine", "here")
    assert bot.say(ANA, "stepwise backend").state == "waiting"
