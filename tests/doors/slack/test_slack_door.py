"""The door from end to end: signed HTTP in, the engine with a still clock and a platform of the tests, messages out."""

import asyncio
import json
from urllib.parse import urlencode

import httpx
import pytest

from bot.core.errors import StoreError
from bot.sandbox.slack.faults import Fault, Kind
from tests.doors.slack.harness import TEAM, StillTime
from tests.doors.slack.room import Room, door_of, until
from tests.engine.conftest import GOOD, Bot

ANA, BEN, CHO, DEV, EVE, GUEST, FOX = "U0ANA", "U0BEN", "U0CHO", "U0DEV", "U0EVE", "U0GST", "U0FOX"
APPROVE, DENY = "aisq.approve", "aisq.deny"
OWN = "Nobody approves their own request (guard.own-request). It needs somebody other than the requester."


async def works(bot: Bot, operation: str) -> None:
    await asyncio.to_thread(bot.work, operation)


# --- the main job


async def test_a_rollback_from_the_command_to_the_judgement(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend --reason “5xx since 14:02”")
    await room.shows("✋ Waiting for approval: rollback ai-square/prod/backend")
    assert await room.is_told(ANA, APPROVE) == OWN
    assert "it begins now" in await room.is_told(BEN, APPROVE)
    await room.shows("⏳ About to begin")
    await works(bot, id)
    await room.shows("✅ Done: rollback ai-square/prod/backend")
    assert bot.platform.serving == {GOOD: 100}
    await asyncio.to_thread(bot.ledger.judged, id, "holds", "Errors fell from 10 % to 0.1 %.")
    card = await room.shows("✅ Done: rollback ai-square/prod/backend. Errors fell from 10 % to 0.1 %.")
    assert len(room.cards) == 1
    assert "Approved by Ben Brooks." in json.dumps(card.blocks)


async def test_the_one_who_asked_is_shown_by_name_with_what_was_typed(room: Room) -> None:
    await room.asks(ANA, "rollback backend --reason “p99 > 2 s & rising”")
    shown = json.dumps(room.card.blocks, ensure_ascii=False)
    assert "Ana Alvarez asked: " in shown
    assert "rollback backend --reason “p99 > 2 s & rising”" in shown


async def test_deny_ends_it(room: Room, bot: Bot) -> None:
    await room.asks(ANA, "rollback backend")
    await room.clicks(CHO, DENY)
    card = await room.shows("⛔ Denied: rollback ai-square/prod/backend. denied by Cho Tanaka; nothing was done")
    assert "actions" not in [block["type"] for block in card.blocks]
    assert bot.platform.writes == []


async def test_break_glass_is_for_everyone_to_see(room: Room, bot: Bot) -> None:
    await room.types(ANA, 'rollback backend --break-glass "nobody else is awake"')
    card = await room.shows("⏳ About to begin")
    id = card.metadata["event_payload"]["operation"]
    await works(bot, id)
    card = await room.shows("✅ Done")
    assert "🚨 BREAK GLASS: " in json.dumps(card.blocks, ensure_ascii=False)
    assert "nobody else is awake" in json.dumps(card.blocks)


async def test_a_look_is_answered_to_the_asker_alone(room: Room) -> None:
    assert (await room.hears(ANA, "status backend")).startswith("ai-square/prod/backend. ")
    assert (await room.hears(ANA, "help")).startswith("Commands. ")
    assert room.cards == []


async def test_a_dry_run_is_shown_to_the_asker_alone(room: Room) -> None:
    said = await room.hears(ANA, "rollback backend --dry-run")
    assert said.startswith("📝 Dry run, nothing done: rollback ai-square/prod/backend")
    assert room.cards == []


async def test_nothing_is_asked_of_slack_before_the_answer_about_people_it_knows(room: Room) -> None:
    await room.hears(ANA, "whoami")
    before = len(room.slack.workspace.calls)
    room.slack.faults.add(Fault(Kind.DOWN))
    result = await room.types(ANA, "rollback bakend")
    assert "did you mean `backend`?" in result.shown[0].text
    assert len(room.slack.workspace.calls) == before


# --- heard twice


async def again(room: Room, number: int = -1) -> int | None:
    """Slack delivers the same request again, signed anew."""
    sent = room.slack.courier.sent[number]
    headers = {**sent.headers, **room.slack.signed(sent.body)}
    return (await room.slack.send_raw(sent.body, headers)).status


async def test_a_command_delivered_twice_is_one_operation(room: Room) -> None:
    await room.asks(ANA, "rollback backend")
    assert await again(room) == 200
    assert (await room.slack.replay(0)).status == 200
    await asyncio.sleep(0.1)
    assert (len(room.operations()), len(room.cards)) == (1, 1)


async def test_a_command_delivered_twice_at_once_is_one_operation(room: Room) -> None:
    await room.types(ANA, "whoami")
    sent = room.slack.courier.sent[-1]
    body = sent.body.replace(b"whoami", b"rollback+backend").replace(b"trigger_id=", b"trigger_id=new")
    raw = {**sent.headers, **room.slack.signed(body)}
    answers = await asyncio.gather(*(room.slack.send_raw(body, raw) for _ in range(4)))
    assert {answer.status for answer in answers} == {200}
    await room.shows("✋")
    assert (len(room.operations()), len(room.cards)) == (1, 1)


async def test_a_double_click_approves_once(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    clicks = await asyncio.gather(*(room.clicks(BEN, APPROVE) for _ in range(3)))
    assert all(click.ok for click in clicks)
    await room.shows("⏳ About to begin")
    await until(lambda: len(room.whispers) == 3)
    assert len(bot.ledger.operation(id).approvals) == 1
    assert [event.event for event in bot.audit.entries(operation=id)].count("approved") == 1
    late = [said.text for said in room.whispers if "begins now" not in said.text.split(".")[-1]]
    assert all("is not waiting for approval" in text for text in late)


async def test_a_click_delivered_twice_is_one_click(room: Room, bot: Bot) -> None:
    await room.asks(ANA, "rollback backend")
    await room.clicks(BEN, APPROVE)
    assert await again(room) == 200
    await until(lambda: room.whispers)
    await asyncio.sleep(0.1)
    assert len(room.whispers) == 1


# --- refused at the click


async def test_who_has_no_role_approves_nothing(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    for user in (DEV, GUEST):
        await room.is_told(user, APPROVE)
    assert bot.ledger.operation(id).state == "waiting"
    assert bot.ledger.operation(id).approvals == ()


async def test_the_plan_of_an_old_card_cannot_be_approved(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    (button, _) = room.card.blocks[-1]["elements"]
    button["value"] = f"{id} {'0' * 64}"
    assert await room.is_told(BEN, APPROVE) == "⛔ that was another plan; look at the one shown now and approve that"
    assert bot.ledger.operation(id).approvals == ()


async def test_what_a_deactivated_person_asked_for_is_not_approved(room: Room, bot: Bot, time: StillTime) -> None:
    id = await room.asks(ANA, "rollback backend")
    room.slack.workspace.people[ANA].deleted = True
    time.advance(300)  # what is known of ana is looked up again
    said = await room.is_told(BEN, APPROVE)
    assert said == "⛔ Ana Alvarez, who asked for it, was deactivated since; ask for it yourself"
    assert bot.ledger.operation(id).approvals == ()


async def test_an_approver_who_was_deactivated_since_is_refused(room: Room, bot: Bot, time: StillTime) -> None:
    id = await room.asks(ANA, "rollback backend")
    room.slack.workspace.people[BEN].deleted = True
    time.advance(300)
    assert "(guard.deactivated)" in await room.is_told(BEN, APPROVE)
    assert bot.ledger.operation(id).approvals == ()


async def test_what_expired_cannot_be_approved_and_says_so(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    bot.clock.advance(31 * 60)
    assert await room.is_told(BEN, APPROVE) == "⛔ its time to be approved has passed; ask for it again"
    await asyncio.to_thread(bot.ledger.expire)
    await room.shows("⌛ Expired: rollback ai-square/prod/backend. nobody approved it in time; nothing was done")
    assert bot.ledger.operation(id).state == "expired"


async def test_while_slack_cannot_say_who_approves_nothing_is_approved(room: Room, bot: Bot, time: StillTime) -> None:
    id = await room.asks(ANA, "rollback backend")
    room.slack.faults.add(Fault(Kind.SERVER_ERROR, "users.info"))
    assert "nobody could be asked whether you are still active" in await room.is_told(BEN, APPROVE)
    time.advance(5)
    assert "it begins now" in await room.is_told(BEN, APPROVE), id


# --- who may not ask at all


@pytest.mark.parametrize("user", [EVE, GUEST])
async def test_who_is_not_active_is_refused(user: str, room: Room) -> None:
    assert "(guard.deactivated)" in await room.hears(user, "rollback backend")
    assert "(guard.deactivated)" in await room.hears(user, "status backend")
    assert room.cards == []


async def test_another_workspace_is_refused_and_nothing_is_written(room: Room) -> None:
    assert await room.hears(FOX, "rollback backend") == "I answer only people of the workspace that I belong to."
    assert room.operations() == ()
    assert room.door.refusals == {"another workspace": 1}


async def test_who_has_no_role_is_told_what_is_missing(room: Room) -> None:
    said = await room.hears(DEV, "rollback backend")
    assert "It needs" in said or "needs" in said
    assert room.cards == []


# --- Slack misbehaves


async def test_a_lost_answer_makes_no_second_card(room: Room) -> None:
    room.slack.faults.add(Fault(Kind.LOST_ANSWER, "chat.postMessage"))
    await room.asks(ANA, "rollback backend")
    await until(lambda: room.calls("conversations.history"))
    await room.clicks(BEN, APPROVE)
    await room.shows("⏳ About to begin")
    assert (len(room.cards), room.posts()) == (1, 1)


async def test_slack_is_busy_when_the_card_is_posted_and_when_it_is_edited(room: Room) -> None:
    room.slack.faults.add(Fault(Kind.RATELIMITED, "chat.postMessage", retry_after_s=1))
    room.slack.faults.add(Fault(Kind.RATELIMITED, "chat.update", retry_after_s=1))
    await room.asks(ANA, "rollback backend")
    await room.clicks(BEN, APPROVE)
    await room.shows("⏳ About to begin")
    assert room.posts() == 2 and room.calls("chat.update") >= 2


async def test_the_rollback_goes_on_while_slack_is_down_and_the_message_is_right_afterwards(
    room: Room, bot: Bot
) -> None:
    id = await room.asks(ANA, "rollback backend")
    await room.clicks(BEN, APPROVE)
    await room.shows("⏳ About to begin")
    room.slack.faults.add(Fault(Kind.DOWN))
    await works(bot, id)
    assert bot.platform.serving == {GOOD: 100}
    assert room.card.text.startswith("⏳ About to begin")
    room.slack.faults.clear()
    await room.shows("✅ Done")
    assert len(room.cards) == 1


# --- ours misbehaves


async def test_a_database_that_is_away_is_said_and_nothing_is_done(
    room: Room, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreError("aisq's database cannot be used now (connection refused); ask again in a moment.")

    monkeypatch.setattr(bot.ledger, "accept", away)
    assert await room.hears(ANA, "rollback backend") == (
        "aisq could not write your request down; nothing was done that `ops` does not show."
        " aisq's database cannot be used now (connection refused); ask again in a moment."
    )


async def test_the_next_life_shows_what_this_one_left(room: Room, bot: Bot) -> None:
    id = await room.asks(ANA, "rollback backend")
    await room.door.stop()
    await room.clicks(BEN, APPROVE)
    await until(lambda: bot.ledger.operation(id).state == "queued")
    await works(bot, id)
    next_life = door_of(room.bot, room.slack)
    await next_life.start()
    await room.shows("✅ Done")
    await next_life.stop()
    assert len(room.cards) == 1


async def test_a_call_that_does_not_end_keeps_the_process_from_ending_only_for_a_moment(room: Room) -> None:
    room.slack.faults.add(Fault(Kind.SLOW, "chat.postMessage", delay_s=5))
    await room.types(ANA, "rollback backend")
    await until(lambda: room.calls("chat.postMessage"))
    async with asyncio.timeout(4):
        await room.door.stop()
    next_life = door_of(room.bot, room.slack)
    await next_life.start()
    await room.types(BEN, f"deny {room.card.metadata['event_payload']['operation']}")
    await room.shows("⛔ Denied")
    await next_life.stop()
    assert len(room.cards) == 1


async def test_a_bug_in_a_round_is_survived(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = room.door._gateway
    rounds = gateway.round

    async def fails() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gateway, "round", fails)
    await until(lambda: "the gateway met a bug" in caplog.text)
    monkeypatch.setattr(gateway, "round", rounds)
    await room.hears(ANA, "whoami")


# --- what nobody should send


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


NONSENSE = {
    "nothing": b"",
    "a payload that is no JSON": form(payload="not json"),
    "a payload that is a list": form(payload="[]"),
    "an interaction without anything": form(payload="{}"),
    "a click on nothing of ours": form(
        payload=json.dumps(
            {
                "type": "block_actions",
                "team": {"id": TEAM},
                "user": {"id": ANA},
                "actions": [{"action_id": "x", "block_id": "b", "type": "button"}],
            }
        )
    ),
    "a click without a message": form(
        payload=json.dumps(
            {
                "type": "block_actions",
                "team": {"id": TEAM},
                "user": {"id": ANA},
                "actions": [{"action_id": APPROVE, "block_id": "b", "type": "button"}],
            }
        )
    ),
    "another command": form(command="/other", team_id=TEAM, user_id=ANA, channel_id="C0AISQ", trigger_id="1"),
    "a command without a channel": form(command="/aisq", team_id=TEAM, user_id=ANA, trigger_id="1"),
    "an event that nobody asked for": b'{"type": "event_callback", "event": {"type": "x"}}',
    "JSON that is no object": b"[1, 2]",
    "binary": b"\x00\x01\x02",
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_signed_nonsense_breaks_nothing_and_shows_no_traceback(name: str, room: Room) -> None:
    body = NONSENSE[name]
    kind = "application/json" if body[:1] in (b"{", b"[") else "application/x-www-form-urlencoded"
    answer = await room.slack.send_raw(body, {"Content-Type": kind, **room.slack.signed(body)})
    assert answer.status is not None and answer.status < 500
    assert b"Traceback" not in answer.content and b"Error" not in answer.content
    assert room.operations() == ()


async def test_slacks_own_check_of_the_address_is_answered(room: Room) -> None:
    checked = await room.slack.verify_url()
    assert checked.delivery is not None and checked.delivery.body["challenge"]


async def test_unsigned_requests_never_reach_bolt(room: Room) -> None:
    for body in (b"ssl_check=1", b'{"type": "url_verification", "challenge": "x"}', form(command="/aisq")):
        answer = await room.slack.send_raw(body, {"Content-Type": "application/x-www-form-urlencoded"})
        assert (answer.status, answer.content) == (401, b"refused\n")
    assert room.door.refusals == {"headers": 3}


async def test_the_address_takes_nothing_but_posts(room: Room) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(room.slack.bot_url)).status_code == 405
