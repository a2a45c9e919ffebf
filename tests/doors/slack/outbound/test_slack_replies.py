"""What stands in the thread of a change: once, right, and whatever Slack does."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.core.request import Address
from bot.doors.slack.outbound import gateway as gateways
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Message
from bot.stores.messages import SqlMessages
from tests.both import url_of_sqlite as url
from tests.doors.slack.harness import CHANNEL, StillTime, Teller

__all__ = ["url"]
Channel = Callable[[], list[Message]]
Thread = Callable[..., list[Message]]
HALF_TIME_S = 15 * 60
REMINDS = "⏰ Still waiting for approval: rollback ai-square/prod/backend"


def kinds(thread: Thread) -> list[str]:
    return [message.metadata["event_payload"]["kind"] for message in thread()]


async def rounds(gateway: Gateway, time: StillTime, seconds: float, every_s: float = 3.0) -> None:
    """Time passes, and the gateway goes on."""
    for _ in range(int(seconds / every_s)):
        await gateway.round()
        time.advance(every_s)


async def only_messages(gateway: Gateway) -> None:
    """A round that has no time for what is in threads."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gateway, "_replies_behind", lambda since: ())
        await gateway.round()


class TestDetails:
    async def test_they_follow_the_change_in_the_thread_of_its_message(
        self, gateway: Gateway, tell: Teller, time: StillTime, channel: Channel, thread: Thread
    ) -> None:
        id = tell.waiting()
        await gateway.round()
        (message,), (details,) = channel(), thread()
        assert (details.thread_ts, details.broadcast) == (message.ts, False)
        assert details.text.startswith(f"Details of rollback {id}")
        assert "backend-00041-kex is 40 days old" in details.text and "approved" not in details.text
        tell.approve(id)
        await rounds(gateway, time, 6)
        assert "Ben Brooks approved" in details.text
        tell.finish(id, tell.run(id))
        await rounds(gateway, time, 6)
        assert "succeeded, now at version 43" in details.text
        tell.ledger.judged(id, "holds", "Errors fell.")
        await rounds(gateway, time, 6)
        assert "✓ Errors fell." in details.text
        assert len(channel()) == len(thread()) == 1

    async def test_what_is_told_to_the_asker_alone_has_none(
        self, gateway: Gateway, tell: Teller, time: StillTime, thread: Thread
    ) -> None:
        tell.planned(tell.asked(), "planned")
        tell.answered()
        await rounds(gateway, time, 9)
        assert thread() == []

    async def test_a_message_that_says_that_it_is_being_planned_has_none_yet(
        self, gateway: Gateway, tell: Teller, time: StillTime, channel: Channel, thread: Thread
    ) -> None:
        id = tell.asked()
        await rounds(gateway, time, 6)
        assert (len(channel()), thread()) == (1, [])
        tell.planned(id)
        await rounds(gateway, time, 6)
        assert kinds(thread) == ["details"]

    @pytest.mark.parametrize("kind", [Kind.LOST_ANSWER, Kind.RESET, Kind.SERVER_ERROR])
    async def test_a_lost_answer_makes_no_second_copy(
        self, kind: Kind, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
    ) -> None:
        id = tell.waiting()
        await only_messages(gateway)
        slack.faults.add(Fault(kind, "chat.postMessage"))
        tell.approve(id)
        await rounds(gateway, time, 15)
        (details,) = thread()
        assert "Ben Brooks approved" in details.text
        looked = [call for call in slack.workspace.calls if call.method == "conversations.replies"]
        assert len(looked) == 1

    async def test_a_crash_after_the_post_makes_no_second_copy(
        self, another_gateway: Callable[[], Gateway], tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
    ) -> None:
        tell.waiting()
        await only_messages(another_gateway())
        slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage"))
        await another_gateway().round()
        assert len(thread()) == 1, "it arrived, but nobody knows"
        await rounds(another_gateway(), time, 30)
        assert kinds(thread) == ["details"]

    async def test_details_that_somebody_deleted_are_made_again(
        self, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
    ) -> None:
        id = tell.waiting()
        await gateway.round()
        del slack.workspace.messages[CHANNEL][thread()[0].ts]
        tell.approve(id)
        await rounds(gateway, time, 12)
        assert ["Ben Brooks approved" in details.text for details in thread()] == [True]

    async def test_when_the_message_gets_another_place_they_go_there(
        self, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, channel: Channel, thread: Thread
    ) -> None:
        id = tell.waiting()
        await gateway.round()
        del slack.workspace.messages[CHANNEL][channel()[0].ts]
        tell.approve(id)
        await rounds(gateway, time, 15)
        (message,) = channel()
        assert [details.text.split("\n")[0] for details in thread(message)] == [f"Details of rollback {id}"]

    async def test_they_wait_while_the_budget_is_for_plans_to_approve(
        self, gateway: Gateway, tell: Teller, time: StillTime, channel: Channel, thread: Thread
    ) -> None:
        for _ in range(4):
            tell.waiting()
        await gateway.round()
        assert (len(channel()), len(thread())) == (3, 0)
        await rounds(gateway, time, 15, every_s=1)
        assert (len(channel()), len(thread())) == (4, 4)

    async def test_of_many_a_few_at_a_time_and_all_in_the_end(
        self, gateway: Gateway, tell: Teller, time: StillTime, channel: Channel, thread: Thread, monkeypatch
    ) -> None:
        monkeypatch.setattr(gateways, "FEW", 2)
        for _ in range(5):
            tell.waiting()
        await rounds(gateway, time, 60, every_s=2)
        assert len(channel()) == len(thread()) == 5


