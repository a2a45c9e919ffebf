"""Form, shortcut, mention, direct message and Home from end to end, on a Slack that checks what it is sent."""

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette

from bot.doors.slack.opened import FIELD, PICK
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.elements import interactive
from bot.sandbox.slack.events import envelope
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Message, View
from bot.sandbox.slack.views import replace
from tests.doors.slack.harness import CHANNEL, SECRET, TEAM, served
from tests.doors.slack.room import Room, door_of, room_of, until
from tests.engine.conftest import BAD, GOOD, Bot

ANA, BEN, DEV, GUEST, FOX, US = "U0ANA", "U0BEN", "U0DEV", "U0GST", "U0FOX", "U0AISQ"
BACKEND = "ai-square/prod/backend"


class Modal:
    """The one modal that somebody has open."""

    def __init__(self, room: Room, user: str) -> None:
        self.room, self.user = room, user

    @property
    def view(self) -> View:
        return next(view for view in self.room.slack.workspace.modals.values() if view.user == self.user)

    @property
    def fields(self) -> dict[str, str]:
        """Parameter to block."""
        return {
            one.action_id.removeprefix(FIELD): one.block_id
            for one in interactive(self.view.body["blocks"])
            if one.action_id.startswith(FIELD)
        }

    async def is_filled(self) -> None:
        await until(lambda: self.room.slack.workspace.modals and self.view.body["submit"])

    async def picks(self, operation: str) -> None:
        await self.is_filled()
        before = self.view.hash
        assert (await self.room.slack.click_view(self.user, self.view.id, PICK, operation)).ok
        await until(lambda: self.view.hash != before)

    async def chooses(self, field: str, value: str) -> None:
        before = self.view.hash
        assert (await self.room.slack.click_view(self.user, self.view.id, f"{FIELD}{field}", value)).ok
        await until(lambda: self.view.hash != before)

    async def looks_up(self, field: str, typed: str = "") -> list[str]:
        found = await self.room.slack.suggest(self.user, self.view.id, f"{FIELD}{field}", typed)
        assert found.ok, found.note
        return [option["value"] for option in found.options]

    async def submits(self, **said: Any) -> Result:
        entries = {self.fields[name]: value for name, value in said.items()}
        return await self.room.slack.submit(self.user, self.view.id, entries)

    @property
    def is_open(self) -> bool:
        return any(view.user == self.user for view in self.room.slack.workspace.modals.values())


async def form(room: Room, operation: str, user: str = ANA) -> Modal:
    assert (await room.types(user, "")).ok
    modal = Modal(room, user)
    await modal.picks(operation)
    return modal


# --- the form


async def test_a_rollback_by_form(room: Room, bot: Bot) -> None:
    modal = await form(room, "rollback")
    await modal.chooses("service", BACKEND)
    assert (await modal.looks_up("to"))[:2] == [BAD, GOOD]
    result = await modal.submits(to=GOOD, reason="5xx “since” 14:02")
    assert result.ok and not modal.is_open
    await room.shows("✋ Waiting for approval: rollback ai-square/prod/backend")
    assert rf'rollback {BACKEND} --to {GOOD} --reason "5xx \"since\" 14:02"' in room.card.blocks[1]["elements"][0][
        "elements"
    ][1]["text"].replace("\u201c", '"')
    await room.clicks(BEN, "aisq.approve")
    await room.shows("⏳ About to begin")


async def test_a_look_by_form_is_answered_to_the_asker_alone(room: Room) -> None:
    modal = await form(room, "status")
    assert (await modal.submits(service=BACKEND)).ok
    await until(lambda: room.whispers)
    assert (room.whispers[-1].visible_to, room.cards) == (ANA, [])
    assert room.whispers[-1].text.startswith(BACKEND)


async def test_what_is_wrong_is_said_at_the_field_and_the_form_stays(room: Room) -> None:
    modal = await form(room, "traffic")
    result = await modal.submits(service=BACKEND, split="A=many")
    assert list(result.errors) == [modal.fields["split"]]
    assert "write RELEASE=PERCENT" in result.errors[modal.fields["split"]].replace("Write", "write")
    assert modal.is_open and room.operations() == ()
    assert (await modal.submits(split=f"{GOOD}=100")).ok
    await room.shows("✋ Waiting for approval: traffic")


