"""What one person is told: once, in time, and never by a message that everybody sees."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.doors.slack.draw.answers import said
from bot.doors.slack.outbound import whispers
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Message
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import CHANNEL, StillTime, Teller, calls_of

Channel = Callable[[], list[Message]]


async def test_an_answer_is_shown_once_to_the_asker_alone(
    gateway: Gateway, tell: Teller, slack: FakeSlack, channel: Channel
) -> None:
    tell.answered()
    await gateway.round()
    await gateway.round()
    assert [told.text for told in slack.workspace.ephemerals] == ["S. backend-00041-kex 100 % serves."]
    assert channel() == []


async def test_an_answer_that_another_process_is_giving_is_left_to_it(
    gateway: Gateway, messages: SqlMessages, tell: Teller, time: StillTime, slack: FakeSlack
) -> None:
    tell.answered()
    (one,) = messages.behind("slack", since=time.now() - timedelta(days=1))
    assert messages.trying(one, {}, time.now())
    await gateway.round()
    assert slack.workspace.ephemerals == []
    time.advance(30)
    await gateway.round()
    assert len(slack.workspace.ephemerals) == 1


async def test_an_answer_is_not_repeated_after_a_restart(
    another_gateway: Callable[[], Gateway], tell: Teller, slack: FakeSlack
) -> None:
    tell.answered()
    for _ in range(3):
        await another_gateway().round()
    assert len(slack.workspace.ephemerals) == 1


async def test_an_answer_that_comes_minutes_late_is_dropped(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack
) -> None:
    slack.faults.add(Fault(Kind.DOWN))
    tell.answered()
    await gateway.round()
    time.advance(301)
    slack.faults.clear()
    await gateway.round()
    await gateway.round()
    assert slack.workspace.ephemerals == []


async def test_an_answer_waits_out_a_slack_that_is_busy(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack
) -> None:
    slack.faults.add(Fault(Kind.RATELIMITED, "chat.postEphemeral", retry_after_s=5))
    tell.answered()
    await gateway.round()
    time.advance(4)
    await gateway.round()
    assert calls_of(slack, "chat.postEphemeral") == 1
    time.advance(1)
    await gateway.round()
    assert len(slack.workspace.ephemerals) == 1


async def test_an_answer_that_slack_refuses_is_given_up(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.faults.add(Fault(Kind.ERROR, "chat.postEphemeral", error="user_not_in_channel"))
    id = tell.answered()
    await gateway.round()
    time.advance(60)
    await gateway.round()
    assert calls_of(slack, "chat.postEphemeral") == 1
    assert f"the answer of {id} was given up" in caplog.text


async def test_a_used_up_response_url_is_replaced_by_a_message_for_one_person(
    gateway: Gateway, slack: FakeSlack
) -> None:
    place = {"channel": CHANNEL, "user": "U0ANA", "response_url": f"{slack.base_url}/hooks/used-up"}
    await gateway.tell(place, said("Not for you."))
    assert [told.text for told in slack.workspace.ephemerals] == ["Not for you."]


async def test_what_no_row_knows_is_tried_again_a_few_times(
    gateway: Gateway, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(whispers, "AGAIN_S", (0.0, 0.0, 0.0))
    place = {"channel": CHANNEL, "user": "U0ANA"}
    slack.faults.add(Fault(Kind.RATELIMITED, "chat.postEphemeral", times=2, retry_after_s=0))
    await gateway.tell(place, said("Third time."))
    assert [told.text for told in slack.workspace.ephemerals] == ["Third time."]
    slack.faults.add(Fault(Kind.RATELIMITED, "chat.postEphemeral", times=3, retry_after_s=0))
    await gateway.tell(place, said("Never."))
    assert "given up" in caplog.text
    slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postEphemeral"))
    await gateway.tell(place, said("Once."))
    assert [told.text for told in slack.workspace.ephemerals] == ["Third time.", "Once."]
