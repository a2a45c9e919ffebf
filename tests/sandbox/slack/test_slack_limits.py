"""Rate budgets and faults: 429 with Retry-After, failures before and after the work, and how slack_sdk takes them."""

import asyncio
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from starlette.applications import Starlette

from bot.sandbox.slack import FakeSlack, routes
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.refusals import RateLimited
from bot.sandbox.slack.web_api import METHODS

TIERS = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "views.open": 100,
    "views.update": 100,
    "views.publish": 100,
    "users.info": 100,
    "users.list": 20,
    "users.lookupByEmail": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "conversations.list": 20,
    "conversations.info": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.members": 100,
    "reactions.add": 50,
    "reactions.remove": 20,
    "files.getUploadURLExternal": 100,
    "auth.test": 600,
    "blocks.validate": 600,
}


@pytest.mark.parametrize(("method", "per_minute"), TIERS.items())
def test_tiers(clock: Any, method: str, per_minute: int) -> None:
    budgets = Budgets(clock)
    for _ in range(per_minute):
        budgets.spend(method, METHODS[method].tier, "")
    with pytest.raises(RateLimited) as limited:
        budgets.spend(method, METHODS[method].tier, "")
    assert limited.value.retry_after_s == 60
    budgets.spend("another", Tier.T2, "")


def test_any_minute_holds_the_budget(clock: Any) -> None:
    """However calls are spread, no window of 60 s has more than the tier allows."""
    budgets, taken = Budgets(clock), []
    for _ in range(200):
        clock.advance(0.7)
        try:
            budgets.spend("chat.update", Tier.T3, "C0OPS")
        except RateLimited as limited:
            assert 1 <= limited.retry_after_s <= 60
        else:
            taken.append(clock())
    assert max(sum(start <= at < start + 60 for at in taken) for start in taken) == 50
    assert len(taken) > 100


def test_retry_after_is_enough(clock: Any) -> None:
    budgets = Budgets(clock)
    for _ in range(20):
        budgets.spend("users.list", Tier.T2, "")
        clock.advance(1)
    with pytest.raises(RateLimited) as limited:
        budgets.spend("users.list", Tier.T2, "")
    clock.advance(limited.value.retry_after_s)
    budgets.spend("users.list", Tier.T2, "")


def test_one_post_a_second_in_a_channel_after_a_burst(clock: Any) -> None:
    budgets = Budgets(clock)
    for _ in range(5):
        budgets.spend("chat.postMessage", Tier.SPECIAL, "C0OPS")
    with pytest.raises(RateLimited) as limited:
        budgets.spend("chat.postMessage", Tier.SPECIAL, "C0OPS")
    assert limited.value.retry_after_s == 1
    budgets.spend("chat.postMessage", Tier.SPECIAL, "C0AISQ")
    clock.advance(1)
    budgets.spend("chat.postMessage", Tier.SPECIAL, "C0OPS")


def test_a_workspace_takes_300_posts_a_minute(clock: Any) -> None:
    budgets = Budgets(clock)
    for number in range(300):
        budgets.spend("chat.postMessage", Tier.SPECIAL, f"C{number}")
    with pytest.raises(RateLimited):
        budgets.spend("chat.postMessage", Tier.SPECIAL, "C300")


def test_budgets_can_be_off_and_forgotten(clock: Any) -> None:
    budgets = Budgets(clock, on=False)
    for _ in range(100):
        budgets.spend("users.list", Tier.T2, "")
    budgets.on = True
    for _ in range(20):
        budgets.spend("users.list", Tier.T2, "")
    budgets.clear()
    budgets.spend("users.list", Tier.T2, "")


async def test_429_as_http(slack: FakeSlack, client: AsyncWebClient) -> None:
    for number in range(5):
        await client.chat_postMessage(channel="C0OPS", text=str(number))
    with pytest.raises(Exception, match="ratelimited") as refused:
        await client.chat_postMessage(channel="C0OPS", text="5")
    assert refused.value.response.status_code == 429 and refused.value.response.headers["Retry-After"] == "1"
    assert len(slack.workspace.in_channel("C0OPS")) == 5


