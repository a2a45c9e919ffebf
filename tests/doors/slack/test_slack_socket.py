"""Socket Mode: the same conversation as over HTTP, and connections that end, die in silence, or never come about."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.applications import Starlette

from bot.doors.slack import SlackDoor
from bot.doors.slack.draw.cards import APPROVE, DENY
from bot.doors.slack.outbound.pace import Pace
from bot.doors.slack.socket import Socket
from bot.sandbox.slack import FakeSlack, routes
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.link import envelope
from bot.stores.messages import SqlMessages
from tests.doors.slack.harness import SECRET, TEAM, TOKEN, served
from tests.doors.slack.room import Room, room_of, until
from tests.engine.conftest import Bot

APP_TOKEN = "xapp-1-sandbox"
ANA, BEN, FOX = "U0ANA", "U0BEN", "U0FOX"


@pytest.fixture
async def live_slack() -> AsyncIterator[FakeSlack]:
    """A fake Slack in real time, where the app has a token of its own."""
    fake = FakeSlack(SECRET, TOKEN, "", has_budgets=False, app_token=APP_TOKEN)
    async with served(Starlette(routes=routes(fake))) as address:
        fake.base_url = address
        yield fake
        await fake.close()


def linked_door(bot: Any, slack: FakeSlack) -> SlackDoor:
    door = SlackDoor(
        bot.front, SqlMessages(bot._engine), bot.clock, bot_token=TOKEN, signing_secret="", app_token=APP_TOKEN,
        api_url=f"{slack.base_url}/api/", team_id=TEAM, pace=Pace(poll_s=0.02, edit_every_s=0.05),
        share=lambda: 1000.0,
    )  # fmt: skip
    hurried(door)
    return door


def hurried(door: SlackDoor) -> None:
    """What takes seconds takes tenths of them."""
    assert door._socket is not None
    door._socket = Socket(door._socket._app, APP_TOKEN, ping_s=0.2, patience_s=2.0)


@asynccontextmanager
async def linked(bot: Any, slack: FakeSlack) -> AsyncIterator[Room]:
    door = linked_door(bot, slack)
    await door.start()
    await until(door.connected)
    yield Room(slack, door, bot)
    await door.stop()


@pytest.fixture
async def room(bot: Bot, live_slack: FakeSlack) -> AsyncIterator[Room]:
    async with linked(bot, live_slack) as made:
        yield made


async def talked(room: Room) -> list[str]:
    """A question, a wrong word, a change, two decisions, and a direct message; everything that people saw of it."""
    seen = [await room.hears(ANA, "status backend"), await room.hears(ANA, "rolback backend")]
    operation = await room.asks(ANA, "rollback backend")
    seen += [room.card.text, await room.is_told(ANA, APPROVE), await room.is_told(BEN, DENY)]
    seen.append((await room.shows("⛔ Denied")).text)
    said = await room.slack.say(BEN, "U0AISQ", "whoami")
    assert said.ok
    direct = said.shown[0].channel
    await until(lambda: room.slack.workspace.in_channel(direct)[-1].by_app)
    seen.append(room.slack.workspace.in_channel(direct)[-1].text)
    seen += [f"{one.request.text}: {one.state}" for one in room.operations() if one.id == operation]
    return [re.sub(r"plan \w{12}|<!date[^>]*>", "…", text.replace(operation, "ID")) for text in seen]


async def test_the_same_conversation_over_http_and_over_a_connection(bot: Bot, live_slack: FakeSlack) -> None:
    async with room_of(bot, live_slack) as over_http:
        heard = await talked(over_http)
    live_slack.bot_url = ""
    async with linked(bot, live_slack) as over_link:
        assert await talked(over_link) == heard
    kinds = {sent.kind for sent in live_slack.courier.sent if sent.envelope}
    assert kinds == {"slash_command", "block_actions", "event"}


async def test_there_is_no_route_that_somebody_could_post_to(room: Room) -> None:
    assert room.door.routes() == []
    assert room.door.connected() is True


async def test_over_http_nobody_speaks_of_a_connection(bot: Bot, live_slack: FakeSlack) -> None:
    async with room_of(bot, live_slack) as over_http:
        assert over_http.door.connected() is None


async def test_people_of_another_workspace_are_refused_there_too(room: Room) -> None:
    assert await room.hears(FOX, "rollback backend") == "I answer only people of the workspace that I belong to."
    assert (room.operations(), room.door.refusals) == ((), {"another workspace": 1})


async def test_an_envelope_that_comes_again_is_acknowledged_and_does_nothing(room: Room) -> None:
    await room.asks(ANA, "rollback backend")
    first = next(sent for sent in room.slack.courier.sent if sent.kind == "slash_command")
    again = envelope("slash_commands", first.envelope["payload"])
    assert (await room.slack.courier.send(first)).status == 200
    assert await room.slack.link.carry(again) == {}
    await asyncio.sleep(0.1)
    assert (len(room.operations()), len(room.cards)) == (1, 1)


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_slack_ends_a_connection_and_there_is_another(reason: str, room: Room) -> None:
    assert await room.slack.link.disconnect(reason) == 1
    await until(lambda: room.slack.link.open)
    with suppress(AssertionError):  # what comes on a connection that is just being left is lost, and typed again
        await room.hears(ANA, "whoami")
    assert "sre-oncall" in await room.hears(ANA, "whoami")


async def test_what_is_not_acknowledged_is_shown_as_late_and_events_come_again(
    bot: Bot, live_slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hears_nothing(*_: object) -> None: ...

    monkeypatch.setattr("bot.sandbox.slack.link.ACK_DEADLINE_S", 0.1)
    monkeypatch.setattr(Socket, "_hear", hears_nothing)
    async with linked(bot, live_slack) as room:
        assert (await room.types(ANA, "whoami")).error == "operation_timeout"
        await live_slack.event({"type": "user_change", "user": {"id": ANA}})
    sent = [one.envelope for one in live_slack.courier.sent if one.kind == "event"]
    assert [one.get("retry_attempt") for one in sent] == [None, 1, 2, 3]
    assert {one["retry_reason"] for one in sent[1:]} == {"timeout"}


class Line:
    """Between the bot and Slack; cut, it carries nothing more, and nobody is told."""

    def __init__(self, address: str) -> None:
        self._host, self._port = address.removeprefix("http://").split(":")
        self.is_cut = False

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()

    async def _joined(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, out = await asyncio.open_connection(self._host, int(self._port))
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(self._carried(near, out), self._carried(far, back))
        back.close()
        out.close()

    async def _carried(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        was_cut = self.is_cut
        while data := await source.read(65536):
            if self.is_cut and not was_cut:
                await asyncio.sleep(3600)
            sink.write(data)
            await sink.drain()
        sink.close()


async def test_a_connection_that_dies_in_silence_is_noticed_and_replaced(bot: Bot, live_slack: FakeSlack) -> None:
    line = Line(live_slack.base_url)
    async with line.laid() as address:
        live_slack.base_url = address
        async with linked(bot, live_slack) as room:
            assert len(live_slack.link.open) == 1
            line.is_cut = True
            await until(lambda: len(live_slack.link.open) == 2)
            live_slack.link.open.pop(0)
            assert "sre-oncall" in await room.hears(ANA, "whoami")


async def test_a_slack_that_cannot_be_reached_is_tried_again_until_it_can(bot: Bot, live_slack: FakeSlack) -> None:
    live_slack.faults.add(Fault(Kind.DOWN, "apps.connections.open"))
    door = linked_door(bot, live_slack)
    await door.start()
    await until(lambda: any(call.method == "apps.connections.open" for call in live_slack.workspace.calls))
    assert door.connected() is False
    live_slack.faults.clear()
    await until(door.connected)
    await door.stop()
    assert door.connected() is False


async def test_a_token_that_slack_does_not_take_leaves_the_rest_working(bot: Bot, live_slack: FakeSlack) -> None:
    door = linked_door(bot, live_slack)
    assert door._socket is not None
    door._socket = Socket(door._socket._app, "xapp-wrong", ping_s=0.05, patience_s=0.2)
    await door.start()
    await until(lambda: sum(call.error == "invalid_auth" for call in live_slack.workspace.calls) > 2)
    assert door.connected() is False
    await door.stop()


async def test_what_was_begun_is_finished_before_the_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = room.bot.front.submit
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly(ask: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.2)
        return submit(ask)

    monkeypatch.setattr(room.bot.front, "submit", slowly)
    typing = asyncio.ensure_future(room.types(ANA, "rollback backend"))
    await begun.wait()
    await room.door.stop()
    assert (await typing).ok
    assert len(room.operations()) == 1
