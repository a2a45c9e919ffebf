"""What arrived is found again, where it would be and by what it says of itself."""

import pytest

from bot.core.errors import Transient
from bot.doors.slack.draw.answers import said
from bot.doors.slack.outbound import lookup
from bot.doors.slack.outbound.calls import Calls, Refusal
from bot.doors.slack.outbound.lookup import Lookup, metadata
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from tests.doors.slack.harness import CHANNEL, StillTime

CARD = said("It is done.")


@pytest.fixture
def looking(calls: Calls) -> Lookup:
    return Lookup(calls)


async def posted(calls: Calls, operation: str = "7k3q", kind: str = "", thread_ts: str = "") -> str:
    return await calls.post(CHANNEL, CARD, metadata(operation, kind), thread_ts=thread_ts)


def around(time: StillTime) -> lookup.Span:
    return time() - 60, time() + 60


class TestMessage:
    async def test_our_own_among_others(self, looking: Lookup, calls: Calls, time: StillTime) -> None:
        ts = {}
        for operation in ("aaaa", "7k3q", "bbbb"):
            ts[operation] = await posted(calls, operation)
            time.advance(2)
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "") == ts["7k3q"]
        assert await looking.message(CHANNEL, "", around(time), "cccc", "") is None

    async def test_what_is_older_is_not_looked_at(self, looking: Lookup, calls: Calls, time: StillTime) -> None:
        await posted(calls)
        time.advance(100)
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "") is None

    async def test_what_is_newer_is_not_looked_at(self, looking: Lookup, calls: Calls, time: StillTime) -> None:
        await posted(calls)
        assert await looking.message(CHANNEL, "", (time() - 60, time() - 30), "7k3q", "") is None

    async def test_on_the_third_page(self, looking: Lookup, calls: Calls, slack: FakeSlack, time: StillTime) -> None:
        ts = await posted(calls)
        slack.budgets.on = False
        for _ in range(450):
            await slack.say("U0ANA", CHANNEL, "is anybody there?")
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "") == ts
        assert sum(call.method == "conversations.history" for call in slack.workspace.calls) == 3

    async def test_further_than_that_nobody_looks(
        self, looking: Lookup, calls: Calls, slack: FakeSlack, time: StillTime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await posted(calls)
        slack.budgets.on = False
        for _ in range(250):
            await slack.say("U0ANA", CHANNEL, "is anybody there?")
        monkeypatch.setattr(lookup, "PAGES", 1)
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "") is None

    async def test_a_reply_is_in_its_thread_and_known_by_its_kind(
        self, looking: Lookup, calls: Calls, time: StillTime
    ) -> None:
        parent = await posted(calls)
        details = await posted(calls, kind="details", thread_ts=parent)
        reminder = await posted(calls, kind="reminder", thread_ts=parent)
        assert await looking.message(CHANNEL, parent, around(time), "7k3q", "details") == details
        assert await looking.message(CHANNEL, parent, around(time), "7k3q", "reminder") == reminder
        assert await looking.message(CHANNEL, parent, around(time), "aaaa", "details") is None
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "details") is None

    async def test_a_reminder_in_the_channel_is_not_taken_for_the_message(
        self, looking: Lookup, calls: Calls, time: StillTime
    ) -> None:
        parent = await calls.post(CHANNEL, CARD, metadata("aaaa", ""))
        about = metadata("7k3q", "reminder")
        await calls.post(CHANNEL, CARD, about, thread_ts=parent, reply_broadcast=True)
        assert await looking.message(CHANNEL, "", around(time), "7k3q", "") is None

    async def test_failures_are_those_of_calls(self, looking: Lookup, slack: FakeSlack, time: StillTime) -> None:
        slack.faults.add(Fault(Kind.RATELIMITED, "conversations.history"))
        with pytest.raises(Transient):
            await looking.message(CHANNEL, "", around(time), "7k3q", "")
        with pytest.raises(Refusal, match="thread_not_found"):
            await looking.message(CHANNEL, "1790000000.000100", around(time), "7k3q", "")


class TestFile:
    async def test_a_file_that_was_shared_in_the_thread(self, looking: Lookup, calls: Calls, time: StillTime) -> None:
        parent = await posted(calls)
        begun = await calls.ask("files.getUploadURLExternal", filename="plan.txt", length=4)
        file = begun["file_id"]
        await calls.send(begun["upload_url"], b"plan")
        assert not await looking.file(CHANNEL, parent, around(time), file)
        files = f'[{{"id": "{file}"}}]'
        await calls.ask("files.completeUploadExternal", files=files, channel_id=CHANNEL, thread_ts=parent)
        assert await looking.file(CHANNEL, parent, around(time), file)
        assert not await looking.file(CHANNEL, parent, around(time), "F1")


def test_where_to_look() -> None:
    assert (lookup.method(""), lookup.method("1.1")) == ("conversations.history", "conversations.replies")
