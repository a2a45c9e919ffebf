"""The gateway: one message for each change, whatever Slack does; answers once, and not too late."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.core.errors import StoreError
from bot.core.request import Address
from bot.core.system import Shown
from bot.doors.slack.outbound import gateway as gateways
from bot.doors.slack.outbound.calls import Calls
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Message
from bot.stores.messages import SqlMessages
from tests.both import url_of_sqlite as url
from tests.doors.slack.harness import CHANNEL, StillTime, Teller, calls_of
from tests.rollouts import rolling, until

__all__ = ["url"]
Channel = Callable[[], list[Message]]


async def test_one_message_follows_a_change_from_the_plan_to_the_judgement(
    gateway: Gateway, tell: Teller, time: StillTime, channel: Channel
) -> None:
    id = tell.waiting()
    await gateway.round()
    assert [message.text.split(":")[0] for message in channel()] == ["✋ Waiting for approval"]
    tell.approve(id)
    await gateway.round()
    time.advance(3)
    token = tell.run(id)
    await gateway.round()
    time.advance(3)
    tell.finish(id, token)
    await gateway.round()
    time.advance(3)
    tell.ledger.judged(id, "holds", "Errors fell from 4.9 % to 0.1 %.")
    await gateway.round()
    (message,) = channel()
    seen = [edit.text.split(":")[0] for edit in message.edits]
    assert seen == ["✋ Waiting for approval", "⏳ About to begin", "🔄 In progress", "✅ Done"]
    assert message.text.startswith("✅ Done: rollback ai-square/prod/backend. Errors fell from 4.9 % to 0.1 %.\n")


async def test_what_is_shown_is_not_shown_again(gateway: Gateway, tell: Teller, slack: FakeSlack) -> None:
    tell.waiting()
    for _ in range(3):
        await gateway.round()
    assert [call.args.get("thread_ts", "") for call in slack.workspace.calls] == ["", f"{tell.time():.6f}"]
    assert {call.method for call in slack.workspace.calls} == {"chat.postMessage"}


async def test_edits_of_one_message_are_three_seconds_apart_and_the_latest_wins(
    gateway: Gateway, tell: Teller, time: StillTime, channel: Channel
) -> None:
    id = tell.waiting()
    await gateway.round()
    tell.approve(id)
    await gateway.round()  # the first edit
    token = tell.run(id)
    await gateway.round()  # too soon
    tell.finish(id, token)
    time.advance(2.9)
    await gateway.round()  # still too soon
    assert len(channel()[0].edits) == 1
    time.advance(0.1)
    await gateway.round()
    assert [edit.text.split(":")[0] for edit in channel()[0].edits] == ["✋ Waiting for approval", "⏳ About to begin"]
    assert channel()[0].text.startswith("✅ Done")


async def test_a_plan_that_takes_long_gets_a_message_which_then_becomes_the_plan(
    gateway: Gateway, tell: Teller, time: StillTime, channel: Channel
) -> None:
    id = tell.asked()
    await gateway.round()
    time.advance(1.9)
    await gateway.round()
    assert channel() == []
    time.advance(0.1)
    await gateway.round()
    assert channel()[0].text.startswith("⏳ Planning")
    tell.planned(id)
    await gateway.round()
    assert [message.text.split(":")[0] for message in channel()] == ["✋ Waiting for approval"]


@pytest.mark.parametrize("state", ["rejected", "nothing_to_do", "planned", "denied", "failed"])
async def test_what_will_not_happen_is_told_to_the_asker_alone(
    state: str, gateway: Gateway, tell: Teller, slack: FakeSlack, channel: Channel
) -> None:
    id = tell.asked()
    kept = {"digest": "c0ffee"} if state == "planned" else {"digest": "", "plan": None}
    tell.planned(id, state, detail="because of `this`", **kept)
    await gateway.round()
    assert channel() == []
    (told,) = slack.workspace.ephemerals
    assert told.visible_to == "U0ANA"
    assert "because of `this`" in told.text


async def test_what_will_not_happen_is_said_in_the_channel_once_it_was_announced_there(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    id = tell.asked()
    await gateway.round()
    time.advance(2)
    await gateway.round()
    tell.planned(id, "rejected", detail="say which release", digest="", plan=None)
    await gateway.round()
    said = "🚫 Not possible as asked: rollback ai-square/prod/backend. say which release\n"
    assert channel()[0].text.startswith(said)
    assert slack.workspace.ephemerals == []


async def test_what_the_door_refused_at_once_is_not_said_twice(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack
) -> None:
    tell.asked(state="denied")
    await gateway.round()
    time.advance(10)
    await gateway.round()
    assert slack.workspace.calls == []


async def test_requests_of_other_doors_are_not_shown(gateway: Gateway, tell: Teller, slack: FakeSlack) -> None:
    tell.waiting(address=Address(door="cli"))
    await gateway.round()
    assert slack.workspace.calls == []


# --- Slack misbehaves


async def test_a_post_over_budget_waits_as_long_as_slack_asks(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.RATELIMITED, "chat.postMessage", retry_after_s=7))
    tell.waiting()
    await gateway.round()
    time.advance(6.9)
    await gateway.round()
    assert calls_of(slack, "chat.postMessage") == 1
    time.advance(0.1)
    await gateway.round()
    assert len(channel()) == 1
    assert calls_of(slack, "conversations.history") == 0, "a refused post cannot have arrived"


async def test_an_edit_over_budget_holds_all_edits_but_no_posts(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    first, second = tell.waiting(), tell.waiting()
    await gateway.round()
    slack.faults.add(Fault(Kind.RATELIMITED, "chat.update", retry_after_s=30))
    tell.approve(first)
    tell.approve(second)
    third = tell.waiting()
    await gateway.round()
    assert calls_of(slack, "chat.update") == 1
    assert len(channel()) == 3, third
    time.advance(30)
    await gateway.round()
    assert sorted(message.text.split(":")[0] for message in channel()) == [
        "⏳ About to begin",
        "⏳ About to begin",
        "✋ Waiting for approval",
    ]


@pytest.mark.parametrize("kind", [Kind.LOST_ANSWER, Kind.RESET, Kind.SERVER_ERROR])
async def test_a_post_whose_answer_was_lost_is_looked_for_before_it_is_made_again(
    kind: Kind, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(kind, "chat.postMessage"))
    id = tell.waiting()
    await gateway.round()
    time.advance(1)
    tell.approve(id)
    await gateway.round()
    await gateway.round()
    (message,) = channel()
    assert message.text.startswith("⏳ About to begin")
    assert calls_of(slack, "conversations.history") == 1
    posts = [call for call in slack.workspace.calls if call.method == "chat.postMessage"]
    assert sum("thread_ts" not in call.args for call in posts) == (1 if kind is Kind.LOST_ANSWER else 2)


async def test_while_slack_does_not_let_us_look_nothing_is_posted_again(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage", times=2))
    slack.faults.add(Fault(Kind.RATELIMITED, "conversations.history", retry_after_s=20))
    tell.waiting()
    await gateway.round()
    tell.waiting()
    for _ in range(20):
        time.advance(1)
        await gateway.round()
    assert (len(channel()), calls_of(slack, "conversations.history")) == (2, 1)
    time.advance(1)
    await gateway.round()
    assert (len(channel()), calls_of(slack, "conversations.history")) == (2, 3)
    assert len(channel()) == 2


async def test_a_crash_between_post_and_memory_makes_no_second_message(
    another_gateway: Callable[[], Gateway], tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage"))
    id = tell.waiting()
    await another_gateway().round()
    assert len(channel()) == 1, "it arrived, but nobody knows"
    tell.approve(id)
    await another_gateway().round()
    assert calls_of(slack, "conversations.history") == 0, "the other one may be at it still"
    time.advance(12)
    await another_gateway().round()
    assert [message.text.split(":")[0] for message in channel()] == ["⏳ About to begin"]


async def test_a_post_that_another_process_is_making_is_left_to_it(
    gateway: Gateway, messages: SqlMessages, tell: Teller, time: StillTime, channel: Channel
) -> None:
    tell.waiting()
    noted = {"channel": CHANNEL, "since": str(time())}
    (one,) = messages.behind("slack", since=time.now() - timedelta(days=1))
    assert messages.trying(one, noted, time.now())
    await gateway.round()
    assert channel() == []
    time.advance(30)
    await gateway.round()
    assert len(channel()) == 1, "whoever began it is dead"


async def test_two_processes_at_once_make_one_message(
    another_gateway: Callable[[], Gateway], tell: Teller, channel: Channel
) -> None:
    for _ in range(3):
        tell.waiting()
    await asyncio.gather(*(another_gateway().round() for _ in range(3)))
    assert len(channel()) == 3


async def test_when_slack_cannot_say_what_arrived_a_second_message_is_better_than_none(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.workspace.app.scopes.discard("channels:history")
    slack.faults.add(Fault(Kind.RESET, "chat.postMessage"))
    tell.waiting()
    await gateway.round()
    time.advance(1)
    await gateway.round()
    assert len(channel()) == 1


async def test_while_slack_is_down_tries_grow_rare_and_then_everything_is_right(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.DOWN))
    id = tell.waiting()
    for second in range(300):
        if second == 100:
            tell.approve(id)
            tell.finish(id, tell.run(id))
        time.advance(1)
        await gateway.round()
    assert 8 < len(slack.workspace.calls) < 24
    slack.faults.clear()
    time.advance(30)
    await gateway.round()
    await gateway.round()
    assert [message.text.split(":")[0] for message in channel()] == ["✅ Done"]


async def test_a_slack_that_does_not_answer_is_asked_once_not_once_for_each_message(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.RESET, times=3))
    for _ in range(5):
        tell.waiting()
    await gateway.round()
    await gateway.round()
    assert len(slack.workspace.calls) == 1
    for _ in range(20):
        time.advance(1)
        await gateway.round()
    assert len(channel()) == 5


async def test_a_plan_does_not_wait_until_slack_has_taken_the_answers_to_others(
    gateway: Gateway, calls: Calls, tell: Teller, time: StillTime, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, begun = asyncio.Event(), []

    async def held(*told: object) -> None:
        begun.append(told)
        await taken.wait()

    monkeypatch.setattr(calls, "whisper", held)
    for _ in range(3):
        tell.answered()
    time.advance(1)
    tell.waiting()
    round = asyncio.create_task(gateway.round())
    async with asyncio.timeout(8):
        while not (channel() and len(begun) == 3):
            await asyncio.sleep(0.01)
    taken.set()
    await round


async def test_a_message_that_somebody_deleted_is_made_again(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    id = tell.waiting()
    await gateway.round()
    slack.workspace.messages[CHANNEL].clear()
    tell.approve(id)
    for _ in range(4):
        await gateway.round()
        time.advance(3)
    assert [message.text.split(":")[0] for message in channel()] == ["⏳ About to begin"]


async def test_a_channel_that_aisq_is_not_in_is_explained_once_and_served_after_the_invitation(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    slack.workspace.app.scopes.discard("chat:write.public")
    slack.workspace.channels[CHANNEL].members.remove("U0AISQ")
    hook = await slack.slash("U0ANA", CHANNEL, "nobody listens")  # a response_url of this channel
    assert hook.error
    url = next(iter(slack.workspace.hooks))
    place = {"channel": CHANNEL, "user": "U0ANA", "response_url": f"{slack.base_url}/hooks/{url}"}
    id = tell.waiting(address=Address(door="slack", place=place))
    for _ in range(4):
        await gateway.round()
        time.advance(30)
    (told,) = slack.workspace.ephemerals
    assert told.text == (
        f"I cannot write in this channel (not_in_channel), so nobody sees the plan of `{id}`."
        f" Invite me with `/invite @aisq`; meanwhile `ops show {id}` shows it."
    )
    slack.workspace.channels[CHANNEL].members.append("U0AISQ")
    time.advance(30)
    await gateway.round()
    assert len(channel()) == 1


async def test_when_even_the_explanation_cannot_be_shown_the_tries_go_on(
    gateway: Gateway,
    tell: Teller,
    time: StillTime,
    slack: FakeSlack,
    channel: Channel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slack.faults.add(Fault(Kind.ERROR, "chat.postMessage", error="not_in_channel"))
    slack.faults.add(Fault(Kind.ERROR, "chat.postEphemeral", error="user_not_in_channel"))
    id = tell.waiting()
    await gateway.round()
    assert f"nobody was told why {id} is not shown" in caplog.text
    time.advance(1)
    await gateway.round()
    assert len(channel()) == 1


async def test_a_refusal_that_is_not_about_the_channel_is_not_explained(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel
) -> None:
    id = tell.waiting()
    await gateway.round()
    slack.faults.add(Fault(Kind.ERROR, "chat.update", error="token_revoked"))
    tell.approve(id)
    await gateway.round()
    time.advance(3)
    await gateway.round()
    assert channel()[0].text.startswith("⏳ About to begin")
    assert slack.workspace.ephemerals == []


async def test_blocks_that_slack_refuses_are_replaced_by_their_text_and_the_buttons(
    gateway: Gateway, tell: Teller, slack: FakeSlack, channel: Channel
) -> None:
    slack.faults.add(Fault(Kind.ERROR, "chat.postMessage", error="invalid_blocks"))
    tell.waiting()
    await gateway.round()
    assert [block["type"] for block in channel()[0].blocks] == ["section", "actions"]


async def test_one_row_that_cannot_be_drawn_keeps_no_other_from_being_shown(
    gateway: Gateway,
    tell: Teller,
    channel: Channel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, good = tell.waiting(), tell.waiting()
    drawn = gateways.card

    def fails(record, stages):
        if record.id == bad:
            raise ZeroDivisionError("a bug")
        return drawn(record, stages)

    monkeypatch.setattr(gateways, "card", fails)
    with caplog.at_level(logging.ERROR):
        await gateway.round()
    assert [message.metadata["event_payload"]["operation"] for message in channel()] == [good]
    assert f"showing {bad} met a bug" in caplog.text


async def test_a_database_that_is_away_only_delays(
    gateway: Gateway, messages: SqlMessages, tell: Teller, time: StillTime, channel: Channel, monkeypatch
) -> None:
    tell.waiting()

    def away(*_: object, **__: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patched:
        patched.setattr(messages, "behind", away)
        await gateway.round()
        await gateway.round()
    assert channel() == []
    time.advance(1)
    await gateway.round()
    assert len(channel()) == 1


@pytest.mark.parametrize("state, waits", [("baking", False), ("held", True), ("passed", False)])
def test_what_waits_for_a_decision_comes_before_what_only_goes_on(state: str, waits: bool) -> None:
    shown = Shown(record=rolling(), stages=until(2, state))
    assert gateways._is_spare(shown) is not waits
