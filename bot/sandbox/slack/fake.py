"""The fake Slack as one object: its workspace, its Web API, and what people do in it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.sandbox.slack import commands, events, interactions, modals, shortcuts, workspace
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.delivery import Courier, Delivery, Sent
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.link import Link
from bot.sandbox.slack.refusals import Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Json, View, Workspace
from bot.sandbox.slack.web_api import WebApi


class FakeSlack:
    """One workspace with one installed app.

    `base_url` is where this fake listens ("http://127.0.0.1:PORT"), `bot_url` where the bot takes Slack's requests;
    both may be set later. Without a `bot_url` it delivers by Socket Mode, through what was opened with `app_token`.
    `now` is real time in seconds. With `has_budgets` calls over Slack's rates get 429.
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
        app_token: str = "",
    ) -> None:
        self.workspace: Workspace = workspace.load(world, now)
        self.base_url = base_url
        self.faults = Faults()
        self.budgets = Budgets(now, has_budgets)
        self.link = Link(self.workspace.app.id)
        self.courier = Courier(signing_secret, bot_url, self.link)
        self.api = WebApi(self.workspace, bot_token, self.budgets, app_token, self.link)

    @property
    def base_url(self) -> str:
        return self.workspace.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.workspace.base_url = url.rstrip("/")

    @property
    def bot_url(self) -> str:
        return self.courier.bot_url

    @bot_url.setter
    def bot_url(self, url: str) -> None:
        self.courier.bot_url = url

    # What a person does.

    async def slash(self, user: str, channel: str, text: str, command: str = "") -> Result:
        """Type a slash command."""
        return await commands.slash(self.workspace, self.courier, user, channel, text, command)

    async def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> Result:
        """Write a message; with the app's user id as channel, to the app directly."""
        return await events.say(self.workspace, self.courier, user, channel, text, thread_ts)

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
        """Use a button or menu of a message; `value` picks among buttons that share an action_id, or the option."""
        use = interactions.Use(action_id, value, block_id, confirmed)
        return await interactions.click(self.workspace, self.courier, user, channel, ts, use)

    async def click_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        value: Any = None,
        block_id: str | None = None,
        confirmed: bool = True,
        entries: Json | None = None,
    ) -> Result:
        """Use a button or menu of a modal or App Home, while `entries` (by block_id) are entered in it."""
        use = interactions.Use(action_id, value, block_id, confirmed, entries or {})
        return await interactions.click_view(self.workspace, self.courier, user, self.view(view_id), use)

    async def submit(self, user: str, view_id: str, values: Json) -> Result:
        """Fill in and submit a modal; `values` by block_id."""
        return await modals.submit(self.workspace, self.courier, user, self.view(view_id), values)

    async def close_view(self, user: str, view_id: str) -> Result:
        """Close a modal."""
        return await modals.close(self.workspace, self.courier, user, self.view(view_id))

    async def suggest(self, user: str, view_id: str, action_id: str, typed: str) -> Result:
        """Type into a menu whose options the app delivers."""
        return await modals.suggest(self.workspace, self.courier, user, self.view(view_id), action_id, typed)

    async def shortcut(self, user: str, callback_id: str, channel: str = "", ts: str = "") -> Result:
        """Pick a shortcut: of a message if one is named, else a global one."""
        if ts:
            return await shortcuts.on_message(self.workspace, self.courier, user, channel, ts, callback_id)
        return await shortcuts.anywhere(self.workspace, self.courier, user, callback_id)

    async def open_home(self, user: str) -> Result:
        """Open the app's Home tab."""
        return await events.open_home(self.workspace, self.courier, user)

    def view(self, view_id: str) -> View:
        """An open modal or an App Home. Raises Unusable."""
        homes = {view.id: view for view in self.workspace.homes.values()}
        found = self.workspace.modals.get(view_id) or homes.get(view_id)
        if found is None:
            raise Unusable(f"there is no open view {view_id!r}; GET views lists them")
        return found

    # What Slack, or somebody who is not Slack, sends to the bot.

    async def event(self, event: Json, event_id: str = "", retries: int = events.RETRIES) -> list[Delivery]:
        """Deliver an event, with Slack's retries; the same `event_id` twice is a duplicate."""
        return await events.deliver(self.courier, events.envelope(self.workspace, event, event_id), retries)

    async def verify_url(self) -> Result:
        """Send the url_verification challenge that Slack sends when a request URL is saved."""
        return await events.verify_url(self.workspace, self.courier)

    def signed(self, body: bytes, timestamp: int | str | None = None) -> dict[str, str]:
        """The headers with which Slack would sign this body, now or at `timestamp` (seconds)."""
        return self.courier.sign(body, timestamp)

    async def send_raw(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Send exactly this to the bot: tampered, unsigned, stale, oversized, not UTF-8."""
        return await self.courier.send(Sent("raw", body, dict(headers)))

    async def replay(self, number: int = -1) -> Delivery:
        """Send an earlier request again, byte for byte with its old signature; -1 is the last one."""
        if not self.courier.sent:
            raise Unusable("nothing was sent to the bot yet; use a command or a button first")
        return await self.courier.send(self.courier.sent[number])

    async def close(self) -> None:
        """Close the client that delivers to the bot."""
        await self.courier.close()
