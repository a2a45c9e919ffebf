"""Ten rollbacks at once, Slack down for five minutes, two replicas: one copy each, in time, and never a 429."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import Calls
from bot.doors.slack.outbound.gateway import Gateway
from bot.doors.slack.outbound.pace import Pace
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import TOKEN, StillTime, Teller
from tests.doors.slack.outbound.crowd import Crowd

TEN = 10
SHOWN_WITHIN_S, RIGHT_WITHIN_S = 30, 60
Replicas = Callable[[int], Crowd]


@pytest.fixture
async def replicas(slack: FakeSlack, messages: SqlMessages, tell: Teller, time: StillTime) -> AsyncIterator[Replicas]:
    """So many gateways on one database, each with its share of the budgets, and nothing else in common."""
    opened: list[Calls] = []

    def made(count: int) -> Crowd:
        gateways = []
        for _ in range(count):
            budgets = Budgets(time.monotonic, lambda: 1 / count)
            calls = Calls(TOKEN, f"{slack.base_url}/api/", budgets)
            calls.open()
            opened.append(calls)
            gateways.append(Gateway(calls, messages, time, time, Pace(), budgets))
        return Crowd(tell, time, slack, gateways)

    yield made
    for calls in opened:
        await calls.close()


def well_paced(crowd: Crowd) -> None:
    assert crowd.refused() == 0
    assert crowd.most_in_a_minute("chat.update") <= 50
    assert min(crowd.pauses_s()) >= 3


@pytest.mark.parametrize("count", [1, *(pytest.param(more, marks=pytest.mark.slow) for more in (2, 3))])
async def test_ten_rollbacks_at_once_stay_within_the_budget_and_each_outcome_is_shown_in_time(
    count: int, replicas: Replicas
) -> None:
    crowd = replicas(count)
    ids = crowd.asked(TEN)
    await crowd.pass_time(30)
    assert crowd.messages.keys() == crowd.details.keys() == set(ids)
    crowd.begin(ids)
    for number in range(5):  # every few seconds everything moves
        crowd.write(ids, number)
        await crowd.pass_time(5)
    crowd.end(ids)  # all at the same moment, and the budget was just used
    await crowd.pass_time(SHOWN_WITHIN_S)
    assert max(crowd.waited_s().values()) <= SHOWN_WITHIN_S
    crowd.judge(ids)
    await crowd.pass_time(90)
    assert all(message.text.startswith("✅ Done") for message in crowd.messages.values())
    assert all(f"Errors of {id} fell." in crowd.messages[id].text for id in ids)
    assert all(f"Errors of {id} fell." in crowd.details[id].text for id in ids)
    well_paced(crowd)
    assert crowd.most_in_a_minute("chat.update") > 30, "and that was not for nothing"


async def test_outcomes_that_come_one_by_one_between_the_progress_of_others(replicas: Replicas) -> None:
    crowd = replicas(1)
    ids = crowd.asked(TEN)
    await crowd.pass_time(30)
    crowd.begin(ids)
    for number in range(TEN):
        crowd.write(ids[number:], number)
        await crowd.pass_time(2)
        crowd.end([ids[number]])
        await crowd.pass_time(2)
    await crowd.pass_time(SHOWN_WITHIN_S)
    assert max(crowd.waited_s().values()) <= 10
    well_paced(crowd)


@pytest.mark.parametrize("kind", [Kind.DOWN, Kind.LOST_ANSWER])
async def test_slack_is_down_for_five_minutes_and_a_minute_after_its_return_every_message_is_right(
    kind: Kind, replicas: Replicas, slack: FakeSlack
) -> None:
    """Also when it did all that was asked of it, and only its answers were lost."""
    crowd = replicas(1)
    before = crowd.asked(4)
    await crowd.pass_time(20)
    crowd.begin(before)
    crowd.write(before, 0)
    slack.faults.add(Fault(kind, times=10_000))
    await crowd.pass_time(60)
    crowd.end(before[:2])
    meanwhile = crowd.asked(4)
    await crowd.pass_time(60)
    crowd.begin(meanwhile[:2])
    crowd.write(meanwhile[:2], 0)
    crowd.end(meanwhile[:1])
    await crowd.pass_time(180)
    slack.faults.clear()
    await crowd.pass_time(RIGHT_WITHIN_S)
    done, running, waiting = [*before[:2], meanwhile[0]], [*before[2:], meanwhile[1]], meanwhile[2:]
    assert [crowd.messages[id].text[:6] for id in done] == ["✅ Done"] * 3
    assert [crowd.messages[id].text[:13] for id in running] == ["🔄 In progress"] * 3
    assert [crowd.messages[id].text[:9] for id in waiting] == ["✋ Waiting"] * 2
    assert all("succeeded" in crowd.details[id].text for id in (*done, *running))
    assert len(crowd.messages) == len(crowd.details) == 8
    assert crowd.refused() == 0


async def test_a_replica_that_dies_at_work_leaves_nothing_undone(replicas: Replicas, slack: FakeSlack) -> None:
    crowd = replicas(2)
    ids = crowd.asked(3)
    await crowd.pass_time(15)
    crowd.begin(ids)
    slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.update"))
    await crowd.gateways[0].round()
    crowd.gateways = crowd.gateways[1:]  # it never learns what became of its edit
    crowd.end(ids)
    await crowd.pass_time(SHOWN_WITHIN_S)
    assert max(crowd.waited_s().values()) <= SHOWN_WITHIN_S
    assert crowd.messages.keys() == crowd.details.keys() == set(ids)


async def test_two_replicas_whose_clocks_differ_by_an_hour_edit_one_message(
    slack: FakeSlack, messages: SqlMessages, tell: Teller, time: StillTime, calls: Calls, budgets: Budgets
) -> None:
    """Slack's time is theirs by their own clock; the wrong one neither waits for an hour nor posts again."""

    class Ahead(StillTime):
        def advance(self, seconds: float) -> None:
            raise AssertionError("it follows the other one")

    ahead = Ahead()
    gateways = [Gateway(calls, messages, time, one, Pace(), budgets) for one in (time, ahead)]
    crowd = Crowd(tell, time, slack, gateways)
    ids = crowd.asked(2)

    async def pass_time() -> None:
        for _ in range(8):
            ahead.instant = time.instant + timedelta(hours=1)
            await crowd.pass_time(3)

    await pass_time()
    crowd.begin(ids)
    crowd.end(ids)
    await pass_time()
    assert [message.text[:6] for message in crowd.messages.values()] == ["✅ Done"] * 2
    assert crowd.details.keys() == set(ids)
