"""Events, their retries, and what a person does that causes them."""

import json
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from starlette.responses import Response

from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.delivery import Delivery

HELLO = {"type": "app_home_opened", "user": "U0ANA", "tab": "home"}


def payloads(raw_bot: Any) -> list[dict[str, Any]]:
    return [json.loads(body) for body in raw_bot.bodies]


async def test_the_envelope(slack: FakeSlack, raw_bot: Any) -> None:
    attempts = await slack.event(HELLO)
    assert [attempt.status for attempt in attempts] == [200]
    sent = payloads(raw_bot)[0]
    assert (sent["type"], sent["team_id"], sent["api_app_id"]) == ("event_callback", "T0AISQ", "A0AISQ")
    assert sent["event"] == HELLO and sent["event_id"].startswith("Ev")
    assert sent["authorizations"][0]["user_id"] == "U0AISQ" and sent["event_time"] == int(slack.workspace.now())


@pytest.mark.parametrize(
    ("statuses", "attempts", "ok"),
    [([200], 1, True), ([500, 200], 2, True), ([500, 503, 404, 200], 4, True), ([500] * 5, 4, False)],
)
async def test_retries(slack: FakeSlack, raw_bot: Any, statuses: list[int], attempts: int, ok: bool) -> None:
    raw_bot.answer = lambda number: Response(status_code=statuses[number - 1])
    made = await slack.event(HELLO)
    assert len(made) == len(raw_bot.bodies) == attempts and (made[-1].error == "") == ok
    told = [(h.get("x-slack-retry-num"), h.get("x-slack-retry-reason")) for h in raw_bot.headers]
    assert told == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")][:attempts]
    assert len({sent["event_id"] for sent in payloads(raw_bot)}) == 1, "a retry is the same event"


async def test_the_bot_can_stop_retries(slack: FakeSlack, raw_bot: Any) -> None:
    raw_bot.answer = lambda _: Response(status_code=500, headers={"X-Slack-No-Retry": "1"})
    assert len(await slack.event(HELLO)) == 1


async def test_a_dead_bot_is_tried_four_times(slack: FakeSlack) -> None:
    slack.bot_url = "http://127.0.0.1:9/"
    attempts = await slack.event(HELLO)
    assert [attempt.reason for attempt in attempts] == ["connection_failed"] * 4
    retry = attempts[1].sent.headers
    assert retry["X-Slack-Retry-Num"] == "1" and retry["X-Slack-Retry-Reason"] == "connection_failed"


@pytest.mark.parametrize("retries", [0, 2])
async def test_fewer_retries(slack: FakeSlack, retries: int) -> None:
    slack.bot_url = "http://127.0.0.1:9/"
    attempts: list[Delivery] = await slack.event(HELLO, retries=retries)
    assert len(attempts) == retries + 1


async def test_a_duplicate_has_the_same_id(slack: FakeSlack, raw_bot: Any) -> None:
    for _ in range(2):
        await slack.event(HELLO, event_id="Ev1")
    await slack.event(HELLO)
    ids = [sent["event_id"] for sent in payloads(raw_bot)]
    assert ids[:2] == ["Ev1", "Ev1"] and ids[2] != "Ev1"


SAID = [
    ("C0OPS", "hello", None),
    ("C0OPS", "@aisq rollback backend", "app_mention"),
    ("C0RANDOM", "@aisq rollback backend", None),
    ("U0AISQ", "rollback backend", "message"),
]


@pytest.mark.parametrize(("channel", "text", "heard"), SAID)
async def test_what_the_bot_hears(slack: FakeSlack, raw_bot: Any, channel: str, text: str, heard: str | None) -> None:
    result = await slack.say("U0ANA", channel, text)
    assert result.ok and result.shown[0].user == "U0ANA" and not result.shown[0].by_app
    events = [sent["event"] for sent in payloads(raw_bot)]
    assert [event["type"] for event in events] == ([heard] if heard else [])
    if heard == "message":
        assert (events[0]["channel_type"], events[0]["channel"]) == ("im", "D0ANA")
    if heard == "app_mention":
        assert events[0]["text"] == "<@U0AISQ|aisq> rollback backend"


async def test_a_message_in_a_thread(slack: FakeSlack, raw_bot: Any) -> None:
    parent = (await slack.say("U0ANA", "C0OPS", "it is slow")).shown[0].ts
    await slack.say("U0BEN", "C0OPS", "@aisq status", thread_ts=parent)
    assert payloads(raw_bot)[0]["event"]["thread_ts"] == parent


async def test_somebody_of_another_workspace_has_its_id(slack: FakeSlack, raw_bot: Any) -> None:
    await slack.say("U0FOX", "C0OPS", "@aisq status")
    assert (payloads(raw_bot)[0]["team_id"], payloads(raw_bot)[0]["event"]["team"]) == ("T0AISQ", "T0OTHER")


async def test_a_failure_is_told(slack: FakeSlack, raw_bot: Any) -> None:
    raw_bot.answer = lambda _: Response(status_code=500)
    result = await slack.say("U0ANA", "U0AISQ", "hi")
    assert result.error == "dispatch_failed" and result.shown[0].text == "hi"


async def test_the_home_tab(slack: FakeSlack, bolt: AsyncApp) -> None:
    seen = []

    @bolt.event("app_home_opened")
    async def on_home(event: Any, client: Any) -> None:
        seen.append(event.get("view", {}).get("hash"))
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [{"type": "divider"}]})

    first = await slack.open_home("U0ANA")
    assert first.view is not None and first.view.body["type"] == "home" and seen == [None]
    before = first.view.hash
    again = await slack.open_home("U0ANA")
    assert seen[1] == before, "the event carries the home that the person sees"
    assert again.view is first.view and again.view.hash != before