async def test_a_refusal_is_said_in_the_form(room: Room) -> None:
    modal = await form(room, "rollback", DEV)
    result = await modal.submits(service=BACKEND)
    assert result.ok and modal.is_open
    assert "⛔" in json.dumps(modal.view.body["blocks"][0], ensure_ascii=False)
    assert room.cards == [] and room.whispers == []


async def test_a_form_delivered_twice_is_one_operation(room: Room) -> None:
    modal = await form(room, "rollback")
    await modal.submits(service=BACKEND)
    sent = room.slack.courier.sent[-1]
    assert sent.kind == "view_submission"
    again = {**sent.headers, **room.slack.signed(sent.body)}
    answers = await asyncio.gather(*(room.slack.send_raw(sent.body, again) for _ in range(3)))
    assert {answer.status for answer in answers} == {200}
    await room.shows("✋")
    assert (len(room.operations()), len(room.cards)) == (1, 1)


async def test_a_trigger_that_expired_is_said_to_the_person(room: Room) -> None:
    room.slack.workspace.now = _ahead(room)
    assert (await room.types(ANA, "")).ok
    await until(lambda: room.whispers)
    assert "three seconds" in room.whispers[-1].text and "/aisq help" in room.whispers[-1].text
    assert not room.slack.workspace.modals


def _ahead(room: Room) -> Any:
    """Slack's clock, on which four seconds pass between each two looks at it."""
    now, looks = room.slack.workspace.now, iter(range(0, 10_000, 4))
    return lambda: now() + next(looks)


async def test_slack_that_does_not_answer_the_opening_is_said(room: Room) -> None:
    room.slack.faults.add(Fault(Kind.SERVER_ERROR, "views.open"))
    assert (await room.types(ANA, "")).ok
    await until(lambda: room.whispers)
    assert "could not be opened" in room.whispers[-1].text


async def test_what_is_chosen_is_shown_though_another_process_was_faster(room: Room) -> None:
    modal = await form(room, "rollback")
    room.slack.faults.add(Fault(Kind.SLOW, "views.update", delay_s=0.5))
    await room.slack.click_view(ANA, modal.view.id, PICK, "traffic")
    body = {
        name: modal.view.body[name] for name in ("type", "title", "submit", "blocks", "private_metadata", "callback_id")
    }
    replace(room.slack.workspace, modal.view, body)
    await until(lambda: json.loads(modal.view.body["private_metadata"])["operation"] == "traffic")
    assert "split" in modal.fields
    assert [call.error for call in room.slack.workspace.calls if call.method == "views.update"][-2:] == [
        "hash_conflict",
        "",
    ]


# --- "aisq here"


async def said_in(room: Room, text: str = "it is slow", **more: str) -> Message:
    return (await room.slack.say(BEN, CHANNEL, text, **more)).shown[0]


async def test_the_shortcut_answers_in_the_thread(room: Room) -> None:
    parent = await said_in(room)
    reply = await said_in(room, "very", thread_ts=parent.ts)
    for message in (parent, reply):
        assert (await room.slack.shortcut(ANA, "aisq_here", CHANNEL, message.ts)).ok
        modal = Modal(room, ANA)
        await modal.picks("status")
        before = len(room.whispers)
        assert (await modal.submits(service=BACKEND)).ok
        await until(lambda: len(room.whispers) > before)  # noqa: B023
        assert (room.whispers[-1].thread_ts, room.whispers[-1].visible_to) == (parent.ts, ANA)


async def test_a_change_by_the_shortcut_is_posted_in_the_thread_it_begins(room: Room) -> None:
    alone = await said_in(room)
    await room.slack.shortcut(ANA, "aisq_here", CHANNEL, alone.ts)
    modal = Modal(room, ANA)
    await modal.picks("rollback")
    assert (await modal.submits(service=BACKEND)).ok
    await room.shows("✋ Waiting for approval")
    assert room.card.thread_ts == alone.ts
    assert "it begins now" in await room.is_told(BEN, "aisq.approve")
    assert room.whispers[-1].thread_ts == alone.ts, "clicked in a thread, answered in it"


# --- mentions and direct messages


