"""The fake Slack as one object: its workspace, its Web API, and what people do in it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.sandbox.slack import commands, events, interactions, workspace
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.delivery import Courier, Delivery
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.refusals import Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Json, View, Workspace
from bot.sandbox.slack.web_api import WebApi


class FakeSlack:
    """One workspace with one installed app.

    `base_url` is where this fake listens ("http://127.0.0.1:PORT"), `bot_url` where the bot takes Slack's requests;
    it may be set later. `now` is real time in seconds. With `has_budgets` calls over Slack's rates get 429.
    Close it with `await slack.close()`.
    """

    def __init__(
        self,
        signing_secret: str,
        bot_token: str,
        base_url: str,
        bot_url: str = "",
        now: Callable[[], float] = time.time,
        has_budgets: bool = True,
        world: Path = workspace.SHIPPED,
    ) -> None:
        self.base_url = base_url
        self.workspace: Workspace = workspace.load(world, now)
        self.faults = Faults()
        self.budgets = Budgets(now, has_budgets)
        self.courier = Courier(signing_secret, bot_url)
        self.api = WebApi(self.workspace, bot_token, self.faults, self.budgets)

    @property
    def bot_url(self) -> str:
        return self.courier.bot_url

    @bot_url.setter
    def bot_url(self, url: str) -> None:
        self.courier.bot_url = url

    def signed(self, body: bytes, timestamp: int | str | None = None) -> dict[str, str]:
        """The headers with which Slack would sign this body, now or at `timestamp`."""
        return self.courier.sign(body, timestamp)

    async def slash(self, user: str, channel: str, text: str, command: str = "") -> Result:
        """Type a slash command."""
        return await commands.slash(self.workspace, self.courier, self.base_url, user, channel, text, command)

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        value: Any = None,
        block_id: str | None = None,
        confirmed: bool = True,
    ) -> Result:
        """Use a button or menu of a message."""
        return await interactions.click(
            self.workspace,
            self.courier,
            self.base_url,
            user,
            channel,
            ts,
            action_id,
            value,
            block_id,
            confirmed,
        )

    async def click_view(self, user: str, view_id: str, action_id: str, value: Any = None) -> Result:
        """Use a button or menu of a modal or App Home."""
        return await interactions.click_view(self.workspace, self.courier, user, self.view(view_id), action_id, value)

    def view(self, view_id: str) -> View:
        """An open modal or an App Home. Raises Unusable."""
        homes = {view.id: view for view in self.workspace.homes.values()}
        found = self.workspace.modals.get(view_id) or homes.get(view_id)
        if found is None:
            raise Unusable(f"there is no open view {view_id!r}; GET views lists them")
        return found

    async def event(self, event: Json, event_id: str = "", retries: int = events.RETRIES) -> list[Delivery]:
        """Deliver an event, with Slack's retries."""
        return await events.deliver(self.courier, events.envelope(self.workspace, event, event_id), retries)

    async def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> Result:
        """Write a message as a person."""
        return await events.say(self.workspace, self.courier, user, channel, text, thread_ts)

    async def close(self) -> None:
        """Close the client that delivers to the bot."""
        await self.courier.close()
