"""A rollback while the platform works on a call of a deploy: the good release serves within seconds all the same."""

import pytest

from tests.engine.conftest import ANA, BEN, GOOD, NOON
from tests.engine.toys.rescue import advance
from tests.whole.test_whole_deploy import release

SHIFTS = [2, 4, 6, 8, 10]  # positions of a canary's writes of traffic
LONG = 10_000  # looks


@pytest.fixture
def bot(bot):
    """GOOD serves all, and is followed; each stage of a deploy is advanced. `bot.during(POSITION, LOOKS, ACT)` acts
    when a write has committed, on which the platform then works for so long."""
    bot.platform.only_good()
    bot.platform.serve(GOOD, minutes=90, until=NOON, error_rate=0.001)
    bot.deploy, nap = bot.approved("deploy backend v43"), bot.clock.nap
    bot.asked_at = None

    def during(position, looks, act):
        def written():
            there = bot.platform.writes[-1] == f"{bot.deploy}/{position}/do"
            bot.platform.polls_needed = looks if there else 1
            if there:
                bot.asked_at = bot.clock.monotonic()
                act()

        bot.platform.after.append(written)

    def napping(seconds):
        nap(seconds)
        advance(bot)

    bot.during, bot.clock.nap = during, napping
    return bot


def telling(bot):
    """The platform takes another write over what it still works on, and so tells its version."""
    poll = bot.platform.poll

    def told(target, name):
        now, made = poll(target, name), bot.platform._operations[name]
        return now.model_copy(update={"version": str(made["version"])}) if now.state == "running" else now

    bot.platform.poll = told


@pytest.mark.parametrize("write", SHIFTS)
def test_a_shift_is_put_back_at_once_by_one_write(bot, write):
    telling(bot)
    rescues = []
    bot.during(write, LONG, lambda: rescues.append(bot.approved("rollback backend")))
    stopped = bot.work(bot.deploy)
    assert (stopped.state, bot.platform.asked, bot.platform.serving) == ("cancelled", {GOOD: 100}, {GOOD: 100})
    assert bot.clock.monotonic() - bot.asked_at < 3
    assert bot.platform.writes[-2:] == [f"{bot.deploy}/{write}/do", f"{bot.deploy}/{write}/undo"]
    assert bot.work(rescues[0]).state == "applied"
    assert bot.platform.serving == {GOOD: 100}
    assert [one.operation for one in bot.locks.locks()] == rescues


@pytest.mark.parametrize("write", SHIFTS)
def test_where_no_write_may_be_made_over_it_it_is_seen_to_its_end(bot, write):
    rescues = []
    bot.during(write, 5, lambda: rescues.append(bot.approved("rollback backend")))
    assert bot.work(bot.deploy).state == "cancelled"
    assert {one.ending for one in bot.ledger.effects(bot.deploy)} == {"succeeded"}
    assert (bot.work(rescues[0]).state, bot.platform.serving) == ("applied", {GOOD: 100})


def test_a_release_in_the_making_is_not_waited_for(bot):
    """It gets no traffic, and may stay. Traffic is by name since, which the next deploy takes over."""
    telling(bot)
    bot.during(0, LONG, lambda: bot.say(BEN, f"ops cancel {bot.deploy}"))
    stopped = bot.work(bot.deploy)
    made = f"make release {release(bot.deploy)}"
    assert stopped.state == "cancelled"
    assert stopped.detail == f"cancelled by ben while the cloud worked on {made}; left, as it does no harm: {made}"
    assert (bot.platform.asked, bot.clock.monotonic() - bot.asked_at < 3) == ({GOOD: 100}, True)
    assert bot.say(ANA, "deploy backend v43").state == "waiting"
