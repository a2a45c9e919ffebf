"""What must not get in, from end to end: refused in the same few words, and nothing is written, only counted."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import pytest
from sqlalchemy import inspect, text
from starlette.applications import Starlette

from bot.doors.slack import SlackDoor
from bot.doors.slack.draw.cards import APPROVE
from bot.doors.slack.guard import LONGEST_BODY, REFUSED
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.delivery import FORM
from tests.doors.slack.harness import served
from tests.doors.slack.room import Room, door_of
from tests.engine.conftest import Bot

ANA, BEN, FOX = "U0ANA", "U0BEN", "U0FOX"
Headers = dict[str, str]


class Attempt(NamedTuple):
    """What is sent instead of a command that Slack would have delivered, and what comes of it."""

    why: str
    status: int
    send: Callable[[FakeSlack, bytes], tuple[bytes, Headers]]


def stamped(late_s: float) -> Callable[[FakeSlack, bytes], tuple[bytes, Headers]]:
    return lambda slack, body: (body, slack.signed(body, int(slack.workspace.now() + late_s)))


def without(name: str) -> Callable[[FakeSlack, bytes], tuple[bytes, Headers]]:
    return lambda slack, body: (body, {key: one for key, one in slack.signed(body).items() if key != name})


def signed(body: bytes) -> Callable[[FakeSlack, bytes], tuple[bytes, Headers]]:
    return lambda slack, _: (body, slack.signed(body))


ATTEMPTS = {
    "stale": Attempt("timestamp", 401, stamped(-302)),
    "of the future": Attempt("timestamp", 401, stamped(302)),
    "tampered": Attempt("signature", 401, lambda slack, body: (body + b"+--break-glass", slack.signed(body))),
    "oversized": Attempt("too large", 413, signed(b"x" * (LONGEST_BODY + 1))),
    "no UTF-8": Attempt("encoding", 400, signed(b"command=%2Faisq&text=\xff")),
    "without a signature": Attempt("headers", 401, without("X-Slack-Signature")),
    "without a timestamp": Attempt("headers", 401, without("X-Slack-Request-Timestamp")),
    "an unsigned check": Attempt("headers", 401, lambda *_: (b"ssl_check=1&token=x", {})),
    "an unsigned challenge": Attempt("headers", 401, lambda *_: (b'{"type":"url_verification","challenge":"x"}', {})),
}


def written(bot: Bot) -> dict[str, int]:
    """How many rows each table has that a request could write; what is shown of them follows when it follows."""
    with bot._engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {"messages", "replies"}
        return {name: len(connection.execute(text(f"SELECT 1 FROM {name}")).all()) for name in names}


@pytest.fixture
async def command(room: Room) -> bytes:
    """A rollback, as Slack would deliver it."""
    await room.hears(ANA, "whoami")
    fields = {name: one[0] for name, one in parse_qs(room.slack.courier.sent[-1].body.decode()).items()}
    return urlencode({**fields, "text": "rollback backend", "trigger_id": "another"}).encode()


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_refused(name: str, room: Room, command: bytes, bot: Bot) -> None:
    attempt, before = ATTEMPTS[name], written(bot)
    body, headers = attempt.send(room.slack, command)
    answer = await room.slack.send_raw(body, {"Content-Type": FORM, **headers})
    assert (answer.status, answer.content) == (attempt.status, REFUSED)
    assert room.door.refusals == {attempt.why: 1}
    assert (written(bot), room.cards) == (before, [])


async def test_the_very_same_command_is_taken_when_slack_signed_it(room: Room, command: bytes, bot: Bot) -> None:
    """Or the refusals above would show nothing."""
    answer = await room.slack.send_raw(command, {"Content-Type": FORM, **room.slack.signed(command)})
    assert answer.status == 200
    await room.shows("✋")
    assert len(room.operations()) == 1


class TestReplay:
    """A replay is a delivery that was heard before: it is acknowledged like the first one, and does nothing."""

    @pytest.fixture
    async def replica(self, bot: Bot, live_slack: FakeSlack) -> AsyncIterator[tuple[str, SlackDoor]]:
        """Another process on the same database: where it listens, and its door."""
        door = door_of(bot, live_slack)
        async with served(Starlette(routes=door.routes())) as address:
            yield f"{address}/slack/events", door

    @pytest.mark.parametrize("elsewhere", [False, True], ids=["the same replica", "another replica"])
    async def test_of_a_command(self, elsewhere: bool, room: Room, replica: tuple[str, SlackDoor], bot: Bot) -> None:
        await room.asks(ANA, "rollback backend")
        before = written(bot)
        room.slack.bot_url = replica[0] if elsewhere else room.slack.bot_url
        first = next(at for at, sent in enumerate(room.slack.courier.sent) if sent.kind == "slash_command")
        again = [await room.slack.replay(first) for _ in range(3)]
        assert {(one.status, one.content) for one in again} == {(200, b"")}
        assert (written(bot), len(room.operations()), len(room.cards)) == (before, 1, 1)
        assert replica[1].refusals + room.door.refusals == {"heard before": 3}

    @pytest.mark.parametrize("elsewhere", [False, True], ids=["the same replica", "another replica"])
    async def test_of_an_approval(self, elsewhere: bool, room: Room, replica: tuple[str, SlackDoor], bot: Bot) -> None:
        id = await room.asks(ANA, "rollback backend")
        assert "it begins now" in await room.is_told(BEN, APPROVE)
        room.slack.bot_url = replica[0] if elsewhere else room.slack.bot_url
        click = next(at for at, sent in enumerate(room.slack.courier.sent) if sent.kind == "block_actions")
        assert (await room.slack.replay(click)).status == 200
        assert len(bot.ledger.operation(id).approvals) == 1


# --- somebody of another workspace, by every way in


def of_another_team(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "team": {"id": "T0OTHER"}, "user": {"id": FOX, "team_id": "T0OTHER"}}


INTERACTIONS: dict[str, dict[str, Any]] = {
    "a click": {
        "type": "block_actions",
        "channel": {"id": "C0AISQ"},
        "container": {"message_ts": "1.2"},
        "response_url": "",
        "actions": [{"action_id": APPROVE, "block_id": "b", "type": "button", "value": "x y", "action_ts": "1"}],
    },
    "a submission": {
        "type": "view_submission",
        "view": {"id": "V1", "hash": "1", "callback_id": "aisq.form", "type": "modal", "blocks": [],
                 "private_metadata": "{}", "state": {"values": {}}},
    },
    "a shortcut": {
        "type": "message_action", "callback_id": "aisq_here", "trigger_id": "1.2", "response_url": "",
        "channel": {"id": "C0AISQ"}, "message": {"ts": "1.2"}, "message_ts": "1.2",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", INTERACTIONS)
async def test_an_interaction_of_another_workspace(name: str, room: Room, bot: Bot) -> None:
    before = written(bot)
    body = urlencode({"payload": json.dumps(of_another_team(INTERACTIONS[name]))}).encode()
    answer = await room.slack.send_raw(body, {"Content-Type": FORM, **room.slack.signed(body)})
    assert answer.status == 200 or answer.status == 400
    assert room.door.refusals == {"another workspace": 1}
    assert (written(bot), room.operations()) == (before, ())


@pytest.mark.parametrize("kind", ["app_mention", "user_change"])
async def test_an_event_of_another_workspace(kind: str, room: Room, bot: Bot) -> None:
    before = written(bot)
    event = {"type": kind, "user": FOX, "text": "<@U0AISQ> rollback backend", "channel": "C0AISQ", "ts": "1.2"}
    payload = {"type": "event_callback", "team_id": "T0OTHER", "event_id": "Ev1", "event": event,
               "authorizations": [{"user_id": "U0AISQ"}]}  # fmt: skip
    body = json.dumps(payload).encode()
    answer = await room.slack.send_raw(body, {"Content-Type": "application/json", **room.slack.signed(body)})
    assert answer.status == 200
    assert room.door.refusals == {"another workspace": 1}
    assert (written(bot), room.operations()) == (before, ())


# --- the name that a request is for


@pytest.mark.parametrize(
    ("ours", "given", "status"),
    [
        ("", "evil.example", 200),
        ("aisq.example.com", "aisq.example.com", 200),
        ("aisq.example.com", "AISQ.example.com:443", 200),
        ("aisq.example.com", "evil.example", 421),
        ("aisq.example.com", "aisq.example.com.evil.example", 421),
        ("aisq.example.com", "127.0.0.1", 421),
    ],
)
async def test_a_foreign_host(ours: str, given: str, status: int, room: Room, command: bytes, bot: Bot) -> None:
    room.door._app._host = ours.encode()
    before = written(bot)
    headers = {"Content-Type": FORM, "Host": given, **room.slack.signed(command)}
    answer = await room.slack.send_raw(command, headers)
    assert answer.status == status
    if status == 421:
        assert (answer.content, room.door.refusals) == (REFUSED, {"host": 1})
        assert (written(bot), room.cards) == (before, [])
