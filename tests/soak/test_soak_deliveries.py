"""Slack's deliveries to several replicas: signed once, repeated elsewhere until one answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bot.sandbox import deliveries
from bot.sandbox.deliveries import Slack
from bot.sandbox.loopback import free_port
from bot.sandbox.slack.signing import signed
from bot.sandbox.town import SIGNING_SECRET

Heard = tuple[dict[str, str], bytes]
Start = Callable[..., Awaitable[str]]
REFUSAL = {"text": "Write one release.", "blocks": []}


@pytest.fixture
def heard() -> list[Heard]:
    """What replicas heard: headers and body."""
    return []


@pytest.fixture
async def replica(heard: list[Heard]) -> AsyncIterator[Start]:
    """Starts a replica that answers so; its address."""
    async with AsyncExitStack() as stack:

        async def start(status: int = 200, body: object = None, wait_s: float = 0.0) -> str:
            async def answer(request: web.Request) -> web.Response:
                heard.append((dict(request.headers), await request.read()))
                await asyncio.sleep(wait_s)
                return web.json_response(body, status=status) if body else web.Response(status=status)

            app = web.Application()
            app.router.add_post(deliveries.PATH, answer)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            port = free_port()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            return f"http://127.0.0.1:{port}"

        yield start


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack("C0OPS") as made:
        yield made


def dead() -> str:
    return f"http://127.0.0.1:{free_port()}"


async def test_a_command_is_signed_and_known_by_its_trigger(slack: Slack, replica: Start, heard: list[Heard]) -> None:
    made = await slack.command("U0ANA", "status s01", [await replica()])
    [(headers, body)] = heard
    told = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert (told["text"], told["user_id"], told["channel_id"]) == ("status s01", "U0ANA", "C0OPS")
    assert made.heard_as == f"slack:command:{told['trigger_id']}"
    assert (
        headers["X-Slack-Signature"]
        == signed(SIGNING_SECRET, body, headers["X-Slack-Request-Timestamp"])["X-Slack-Signature"]
    )
    assert made.acknowledged and not made.said and not made.is_click
    assert slack.sent == [made]


async def test_a_click_is_known_by_its_message_and_moment(slack: Slack, replica: Start, heard: list[Heard]) -> None:
    made = await slack.click("U0BEN", "17.5", "aisq.deny", "7k3q", [await replica()])
    assert made.heard_as.startswith("slack:click:17.5:")
    assert made.heard_as.endswith(":U0BEN:aisq.deny")
    assert made.is_click
    assert b"block_actions" in heard[0][1]


async def test_what_nobody_answers_comes_again_elsewhere_the_very_same(
    slack: Slack, replica: Start, heard: list[Heard]
) -> None:
    broken, whole = await replica(status=500), await replica()
    made = await slack.command("U0ANA", "status s01", [dead(), broken, whole, whole])
    assert (made.attempts, made.answered_by) == (3, [whole])
    (first, body), (second, same) = heard
    assert body == same
    assert first["X-Slack-Signature"] == second["X-Slack-Signature"]
    assert (first["X-Slack-Retry-Num"], second["X-Slack-Retry-Num"]) == ("1", "2")


async def test_a_first_attempt_is_not_called_a_repeated_one(slack: Slack, replica: Start, heard: list[Heard]) -> None:
    await slack.command("U0ANA", "status s01", [await replica()])
    assert "X-Slack-Retry-Num" not in heard[0][0]


async def test_a_delivery_can_come_twice_though_it_was_answered(
    slack: Slack, replica: Start, heard: list[Heard]
) -> None:
    one, other = await replica(), await replica()
    made = await slack.command("U0ANA", "status s01", [one, other, one], twice=True)
    assert made.answered_by == [one, other]
    assert len(heard) == 2


async def test_what_nobody_ever_answers_is_not_acknowledged(slack: Slack) -> None:
    made = await slack.command("U0ANA", "status s01", [dead(), dead()])
    assert not made.acknowledged
    assert made.attempts == 2


async def test_the_sentence_of_a_refusal_is_kept(slack: Slack, replica: Start) -> None:
    made = await slack.command("U0ANA", "traffic", [await replica(body=REFUSAL)])
    assert made.said == "Write one release."


async def test_who_does_not_answer_in_three_seconds_is_given_up(
    replica: Start, heard: list[Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "ACK_DEADLINE_S", 0.1)
    slow, quick = await replica(wait_s=0.4), await replica()
    async with Slack("C0OPS") as hurried:
        made = await hurried.command("U0ANA", "status s01", [slow, quick])
    assert made.answered_by == [quick]
    assert made.attempts == 2
    assert len(heard) == 2
