"""What Slack's answers mean: done, not done, or nobody knows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.core.errors import Transient, Uncertain
from bot.doors.slack.draw.answers import said
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.outbound.budgets import Budgets
from bot.doors.slack.outbound.calls import OURS, Calls, Limited, Refusal
from bot.doors.slack.outbound.lookup import EVENT, metadata
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from tests.doors.slack.harness import CHANNEL, TOKEN, StillTime

CARD = said("It is done.")
ABOUT = metadata("7k3q", "")
LABEL = {"type": "plain_text", "text": "Approve"}
BUTTON: dict[str, Any] = {"type": "button", "text": LABEL, "action_id": "a", "value": "7k3q"}


async def test_a_post_carries_its_operation_and_unfolds_no_links(calls: Calls, slack: FakeSlack) -> None:
    ts = await calls.post(CHANNEL, CARD, ABOUT)
    (call,) = slack.workspace.calls
    assert slack.workspace.find_message(CHANNEL, ts).metadata == {
        "event_type": EVENT,
        "event_payload": {"operation": "7k3q"},
    }
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(Kind.RATELIMITED, retry_after_s=9), Limited),
        (Fault(Kind.ERROR, error="channel_not_found"), Refusal),
        (Fault(Kind.ERROR, error="ratelimited"), Limited),
        (Fault(Kind.SERVER_ERROR), Uncertain),
        (Fault(Kind.RESET), Uncertain),
        (Fault(Kind.LOST_ANSWER), Uncertain),
        *((Fault(Kind.ERROR, error=word), Uncertain) for word in sorted(OURS)),
    ],
    ids=lambda value: getattr(value, "error", "") if isinstance(value, Fault) else value.__name__,
)
async def test_failures(fault: Fault, error: type[Exception], calls: Calls, slack: FakeSlack) -> None:
    slack.faults.add(fault)
    with pytest.raises(error):
        await calls.post(CHANNEL, CARD, ABOUT)
    assert len(slack.workspace.calls) == 1, "nothing is repeated"


async def test_a_slack_that_is_not_there_has_done_nothing(budgets: Budgets) -> None:
    calls = Calls(TOKEN, "http://127.0.0.1:9/api/", budgets)
    calls.open()
    with pytest.raises(Transient, match=r"was not reached for chat\.update"):
        await calls.update(CHANNEL, "1.1", CARD)
    await calls.close()


@pytest.fixture
async def hasty(slack: FakeSlack, budgets: Budgets) -> AsyncIterator[Calls]:
    made = Calls(TOKEN, f"{slack.base_url}/api/", budgets, timeout_s=0.2)
    made.open()
    yield made
    await made.close()


async def test_an_answer_that_does_not_come_in_time_is_lost(hasty: Calls, slack: FakeSlack) -> None:
    slack.faults.add(Fault(Kind.SLOW, delay_s=0.5))
    with pytest.raises(Uncertain, match=r"did not answer chat\.postMessage"):
        await hasty.post(CHANNEL, CARD, ABOUT)
    assert len(slack.workspace.in_channel(CHANNEL)) == 1, "and yet it was done"


async def test_how_long_slack_asks_to_wait(calls: Calls, slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    slack.faults.add(Fault(Kind.RATELIMITED, retry_after_s=9))
    with pytest.raises(Limited) as caught:
        await calls.update(CHANNEL, "1.1", CARD)
    assert (caught.value.method, caught.value.retry_after_s) == ("chat.update", 9.0)
    assert caplog.messages == ["Slack asks to wait 9 s with chat.update"]


async def test_a_refusal_has_slacks_word_and_what_is_wrong(calls: Calls, slack: FakeSlack) -> None:
    wrong = Card(text="x", blocks=({"type": "section"},))
    with pytest.raises(Refusal) as caught:
        await calls.call("chat.postMessage", channel=CHANNEL, blocks=list(wrong.blocks))
    assert caught.value.error == "invalid_blocks"
    assert "json-pointer:/blocks/0" in str(caught.value)


async def test_a_card_that_slack_does_not_take_is_shown_as_text(calls: Calls, slack: FakeSlack) -> None:
    wrong = Card(text="It is &lt;done&gt;.", blocks=({"type": "section"}, {"type": "actions", "elements": [BUTTON]}))
    ts = await calls.post(CHANNEL, wrong, ABOUT)
    blocks = slack.workspace.find_message(CHANNEL, ts).blocks
    assert blocks[0]["text"] == {"type": "mrkdwn", "text": "It is &lt;done&gt;."}
    assert blocks[1]["elements"][0]["value"] == "7k3q"


async def test_a_call_over_our_own_budget_is_not_made(
    calls: Calls, slack: FakeSlack, time: StillTime, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await calls.post(CHANNEL, CARD, ABOUT)
    with pytest.raises(Limited) as caught:
        await calls.post(CHANNEL, CARD, ABOUT)
    assert (caught.value.method, len(slack.workspace.calls)) == ("chat.postMessage", 3)
    assert caplog.messages == []
    time.advance(caught.value.retry_after_s)
    await calls.post(CHANNEL, CARD, ABOUT)
    assert {call.status for call in slack.workspace.calls} == {200}


async def test_a_post_in_a_thread(calls: Calls, slack: FakeSlack) -> None:
    parent = await calls.post(CHANNEL, CARD, ABOUT, thread_ts="")
    await calls.post(CHANNEL, CARD, metadata("7k3q", "details"), thread_ts=parent, reply_broadcast=True)
    message, reply = slack.workspace.in_channel(CHANNEL)
    assert (message.thread_ts, reply.thread_ts, reply.broadcast) == (None, parent, True)


class TestSend:
    async def test_bytes_go_where_slack_said(self, calls: Calls, slack: FakeSlack) -> None:
        begun = await calls.ask("files.getUploadURLExternal", filename="plan.txt", length=4)
        await calls.send(begun["upload_url"], b"plan")
        assert slack.workspace.uploads[begun["file_id"]].data == b"plan"

    @pytest.mark.parametrize(
        ("kind", "error"),
        [(Kind.SERVER_ERROR, Uncertain), (Kind.RESET, Uncertain), (Kind.RATELIMITED, Limited)],
        ids=lambda value: getattr(value, "value", getattr(value, "__name__", "")),
    )
    async def test_failures(self, kind: Kind, error: type[Exception], calls: Calls, slack: FakeSlack) -> None:
        begun = await calls.ask("files.getUploadURLExternal", filename="plan.txt", length=4)
        slack.faults.add(Fault(kind, "upload"))
        with pytest.raises(error):
            await calls.send(begun["upload_url"], b"plan")

    async def test_an_address_that_is_not_there_is_a_refusal(self, calls: Calls, slack: FakeSlack) -> None:
        with pytest.raises(Refusal, match="404"):
            await calls.send(f"{slack.base_url}/upload/F1", b"plan")


class TestOnePerson:
    async def test_through_their_own_request(self, calls: Calls, slack: FakeSlack) -> None:
        await slack.slash("U0ANA", CHANNEL, "nobody listens")
        await calls.respond(f"{slack.base_url}/hooks/{next(iter(slack.workspace.hooks))}", CARD)
        (told,) = slack.workspace.ephemerals
        assert (told.visible_to, told.text) == ("U0ANA", "It is done.")

    @pytest.mark.parametrize(
        ("fault", "error"),
        [(Fault(Kind.SERVER_ERROR, "response_url"), Uncertain), (Fault(Kind.RATELIMITED, "response_url"), Limited)],
        ids=["500", "429"],
    )
    async def test_failures(self, fault: Fault, error: type[Exception], calls: Calls, slack: FakeSlack) -> None:
        await slack.slash("U0ANA", CHANNEL, "nobody listens")
        slack.faults.add(fault)
        with pytest.raises(error):
            await calls.respond(f"{slack.base_url}/hooks/{next(iter(slack.workspace.hooks))}", CARD)

    async def test_an_address_that_is_used_up_is_a_refusal(self, calls: Calls, slack: FakeSlack) -> None:
        with pytest.raises(Refusal, match="no_service"):
            await calls.respond(f"{slack.base_url}/hooks/none", CARD)