class TestFaults:
    async def test_429_then_fine(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.RATELIMITED, "chat.update", retry_after_s=7))
        posted = await client.chat_postMessage(channel="C0OPS", text="a")
        with pytest.raises(Exception, match="ratelimited") as refused:
            await client.chat_update(channel="C0OPS", ts=posted["ts"], text="b")
        assert refused.value.response.headers["Retry-After"] == "7"
        assert (await client.chat_update(channel="C0OPS", ts=posted["ts"], text="b"))["ok"]

    @pytest.mark.parametrize(
        ("fault", "status", "error"),
        [(Fault(Kind.SERVER_ERROR), 500, ""), (Fault(Kind.ERROR, error="fatal_error"), 200, "fatal_error")],
    )
    async def test_answers_that_say_no(
        self, slack: FakeSlack, client: AsyncWebClient, fault: Fault, status: int, error: str
    ) -> None:
        slack.faults.add(fault)
        with pytest.raises(Exception, match=error or "500"):
            await client.chat_postMessage(channel="C0OPS", text="a")
        assert slack.workspace.in_channel("C0OPS") == []
        call = slack.workspace.calls[-1]
        assert (call.status, call.error, call.fault) == (status, error, fault.kind.value)

    async def test_a_reset_does_nothing(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.RESET))
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.chat_postMessage(channel="C0OPS", text="a")
        assert slack.workspace.in_channel("C0OPS") == [] and slack.workspace.calls[-1].status == 0

    async def test_a_lost_answer_has_done_its_work(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.LOST_ANSWER))
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.chat_postMessage(channel="C0OPS", text="a")
        assert [m.text for m in slack.workspace.in_channel("C0OPS")] == ["a"]

    @pytest.mark.parametrize("handler", [AsyncConnectionErrorRetryHandler, AsyncServerErrorRetryHandler])
    async def test_slack_sdk_posts_twice_after_a_lost_answer(self, slack: FakeSlack, handler: Any) -> None:
        slack.faults.add(Fault(Kind.LOST_ANSWER))
        eager = AsyncWebClient(
            token="xoxb-sandbox",
            base_url=f"{slack.base_url}/api/",
            retry_handlers=[handler(), AsyncConnectionErrorRetryHandler()],
        )
        await eager.chat_postMessage(channel="C0OPS", text="once?")
        assert len(slack.workspace.in_channel("C0OPS")) == 2

    async def test_a_hang_never_answers(self, slack: FakeSlack) -> None:
        slack.faults.add(Fault(Kind.HANG, delay_s=30))
        async with httpx.AsyncClient(timeout=0.2, trust_env=False) as http:
            with pytest.raises(httpx.ReadTimeout):
                await http.post(f"{slack.base_url}/api/auth.test")

    async def test_a_hang_ends_by_cutting(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.HANG, delay_s=0.01))
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.auth_test()

    async def test_a_slow_call_is_done_before_it_is_answered(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.SLOW, "chat.postMessage", delay_s=0.2))
        pending = asyncio.create_task(client.chat_postMessage(channel="C0OPS", text="a"))
        while not slack.workspace.in_channel("C0OPS"):
            await asyncio.sleep(0.01)
        assert not pending.done()
        assert (await pending)["ok"]

    async def test_down_until_cleared(self, slack: FakeSlack, client: AsyncWebClient) -> None:
        slack.faults.add(Fault(Kind.DOWN))
        for _ in range(3):
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.auth_test()
        slack.faults.clear()
        assert (await client.auth_test())["ok"]

    async def test_while_down_people_still_type(self, slack: FakeSlack, raw_bot: Any) -> None:
        slack.faults.add(Fault(Kind.DOWN))
        assert (await slack.slash("U0ANA", "C0OPS", "status")).ok and len(raw_bot.bodies) == 1

    async def test_a_response_url_can_fail_too(self, slack: FakeSlack, raw_bot: Any) -> None:
        await slack.slash("U0ANA", "C0OPS", "status")
        slack.faults.add(Fault(Kind.SERVER_ERROR, "response_url"))
        name = next(iter(slack.workspace.hooks))
        webhook = AsyncWebhookClient(f"{slack.base_url}/hooks/{name}", retry_handlers=[])
        assert (await webhook.send(text="a")).status_code == 500
        assert (await webhook.send(text="a")).status_code == 200
        assert [(c.method, c.status) for c in slack.workspace.calls] == [("response_url", 500), ("response_url", 200)]


async def test_a_server_without_a_transport_cannot_be_cut(slack: FakeSlack) -> None:
    slack.faults.add(Fault(Kind.RESET))
    transport = httpx.ASGITransport(Starlette(routes=routes(slack)))
    async with httpx.AsyncClient(transport=transport, base_url="http://slack") as http:
        with pytest.raises(ConnectionResetError, match="on purpose"):
            await http.post("/api/auth.test")


def test_the_queue_of_faults(slack: FakeSlack) -> None:
    faults = slack.faults
    faults.add(Fault(Kind.SLOW, times=2))
    faults.add(Fault(Kind.RESET, "chat.update"))
    faults.add(Fault(Kind.ERROR, "chat.update", times=2))
    kinds = [fault.kind if (fault := faults.take("chat.update")) else None for _ in range(6)]
    assert kinds == [Kind.RESET, Kind.ERROR, Kind.ERROR, Kind.SLOW, Kind.SLOW, None]


def test_down_comes_before_everything(slack: FakeSlack) -> None:
    faults = slack.faults
    faults.add(Fault(Kind.SLOW, "chat.update"))
    faults.add(Fault(Kind.DOWN))
    assert [fault.kind for _ in range(2) if (fault := faults.take("chat.update"))] == [Kind.DOWN, Kind.DOWN]
    faults.clear("*")
    assert [fault.kind for fault in faults.pending()] == [Kind.SLOW]
