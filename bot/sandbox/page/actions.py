"""What the forms of the page do: each is a function of the form; what it returns is a sentence for whoever pressed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData

from bot.sandbox.drawing import percent
from bot.sandbox.page.breaks import BREAKS, RATES
from bot.sandbox.page.director import Director
from bot.sandbox.page.forms import chosen, entries, pressed
from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.look import Json, Seen, Town
from bot.sandbox.page.slack import APP, Memory
from bot.sandbox.page.view import View

IN_THREAD = "Slack has no slash commands in threads: use the menu of a message, or mention @aisq."
Action = Callable[[FormData, View], Awaitable[str]]


class Actions:
    """By name, as they stand behind /do/. Background work is kept until it is done."""

    def __init__(self, town: Town, keeper: Keeper, director: Director, memory: Memory) -> None:
        self._town, self._keeper, self._director, self._memory = town, keeper, director, memory
        self._going: set[asyncio.Task[None]] = set()
        self.table: dict[str, Action] = {
            "send": self._send, "click": self._click, "submit": self._submit, "close": self._close,
            "shortcut": self._shortcut, "home": self._home, "break": self._break, "mend": self._mend,
            "rate": self._rate, "begin": self._begin, "reset": self._reset,
        }  # fmt: skip

    # --- in Slack

    async def _send(self, form: FormData, view: View) -> str:
        """A slash command, or a message: into the channel, the thread, or to aisq alone."""
        text = str(form.get("text", "")).strip()
        if not text:
            return ""
        word, _, rest = text.partition(" ")
        if word == "/aisq":
            if view.thread:
                return IN_THREAD
            return _told(await self._town.do("slash", user=view.user, channel=view.channel, text=rest.strip()))
        channel = APP if view.tab == "dm" else view.channel
        return _told(await self._town.do("say", user=view.user, channel=channel, text=text, thread_ts=view.thread))

    async def _click(self, form: FormData, view: View) -> str:
        seen, press = await self._town.look(view.service), pressed(form)
        blocks, where = _surface(seen, form, view)
        if not press or blocks is None:
            return "What you pressed is not there any more."
        zone = seen.reader(view.user).zone
        value = press["value"] if "value" in press else chosen(blocks, press, form, zone)
        if str(press.get("action", "")).endswith("approve"):
            self._director.approved()
        used: Json = {
            "user": view.user,
            "action_id": press.get("action", ""),
            "block_id": press.get("block"),
            "value": value,
        }
        if "view_id" in where:
            used["entries"] = entries(blocks, form, zone)
        return _told(await self._town.do("click", **used, **where))

    async def _submit(self, form: FormData, view: View) -> str:
        """A modal; the errors at its fields stay until it is submitted again."""
        seen, view_id = await self._town.look(view.service), str(form.get("view_id", ""))
        modal = next((one for one in seen.modals if one["id"] == view_id), None)
        if modal is None:
            return "The dialog is not open any more."
        values = entries(modal["blocks"], form, seen.reader(view.user).zone)
        said = await self._town.do("submit", user=view.user, view_id=view_id, values=values)
        self._memory.errors = {view_id: said["errors"]} if said.get("errors") else {}
        return "" if said.get("errors") else _told(said)

    async def _close(self, form: FormData, view: View) -> str:
        self._memory.errors = {}
        return _told(await self._town.do("close", user=view.user, view_id=str(form.get("view_id", ""))))

    async def _shortcut(self, form: FormData, view: View) -> str:
        of = {name: str(form.get(name, "")) for name in ("callback_id", "ts")}
        return _told(await self._town.do("shortcut", user=view.user, channel=view.channel, **of))

    async def _home(self, _: FormData, view: View) -> str:
        return _told(await self._town.do("home", user=view.user))

    # --- to the cloud, to Slack, to the bot

    async def _break(self, form: FormData, view: View) -> str:
        chosen_one = BREAKS.get(str(form.get("what", "")))
        if chosen_one is None:
            return "There is no such thing to break."
        if chosen_one.where == "bot":
            await asyncio.to_thread(self._keeper.kill)
            self._town.forget()
            return "The bot is dead. Another one will take over."
        what = dict(chosen_one.what)
        if chosen_one.where == "quality":
            seen = await self._town.look(view.service)
            return await self._quality(seen, view.service, what)
        if "real_seconds" in what:
            what["seconds"] = what.pop("real_seconds") * (await self._town.look(view.service)).rate
        paths = {"release": f"/services/{view.service}/releases", "cloud": "/faults", "slack": "/slack/faults"}
        return str((await self._town.change(paths[chosen_one.where], what)).get("error") or "")

    async def _quality(self, seen: Seen, service: str, what: Json) -> str:
        traffic = seen.services.get(service, {}).get("traffic", {})
        if not traffic:
            return "Nothing serves there."
        release = max(traffic, key=lambda name: int(traffic[name]))
        await self._town.change(f"/services/{service}/releases/{release}", what)
        return f"{release} fails {percent(what['error_rate'])} of its requests from now on."

    async def _mend(self, _: FormData, __: View) -> str:
        await self._town.change("/faults", method="DELETE")
        await self._town.change("/slack/faults", method="DELETE")
        return ""

    async def _rate(self, form: FormData, _: View) -> str:
        rate = str(form.get("rate", ""))
        if rate not in map(str, RATES):
            return f"The clock runs {', '.join(map(str, RATES))} times as fast."
        self._aside(asyncio.to_thread(self._keeper.run_at, float(rate)))
        return "The bot starts again, to follow the other clock."

    # --- scenarios

    async def _begin(self, form: FormData, _: View) -> str:
        return await self._director.begin(str(form.get("name", "")))

    async def _reset(self, _: FormData, __: View) -> str:
        return await self._director.reset() or "All traffic is on the release that serves well, and nothing waits."

    def _aside(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._going.add(task)
        task.add_done_callback(self._going.discard)


def _surface(seen: Seen, form: FormData, view: View) -> tuple[list[Json] | None, Json]:
    """The blocks that a form was made of, and how the fake names their place."""
    if view_id := str(form.get("view_id", "")):
        views = [*seen.modals, *seen.homes.values()]
        return next((one["blocks"] for one in views if one["id"] == view_id), None), {"view_id": view_id}
    ts = str(form.get("ts", ""))
    message = next((one for one in [*seen.messages, *seen.ephemerals] if one["ts"] == ts), None)
    if message is None:
        return None, {}
    return message.get("blocks") or [], {"channel": message["channel"], "ts": ts}


def _told(said: Any) -> str:
    """Slack's own sentence, if it has one."""
    note, error = str(said.get("note") or ""), str(said.get("error") or "")
    if note:
        return note
    return f"Slack says: {error}" if error else ""
