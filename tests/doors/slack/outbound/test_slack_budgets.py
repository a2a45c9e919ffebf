"""Budgets: never more in any minute than Slack takes, a part for each process, and something left for what matters."""

import random

import pytest

from bot.core.errors import StoreError
from bot.doors.slack.outbound.budgets import ASKED_EVERY_S, IN_A_CHANNEL, TIERS, Budgets, rate_of
from bot.sandbox.slack import limits, web_api
from bot.sandbox.slack.budgets import Budgets as SlacksOwn
from bot.sandbox.slack.budgets import RateLimited
from tests.doors.slack.harness import StillTime

METHODS = ["chat.update", "chat.postMessage", "files.completeUploadExternal", "conversations.replies", "auth.test"]


def spend_all(budgets: Budgets, method: str, channel: str = "", *, spare: bool = False) -> int:
    """As many calls as are allowed at once; how many that were."""
    made = 0
    while budgets.allows(method, channel, spare=spare):
        budgets.spend(method, channel)
        made += 1
    return made


@pytest.mark.parametrize("method", METHODS)
def test_a_burst_then_a_steady_rate_and_never_more_than_slack_takes_in_a_minute(
    method: str, budgets: Budgets, time: StillTime
) -> None:
    rate, made = rate_of(method), []
    for tick in range(600):  # five minutes of asking twice a second
        made += [tick / 2] * spend_all(budgets, method)
        time.advance(0.5)
    assert made.count(0.0) == int(rate.burst)
    most = max(sum(start <= at < start + 60 for at in made) for start in made)
    assert 0.8 * TIERS.get(method, 20) <= most <= TIERS.get(method, 20)


def test_the_tiers_are_those_of_the_fake() -> None:
    tiers = {name: web_api.METHODS[name].tier.value for name in TIERS if name != "chat.postMessage"}
    assert {name: TIERS[name] for name in tiers} == tiers
    assert TIERS["chat.postMessage"] == limits.POSTS_PER_MINUTE


@pytest.mark.parametrize("seed", range(5))
def test_slack_never_refuses_who_asks_first(seed: int, budgets: Budgets, time: StillTime) -> None:
    """Three channels, posts and edits, at random moments."""
    slack, chance, made = SlacksOwn(time), random.Random(seed), 0
    for _ in range(3000):
        time.advance(chance.expovariate(3))
        method, channel = chance.choice(["chat.update", "chat.postMessage"]), chance.choice("ABC")
        if budgets.allows(method, channel, spare=chance.random() < 0.5):
            budgets.spend(method, channel)
            slack.spend(method, web_api.METHODS[method].tier, channel)
            made += 1
    assert made > 500


def test_the_fake_does_refuse_who_does_not_ask(time: StillTime) -> None:
    slack = SlacksOwn(time)
    with pytest.raises(RateLimited):
        for _ in range(51):
            slack.spend("chat.update", limits.Tier.T3, "A")


def test_posts_have_a_budget_for_each_channel_too(budgets: Budgets, time: StillTime) -> None:
    assert spend_all(budgets, "chat.postMessage", "A") == IN_A_CHANNEL.burst
    assert spend_all(budgets, "chat.postMessage", "B") == IN_A_CHANNEL.burst
    assert budgets.wait_s("chat.postMessage", "A") == pytest.approx(60 / IN_A_CHANNEL.per_minute)
    time.advance(budgets.wait_s("chat.postMessage", "A"))
    assert spend_all(budgets, "chat.postMessage", "A") == 1


def test_what_can_wait_leaves_half_of_a_burst(budgets: Budgets) -> None:
    assert spend_all(budgets, "chat.update", spare=True) == 5
    assert spend_all(budgets, "chat.update") == 5


def test_what_can_wait_gets_its_turn_when_there_is_enough(budgets: Budgets, time: StillTime) -> None:
    spend_all(budgets, "chat.update")
    time.advance(budgets.wait_s("chat.update", spare=True) - 0.1)
    assert not budgets.allows("chat.update", spare=True)
    time.advance(0.1)
    assert budgets.allows("chat.update", spare=True)


def test_a_wait_that_slack_asked_for_is_kept_to_the_end(budgets: Budgets, time: StillTime) -> None:
    budgets.hold("chat.update", 30)
    budgets.hold("chat.update", 1)  # a later, shorter one does not shorten it
    time.advance(29.9)
    assert not budgets.allows("chat.update")
    assert budgets.wait_s("chat.update") == pytest.approx(0.1)
    assert budgets.allows("chat.postMessage", "A")
    time.advance(0.1)
    assert budgets.allows("chat.update")


class TestShare:
    def test_two_together_make_no_more_than_one(self, time: StillTime) -> None:
        both = [Budgets(time.monotonic, lambda: 0.5) for _ in range(2)]
        made = []
        for tick in range(300):
            for one in both:
                one.look()
                made += [tick / 2] * spend_all(one, "chat.update")
            time.advance(0.5)
        assert max(sum(start <= at < start + 60 for at in made) for start in made) <= 50
        assert len(made) > 80

    def test_nobody_is_left_without_a_call(self, time: StillTime) -> None:
        one = Budgets(time.monotonic, lambda: 0.01)
        one.look()
        assert spend_all(one, "chat.update", spare=True) == 1

    def test_it_is_asked_for_now_and_then(self, time: StillTime) -> None:
        shares = [1.0, 0.5, 0.25]
        one = Budgets(time.monotonic, lambda: shares.pop(0))
        for _ in range(3):
            one.look()
        assert shares == [0.5, 0.25]
        time.advance(ASKED_EVERY_S)
        one.look()
        assert (shares, spend_all(one, "chat.update")) == ([0.25], 5)

    def test_when_nobody_knows_it_stays(self, time: StillTime, caplog: pytest.LogCaptureFixture) -> None:
        answers = iter([0.5])

        def ask() -> float:
            for share in answers:
                return share
            raise StoreError("away")

        one = Budgets(time.monotonic, ask)
        one.look()
        time.advance(ASKED_EVERY_S)
        one.look()
        assert spend_all(one, "chat.update") == 5
        assert "nobody knows how many share Slack's budgets" in caplog.text

    def test_what_was_spent_long_ago_is_forgotten(self, budgets: Budgets, time: StillTime) -> None:
        spend_all(budgets, "chat.postMessage", "A")
        budgets.look()
        assert len(budgets._levels) == 2
        time.advance(600)
        budgets.look()
        assert budgets._levels == {}