async def test_a_mention_in_a_channel_is_answered_where_it_is_seen(room: Room) -> None:
    await room.slack.say(ANA, CHANNEL, "@aisq: status backend")
    await until(lambda: room.whispers)
    assert (room.whispers[-1].visible_to, room.whispers[-1].thread_ts) == (ANA, None)
    assert room.whispers[-1].text.startswith(BACKEND)


async def test_a_mention_in_a_thread_is_answered_in_it(room: Room) -> None:
    parent = await said_in(room)
    await room.slack.say(ANA, CHANNEL, "please @aisq rollback backend --reason “5xx & more”", thread_ts=parent.ts)
    await room.shows("✋ Waiting for approval")
    assert room.card.thread_ts == parent.ts
    assert room.operations()[0].request.text == "rollback backend --reason “5xx & more”"
    await room.slack.say(ANA, CHANNEL, "@aisq rolback backend", thread_ts=parent.ts)
    await until(lambda: room.whispers)
    assert room.whispers[-1].thread_ts == parent.ts
    assert "Did you mean `rollback`?" in room.whispers[-1].text


async def test_a_change_by_a_mention_begins_a_thread(room: Room) -> None:
    asked = (await room.slack.say(ANA, CHANNEL, "@aisq rollback backend")).shown[0]
    await room.shows("✋ Waiting for approval")
    assert room.card.thread_ts == asked.ts


async def test_a_direct_message_is_answered_plainly(room: Room) -> None:
    said = {f"status {BACKEND}": BACKEND, "/aisq whoami": "Ana Alvarez", "@aisq": "Commands", "rolback x": "I don"}
    for text, begins in said.items():
        await room.slack.say(ANA, US, text)
        await until(lambda: mine(room))
        assert mine(room)[-1].text.startswith(begins), text
        assert mine(room)[-1].thread_ts is None
        room.slack.workspace.messages["D0ANA"].clear()
    assert room.whispers == []


def mine(room: Room) -> list[Message]:
    return [message for message in room.slack.workspace.in_channel("D0ANA") if message.by_app]


def event(**changed: Any) -> dict[str, Any]:
    told = {
        "type": "app_mention",
        "channel": CHANNEL,
        "user": ANA,
        "text": f"<@{US}> rollback backend",
        "ts": "1790000000.1",
    }
    return {**told, "team": TEAM, **changed}


UNHEARD: dict[str, dict[str, Any]] = {
    "a bot": {"bot_id": "B0CI"},
    "an app": {"app_id": "A0CI"},
    "ourselves": {"user": US},
    "an edit": {"edited": {"user": ANA, "ts": "2.0"}},
    "a notice of an edit": {"type": "message", "channel_type": "im", "subtype": "message_changed", "user": None},
    "a notice": {"subtype": "channel_join"},
    "a message that is hidden": {"type": "message", "channel_type": "im", "hidden": True},
    "a message in a channel": {"type": "message", "channel_type": "channel"},
    "a message of nobody": {"user": None},
}


@pytest.mark.parametrize("name", UNHEARD)
async def test_what_is_not_said_to_us_by_a_person_is_not_answered(name: str, room: Room) -> None:
    deliveries = await room.slack.event(event(**UNHEARD[name]))
    assert [one.status for one in deliveries] == [200]
    await asyncio.sleep(0.1)
    assert (room.operations(), room.cards, room.whispers) == ((), [], [])


async def test_somebody_of_another_workspace_is_told_so(room: Room) -> None:
    await room.slack.say(FOX, "C0OPS", "@aisq rollback backend")
    await until(lambda: room.whispers)
    assert room.whispers[-1].text == "I answer only people of the workspace that I belong to."
    assert room.door.refusals == {"another workspace": 1}


async def test_an_event_delivered_twice_is_one_operation_also_through_another_door(room: Room) -> None:
    await room.slack.event(event(ts="1790000000.1"), event_id="Ev1")
    await room.shows("✋")
    await room.slack.event(event(ts="1790000000.1"), event_id="Ev1")
    other = door_of(room.bot, room.slack)
    async with served(Starlette(routes=other.routes())) as address:
        await other.start()
        elsewhere = Courier(SECRET, f"{address}/slack/events")
        await elsewhere.event(envelope(room.slack.workspace, event(), "Ev1"))
        again = envelope(room.slack.workspace, event(ts="1790000000.2"), "Ev2")
        both = await asyncio.gather(*(courier.event(again) for courier in (room.slack.courier, elsewhere)))
        assert [one.status for one in both] == [200, 200]
        await until(lambda: len(room.operations()) == 2)
        await elsewhere.close()
        await other.stop()
    assert len(room.operations()) == 2