class TestReminder:
    async def test_at_half_time_the_channel_is_reminded_once(
        self, gateway: Gateway, tell: Teller, time: StillTime, channel: Channel, thread: Thread
    ) -> None:
        tell.waiting()
        await rounds(gateway, time, HALF_TIME_S - 30, every_s=30)
        assert kinds(thread) == ["details"]
        await rounds(gateway, time, 900, every_s=30)
        (message,) = channel()
        _, reminder = thread(message)
        assert (reminder.broadcast, reminder.text.split("\n")[0]) == (True, REMINDS)
        assert "Ana Alvarez cannot" in reminder.text
        assert f"<!date^{int(time.instant.timestamp()) + 30}^" in reminder.text

    async def test_who_has_decided_is_not_reminded(
        self, gateway: Gateway, tell: Teller, time: StillTime, thread: Thread
    ) -> None:
        id = tell.waiting()
        await rounds(gateway, time, HALF_TIME_S - 30, every_s=30)
        tell.approve(id)
        await rounds(gateway, time, 600, every_s=30)
        assert kinds(thread) == ["details"]

    async def test_nor_is_anybody_when_the_plan_has_expired_meanwhile(
        self, gateway: Gateway, tell: Teller, time: StillTime, thread: Thread
    ) -> None:
        tell.waiting()
        await gateway.round()
        time.advance(30 * 60)
        await rounds(gateway, time, 30)
        assert kinds(thread) == ["details"]

    async def test_not_again_after_a_restart_or_by_another_process(
        self, another_gateway: Callable[[], Gateway], tell: Teller, time: StillTime, thread: Thread
    ) -> None:
        tell.waiting()
        await another_gateway().round()
        time.advance(HALF_TIME_S)
        for _ in range(4):
            await another_gateway().round()
            time.advance(10)
        assert kinds(thread) == ["details", "reminder"]

    async def test_not_again_after_one_of_two_approvals(
        self, gateway: Gateway, tell: Teller, time: StillTime, thread: Thread
    ) -> None:
        id = tell.asked()
        tell.planned(id, approvals_needed=2)
        await gateway.round()
        time.advance(HALF_TIME_S)
        await rounds(gateway, time, 12)
        tell.approve(id)
        await rounds(gateway, time, 12)
        assert kinds(thread) == ["details", "reminder"]

    async def test_a_lost_answer_makes_no_second_one(
        self, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
    ) -> None:
        tell.waiting()
        await gateway.round()
        time.advance(HALF_TIME_S)
        slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage"))
        await rounds(gateway, time, 60)
        assert kinds(thread) == ["details", "reminder"]

    async def test_one_that_was_lost_and_never_came_is_not_made_up_for_when_somebody_decides(
        self, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
    ) -> None:
        id = tell.waiting()
        await gateway.round()
        time.advance(HALF_TIME_S)
        slack.faults.add(Fault(Kind.RESET, "chat.postMessage"))
        await gateway.round()
        tell.approve(id)
        await rounds(gateway, time, 60)
        assert kinds(thread) == ["details"]


class TestInAThread:
    """Asked in a thread: all of it goes there."""

    @pytest.fixture
    async def root(self, slack: FakeSlack) -> str:
        """Of the thread in which somebody asks."""
        await slack.say("U0ANA", CHANNEL, "is the backend down?")
        ts = slack.workspace.in_channel(CHANNEL)[0].ts
        await slack.say("U0BEN", CHANNEL, "it is", ts)
        return ts

    @pytest.fixture
    def asked_there(self, root: str) -> Address:
        place = {"channel": CHANNEL, "user": "U0ANA", "thread_ts": root, "in_thread": "yes"}
        return Address(door="slack", place=place)

    @pytest.fixture
    def thread(self, thread: Thread) -> Thread:
        """What we said there."""
        return lambda: [message for message in thread() if message.by_app]

    async def test_the_message_its_details_and_its_reminder(
        self, gateway: Gateway, tell: Teller, time: StillTime, root: str, asked_there: Address, thread: Thread
    ) -> None:
        tell.waiting(address=asked_there)
        await rounds(gateway, time, HALF_TIME_S + 60, every_s=30)
        assert [message.thread_ts for message in thread()] == [root] * 3
        about = [message.metadata["event_payload"].get("kind", "") for message in thread()]
        assert about == ["", "details", "reminder"]

    async def test_a_lost_answer_is_looked_for_there(
        self, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, asked_there: Address, thread: Thread
    ) -> None:
        slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage", times=2))
        id = tell.waiting(address=asked_there)
        await rounds(gateway, time, 12)
        tell.approve(id)
        await rounds(gateway, time, 12)
        message, details = thread()
        assert message.text.startswith("⏳ About to begin") and "Ben Brooks approved" in details.text
        assert "conversations.history" not in {call.method for call in slack.workspace.calls}

    async def test_what_is_for_the_asker_alone(
        self, gateway: Gateway, tell: Teller, slack: FakeSlack, root: str, asked_there: Address
    ) -> None:
        tell.planned(tell.asked(address=asked_there), "rejected", plan=None, digest="", detail="say which release")
        await gateway.round()
        (told,) = slack.workspace.ephemerals
        assert (told.visible_to, told.thread_ts) == ("U0ANA", root)


async def test_a_reminder_is_never_brought_up_to_date(
    gateway: Gateway, messages: SqlMessages, tell: Teller, time: StillTime
) -> None:
    id = tell.waiting()
    await gateway.round()
    time.advance(HALF_TIME_S)
    await rounds(gateway, time, 12)
    tell.approve(id)
    since = time.now() - timedelta(days=2)
    assert messages.replies("slack", "reminder", since=since) == ()
