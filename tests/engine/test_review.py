"""Just before an approved plan is applied: what may have got worse meanwhile, and what may not."""

import pytest

from bot.core.errors import Transient
from bot.core.ports import LATEST

ANA, BEN = "slack:U0ANA", "slack:U0BEN"
GOOD, BAD = "backend-00041-kex", "backend-00042-bad"
AWAY = [Transient("it is away")] * 20


@pytest.mark.parametrize("away", [("requests",), ("image",), ("secret_state",), ("requests", "image", "secret_state")])
def test_what_cannot_be_read_any_more_stands_as_it_was_approved(bot, away):
    operation = bot.approved()
    assert bot.ledger.operation(operation).plan.verdict.level == "GO"
    for look in away:
        bot.platform.fail(look, *AWAY)
    done = bot.work(operation)
    assert (done.state, bot.platform.asked) == ("applied", {GOOD: 100})


def a_secret_is_disabled(bot):
    bot.platform.secrets["db"] = "disabled"


def a_secret_is_gone(bot):
    bot.platform.secrets["db"] = "gone"


def the_image_is_gone(bot):
    bot.platform.missing_images.update(one.image for one in bot.platform.releases_)


def it_may_run_fewer_instances(bot):
    bad, good, *older = bot.platform.releases_
    bot.platform.releases_ = [bad, good.model_copy(update={"max_instances": 1}), *older]


@pytest.mark.parametrize(
    "change, level",
    [
        (a_secret_is_disabled, "NO GO"),
        (a_secret_is_gone, "NO GO"),
        (the_image_is_gone, "NO GO"),
        (it_may_run_fewer_instances, "GO WITH RISK"),
    ],
)
def test_what_is_known_to_be_worse_was_not_approved(bot, change, level):
    operation = bot.approved()
    change(bot)
    bot.platform.fail("requests", *AWAY)
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert f"the verdict is now {level}" in done.detail


def test_a_verdict_that_got_better_is_approved(bot):
    bot.platform.fail("image", Transient("the registry is away"))
    operation = bot.approved()
    assert bot.ledger.operation(operation).plan.verdict.level == "GO WITH RISK"
    assert bot.work(operation).state == "applied"


def test_a_release_that_monitoring_found_is_still_the_one_when_monitoring_finds_another(bot):
    operation = bot.approved()
    bot.platform.serve("backend-00040-fom", minutes=60, until=bot.clock.now())
    assert bot.work(operation).state == "applied"
    assert bot.platform.asked == {GOOD: 100}


def test_a_release_that_monitoring_found_and_that_is_gone_by_now(bot):
    operation = bot.approved()
    bot.platform.releases_ = [one for one in bot.platform.releases_ if one.name != GOOD]
    done = bot.work(operation)
    assert (done.state, bot.platform.writes) == ("failed", [])
    assert f"has no release `{GOOD}`" in done.detail


def test_a_lock_may_be_given_other_words_since(bot):
    """When it was approved a newer release was still being started; it never was ready."""
    bot.platform.asked, bot.platform.busy = {LATEST: 100}, True
    newest = bot.platform.releases_[0].model_copy(update={"name": "backend-00043-new", "ready": False})
    bot.platform.releases_.insert(0, newest)
    operation = bot.approved()
    bot.platform.busy = False
    assert bot.work(operation).state == "applied"
    assert [one.reason for one in bot.locks.locks()] == ["rolled back from backend-00043-new"]


def test_a_plan_that_policy_denies_keeps_its_findings(bot):
    the_image_is_gone(bot)
    denied = bot.say(ANA, "rollback backend")
    assert (denied.state, denied.plan.verdict.level, denied.digest) == ("denied", "NO GO", "")


def test_a_pin_that_somebody_overrode_outside_aisq_can_be_forgotten(bot):
    rollback = bot.approved()
    target = bot.work(rollback).plan.target
    bot.platform.somebody_sets({LATEST: 100})
    record = bot.say(ANA, "unpin backend")
    assert f"forget that ana pinned it to {GOOD} 100 %" in record.detail
    if record.state == "waiting":
        bot.say(BEN, f"approve {record.id}")
    bot.platform.serving = {BAD: 100}
    done = bot.work(record.id)
    assert (done.state, bot.pins.pin(target)) == ("applied", None)
    assert bot.platform.writes == [f"{rollback}/0/do"]
    assert bot.say(ANA, "unpin backend").state == "nothing_to_do"


def test_what_undid_a_rollback_is_undone_with_its_pin(bot):
    bot.platform.asked = {LATEST: 100}
    rollback = bot.approved()
    target = bot.work(rollback).plan.target
    back = bot.approved(f"ops undo {rollback}")
    assert (bot.work(back).state, bot.pins.pin(target)) == ("applied", None)
    again = bot.approved(f"ops undo {back}")
    assert bot.work(again).state == "applied"
    assert (bot.pins.pin(target).traffic, bot.pins.pin(target).away_from) == ({GOOD: 100}, (BAD,))