async def test_a_retry_of_what_was_never_written_down_is_heard(room: Room) -> None:
    payload_headers = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    await room.slack.event(event(type="app_mention", text="hello"), event_id="Ev0")
    sent = room.slack.courier.sent[-1]
    body = sent.body.replace(b"Ev0", b"Ev9").replace(b"hello", b"<@U0AISQ> rollback backend")
    headers = {**sent.headers, **room.slack.signed(body), **payload_headers}
    assert (await room.slack.send_raw(body, headers)).status == 200
    await room.shows("✋")


async def test_slack_may_ask_whether_it_is_us(room: Room) -> None:
    assert (await room.slack.verify_url()).ok


# --- the Home


def home(room: Room, user: str) -> str:
    view = room.slack.workspace.homes.get(user)
    return json.dumps(view.body["blocks"], ensure_ascii=False) if view else ""


async def test_the_home_shows_what_waits_and_takes_the_decision(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    assert (await room.slack.open_home(BEN)).ok
    await until(lambda: id in home(room, BEN))
    assert "Approve" in home(room, BEN)
    result = await room.slack.click_view(BEN, room.slack.workspace.homes[BEN].id, "aisq.approve", confirmed=False)
    assert "nothing was sent" in result.note
    assert (await room.slack.click_view(BEN, room.slack.workspace.homes[BEN].id, "aisq.approve")).ok
    await room.shows("⏳ About to begin")
    direct = await until(lambda: [one for one in room.slack.workspace.in_channel("D0BEN") if one.by_app])
    assert "it begins now" in direct[-1].text
    await until(lambda: "About to begin" in home(room, BEN))
    assert "Approve" not in home(room, BEN)


async def test_ones_own_request_is_not_offered_and_cannot_be_approved_there(room: Room) -> None:
    await room.asks(ANA, "rollback backend")
    await room.slack.open_home(ANA)
    await until(lambda: "In progress (1)" in home(room, ANA))
    assert "Approve" not in home(room, ANA)


async def test_identity_is_checked_at_the_click_in_the_home(room: Room, bot: Bot, time: Any) -> None:
    id = await room.asks(ANA, "rollback backend")
    await room.slack.open_home(BEN)
    await until(lambda: id in home(room, BEN))
    room.slack.workspace.people[BEN].deleted = True
    time.advance(300)
    await room.slack.click_view(BEN, room.slack.workspace.homes[BEN].id, "aisq.approve")
    await asyncio.sleep(0.3)
    assert bot.ledger.operation(id).approvals == ()


async def test_the_home_begins_a_form(room: Room) -> None:
    await room.slack.open_home(ANA)
    await until(lambda: home(room, ANA))
    assert (await room.slack.click_view(ANA, room.slack.workspace.homes[ANA].id, "aisq.new")).ok
    modal = Modal(room, ANA)
    await modal.picks("whoami")
    assert (await modal.submits()).ok
    await until(lambda: mine(room))
    assert mine(room)[-1].text.startswith("Ana Alvarez")


async def test_who_may_not_look_sees_why(room: Room) -> None:
    await room.slack.open_home(GUEST)
    await until(lambda: "⛔" in home(room, GUEST))
    assert "Waiting" not in home(room, GUEST)


async def test_who_was_deactivated_sees_nothing_more(bot: Bot, live_slack: FakeSlack) -> None:
    async with room_of(bot, live_slack, bot.people.source("slack")) as room:
        id = await room.asks(ANA, "rollback backend")
        await room.slack.open_home(BEN)
        await until(lambda: id in home(room, BEN))
        room.slack.workspace.people[BEN].deleted = True
        await room.slack.event({"type": "user_change", "user": {"id": BEN}})
        await until(lambda: "⛔" in home(room, BEN))
        assert id not in home(room, BEN)
