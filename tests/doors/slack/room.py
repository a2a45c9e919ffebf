"""A channel of the fake Slack with the bot in it: what people do there, and what they see."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from bot.core.system import OperationRecord
from bot.doors.slack import SlackDoor
from bot.doors.slack.outbound.lookup import EVENT
from bot.doors.slack.outbound.pace import Pace
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Message
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import CHANNEL, SECRET, TEAM, TOKEN, served

PATIENCE_S = 20.0


def door_of(bot: Any, slack: FakeSlack, people: Any = None) -> SlackDoor:
    """A door of the bot (anything with `front`, `clock` and `_engine`) to that Slack, in more of a hurry than usual."""
    return SlackDoor(
        bot.front,
        SqlMessages(bot._engine),
        bot.clock,
        bot_token=TOKEN,
        signing_secret=SECRET,
        api_url=f"{slack.base_url}/api/",
        team_id=TEAM,
        people=people,
        pace=Pace(poll_s=0.02, edit_every_s=0.05, edit_takeover_s=0.5),
        share=lambda: 1000.0,
    )


@asynccontextmanager
async def room_of(bot: Any, slack: FakeSlack, people: Any = None) -> AsyncIterator["Room"]:
    """The bot behind its door, on a port that Slack knows; `people` are told of what changes."""
    door = door_of(bot, slack, people)
    async with served(Starlette(routes=door.routes())) as address:
        slack.bot_url = f"{address}/slack/events"
        await door.start()
        yield Room(slack, door, bot)
        await door.stop()


async def until(holds: Callable[[], Any], what: str = "") -> Any:
    """Wait for something that happens in the background; what it gave."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := holds()):
            await asyncio.sleep(0.01)
    return found


class Room:
    """One channel."""

    def __init__(self, slack: FakeSlack, door: SlackDoor, bot: Any, channel: str = CHANNEL) -> None:
        self.slack, self.door, self.bot, self.channel = slack, door, bot, channel

    # --- what people do

    async def types(self, user: str, text: str) -> Result:
        return await self.slack.slash(user, self.channel, text)

    async def clicks(self, user: str, action: str, card: Message | None = None, **more: Any) -> Result:
        card = card or self.card
        return await self.slack.click(user, self.channel, card.ts, action, **more)

    async def asks(self, user: str, text: str) -> str:
        """Type a change and wait for its card; the operation's id."""
        before = len(self.cards)
        assert (await self.types(user, text)).ok
        await until(lambda: len(self.cards) > before and not self.card.text.startswith("⏳"))
        return str(self.card.metadata["event_payload"]["operation"])

    async def hears(self, user: str, text: str) -> str:
        """Type something whose answer is for that person alone, however it comes; the answer."""
        before = len(self.whispers)
        result = await self.types(user, text)
        assert result.ok, result.note
        await until(lambda: len(self.whispers) > before)
        assert self.whispers[-1].visible_to == user
        return self.whispers[-1].text

    async def is_told(self, user: str, action: str) -> str:
        """Click, and wait for what the clicker alone is told."""
        before = len(self.whispers)
        assert (await self.clicks(user, action)).ok
        await until(lambda: len(self.whispers) > before)
        assert self.whispers[-1].visible_to == user
        return self.whispers[-1].text

    # --- what people see

    @property
    def cards(self) -> list[Message]:
        """The messages of changes; what stands in their threads is not among them."""
        said = self.slack.workspace.in_channel(self.channel)
        return [message for message in said if message.by_app and message.metadata.get("event_type") == EVENT]

    @property
    def replies(self) -> list[Message]:
        """What the bot said in the thread of the newest card."""
        said = self.slack.workspace.in_channel(self.channel)
        return [message for message in said if message.by_app and message.thread_ts == self.card.ts]

    @property
    def card(self) -> Message:
        return self.cards[-1]

    @property
    def whispers(self) -> list[Message]:
        return self.slack.workspace.ephemerals

    async def shows(self, headline: str) -> Message:
        """Wait until the newest card says so."""
        await until(lambda: self.cards and self.card.text.startswith(headline))
        return self.card

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.slack.workspace.calls)

    def posts(self) -> int:
        """How often a card was posted, or tried to be."""
        found = [call for call in self.slack.workspace.calls if call.method == "chat.postMessage"]
        return sum("thread_ts" not in call.args for call in found)

    def operations(self) -> tuple[OperationRecord, ...]:
        return tuple(self.bot.ledger.operations(limit=100))
