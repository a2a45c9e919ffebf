"""Where an answer goes: to the channel, to a thread, to a thread that is not there yet, to a direct message."""

from typing import Any

import pytest

from bot.core.answer import Answer, Text
from bot.core.request import Address
from bot.core.system import Proposal
from bot.doors.slack.draw.answers import said
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.channels import direct as conversation
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.handles import new_hook
from bot.sandbox.slack.messages import add
from bot.sandbox.slack.state import Hook, Message
from tests.doors.slack.harness import CHANNEL, TEAM, StillTime, Teller


def place(**more: str) -> dict[str, str]:
    return {"channel": CHANNEL, "user": "U0ANA", "team": TEAM, "response_url": "", "thread_ts": "", **more}


@pytest.fixture
def thread(slack: FakeSlack) -> str:
    """A message with a reply."""
    parent, reply = slack.workspace.new_ts(), slack.workspace.new_ts()
    add(slack.workspace, Message(CHANNEL, parent, "U0BEN", "it is slow"))
    add(slack.workspace, Message(CHANNEL, reply, "U0ANA", "very", thread_ts=parent))
    return parent


@pytest.fixture
def direct(slack: FakeSlack) -> str:
    return conversation(slack.workspace, "U0ANA").id


def asks(tell: Teller, where: dict[str, str]) -> str:
    """A look that has its answer, asked there."""
    id = tell.asked("answer", operation="status", text="status", address=Address(door="slack", place=where))
    answer = Answer(title="S", parts=(Text(text="It serves."),))
    tell.ledger.propose(id, Proposal(state="answered", detail="", answer=answer))
    return id


async def test_in_a_thread_that_is_there(gateway: Gateway, tell: Teller, slack: FakeSlack, thread: str) -> None:
    asks(tell, place(thread_ts=thread, in_thread="yes"))
    await gateway.round()
    (shown,) = slack.workspace.ephemerals
    assert (shown.thread_ts, shown.visible_to) == (thread, "U0ANA")


async def test_where_no_thread_is_yet_it_is_seen_in_the_channel(
    gateway: Gateway, tell: Teller, slack: FakeSlack
) -> None:
    alone = slack.workspace.new_ts()
    add(slack.workspace, Message(CHANNEL, alone, "U0BEN", "it is slow"))
    asks(tell, place(thread_ts=alone))
    await gateway.round()
    (shown,) = slack.workspace.ephemerals
    assert (shown.thread_ts, shown.visible_to) == (None, "U0ANA")


async def test_a_change_is_posted_in_the_thread(gateway: Gateway, tell: Teller, slack: FakeSlack, thread: str) -> None:
    tell.waiting(address=Address(door="slack", place=place(thread_ts=thread, in_thread="yes")))
    await gateway.round()
    card = slack.workspace.in_channel(CHANNEL)[2]
    assert (card.by_app, card.thread_ts) == (True, thread)


async def test_a_direct_message_is_answered_by_a_message(
    gateway: Gateway, tell: Teller, slack: FakeSlack, direct: str
) -> None:
    asks(tell, place(channel=direct))
    for _ in range(3):
        await gateway.round()
    (shown,) = slack.workspace.in_channel(direct)
    assert (shown.text.startswith("S. It serves."), shown.thread_ts) == (True, None)
    assert slack.workspace.ephemerals == []


async def test_a_direct_message_whose_answer_was_lost_is_there_once(
    gateway: Gateway, tell: Teller, slack: FakeSlack, direct: str, time: StillTime
) -> None:
    slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage"))
    asks(tell, place(channel=direct))
    for _ in range(10):
        await gateway.round()
        time.advance(1)
    assert len(slack.workspace.in_channel(direct)) == 1


async def test_a_direct_message_that_nobody_waits_for_is_not_sent(
    gateway: Gateway, tell: Teller, slack: FakeSlack, direct: str, time: StillTime
) -> None:
    asks(tell, place(channel=direct))
    time.advance(6 * 60)
    await gateway.round()
    assert slack.workspace.in_channel(direct) == []


async def test_a_sentence_in_a_direct_message(gateway: Gateway, slack: FakeSlack, direct: str) -> None:
    await gateway.tell(place(channel=direct), said("I don't know `x`."))
    (shown,) = slack.workspace.in_channel(direct)
    assert shown.text == "I don't know `x`."


async def test_where_we_may_not_write_the_spare_address_is_used(gateway: Gateway, slack: FakeSlack) -> None:
    url = new_hook(slack.workspace, Hook(slack.workspace.now(), "U0ANA", "C0SECRET"))
    told: dict[str, Any] = place(channel="C0SECRET", thread_ts="1.1", in_thread="yes", spare_url=url)
    await gateway.tell(told, said("Nobody may do that."))
    (shown,) = slack.workspace.ephemerals
    assert (shown.channel, shown.text) == ("C0SECRET", "Nobody may do that.")


async def test_where_we_may_not_write_and_there_is_no_other_way_it_is_given_up(
    gateway: Gateway, slack: FakeSlack, caplog: pytest.LogCaptureFixture
) -> None:
    await gateway.tell(place(channel="C0SECRET"), said("Nobody may do that."))
    assert slack.workspace.ephemerals == []
    assert "an answer was not shown" in caplog.text
