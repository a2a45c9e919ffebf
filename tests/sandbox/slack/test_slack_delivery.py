"""Signed delivery over HTTP: signature, three seconds, what a failure looks like, requests that are not Slack's."""

import asyncio
import time
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.responses import Response

from bot.sandbox.slack import FakeSlack, delivery

SECRET = "sandbox-signing-secret"  # as in conftest.py


async def test_slack_sdk_accepts_the_signature(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.slash("U0ANA", "C0OPS", "日本語 & more")
    headers, body = raw_bot.headers[0], raw_bot.bodies[0]
    assert SignatureVerifier(SECRET).is_valid_request(body, headers)
    assert abs(int(headers["x-slack-request-timestamp"]) - time.time()) < 5, "signed at real time, whatever the clock"
    assert not SignatureVerifier("another").is_valid_request(body, headers)
    assert not SignatureVerifier(SECRET).is_valid_request(body + b" ", headers)


async def test_late_is_too_late(slack: FakeSlack, raw_bot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert delivery.ACK_DEADLINE_S == 3.0
    monkeypatch.setattr(delivery, "ACK_DEADLINE_S", 0.05)

    async def never() -> Response:
        await asyncio.sleep(30)
        return Response()

    raw_bot.answer = lambda _: never()
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert (result.error, result.delivery.status) == ("operation_timeout", None)
    assert result.note == "/aisq failed because the app did not respond."
    assert 40 < result.delivery.ms < 3_000


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 302])
async def test_anything_but_200_has_failed(slack: FakeSlack, raw_bot: Any, status: int) -> None:
    raw_bot.answer = lambda _: Response("no", status)
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert (result.error, result.delivery.status) == ("dispatch_failed", status)
    assert result.note == '/aisq failed with the error "dispatch_failed".' and result.shown == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/nothing", "", "not a url"])
async def test_nobody_listens(slack: FakeSlack, url: str) -> None:
    slack.bot_url = url
    result = await slack.slash("U0ANA", "C0OPS", "status")
    assert (result.error, result.delivery.status, result.delivery.reason) == (
        "dispatch_failed",
        None,
        "connection_failed",
    )


async def test_one_client_is_kept_and_can_be_closed(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.slash("U0ANA", "C0OPS", "one")
    client = slack.courier._client
    await slack.slash("U0ANA", "C0OPS", "two")
    assert slack.courier._client is client
    await slack.close()
    await slack.close()
    assert (await slack.slash("U0ANA", "C0OPS", "three")).ok and len(raw_bot.bodies) == 3


async def test_a_replay_is_the_same_request(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.slash("U0ANA", "C0OPS", "one")
    await slack.slash("U0ANA", "C0OPS", "two")
    await slack.replay()
    await slack.replay(0)
    assert raw_bot.bodies[2] == raw_bot.bodies[1] and raw_bot.bodies[3] == raw_bot.bodies[0]
    signature = "x-slack-signature"
    assert raw_bot.headers[2][signature] == raw_bot.headers[1][signature] != raw_bot.headers[0][signature]


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY = b"command=%2Faisq&text=ping&user_id=U0ANA&channel_id=C0OPS&team_id=T0AISQ&trigger_id=1&response_url=x"


async def judged(slack: FakeSlack, body: bytes, headers: dict[str, str]) -> int | None:
    return (await slack.send_raw(body, {**FORM, **headers})).status


async def test_bolt_judges_requests_that_are_not_slacks(slack: FakeSlack, bolt: AsyncApp) -> None:
    """Real Bolt stands in for the bot: what it accepts and refuses shows that the raw requests are what they claim."""

    @bolt.command("/aisq")
    async def on_command(ack: Any) -> None:
        await ack()

    now = int(time.time())
    good = slack.signed(BODY)
    assert await judged(slack, BODY, good) == 200
    assert await judged(slack, BODY, good) == 200, "Bolt alone accepts a replay"
    assert await judged(slack, BODY + b"&x=1", good) == 401
    assert await judged(slack, BODY, slack.signed(BODY, now - 400)) == 401
    assert await judged(slack, BODY, slack.signed(BODY, now + 400)) == 401
    assert await judged(slack, BODY, {}) == 401
    assert await judged(slack, BODY, {"X-Slack-Signature": good["X-Slack-Signature"]}) == 401
    assert await judged(slack, BODY, slack.signed(BODY, "soon")) != 200
    assert await judged(slack, b"text=\xff\xfe", slack.signed(b"text=\xff\xfe")) != 200
    assert await judged(slack, b"ssl_check=1&token=x", {}) == 200, "unsigned ssl_check is answered by Bolt"


async def test_url_verification(slack: FakeSlack, bolt: AsyncApp) -> None:
    assert (await slack.verify_url()).ok


@pytest.mark.parametrize(
    ("answer", "error"), [(Response(), "challenge_failed"), (Response(status_code=404), "dispatch_failed")]
)
async def test_a_url_that_is_not_the_bots(slack: FakeSlack, raw_bot: Any, answer: Response, error: str) -> None:
    raw_bot.answer = lambda _: answer
    assert (await slack.verify_url()).error == error
