"""The page as an application: it shows regions, sends what changes in them, and takes forms."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
from ruamel.yaml import YAML
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.sandbox.page.actions import Actions
from bot.sandbox.page.completion import Completion
from bot.sandbox.page.director import Director
from bot.sandbox.page.gate import Gate
from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.look import Town
from bot.sandbox.page.regions import FOLDER, Regions
from bot.sandbox.page.slack import Memory
from bot.sandbox.page.view import View
from bot.sandbox.rehearsal import Rehearsal

EVERY_S = 0.3  # between looks that nobody asked for
MANIFEST = FOLDER.parents[2] / "slack" / "manifest.yaml"


class Page:
    """Everything behind the gate; `app` serves it."""

    def __init__(self, rehearsal: Rehearsal, keeper: Keeper, port: int, token: str) -> None:
        self._town, self._memory = Town(rehearsal.town.http, keeper), Memory()
        self.director = Director(self._town, keeper)
        self._actions = Actions(self._town, keeper, self.director, self._memory)
        self._completion = Completion(rehearsal.settings)
        self._regions = Regions(shortcuts(MANIFEST))
        self._poked = asyncio.Condition()
        self._stopping = False
        routes = [
            Route("/", self._page),
            Route("/events", self._events),
            Route("/complete", self._complete),
            Route("/suggest", self._suggest),
            Route("/do/{what}", self._do, methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
        ]
        gate = Middleware(Gate, port=port, token=token)
        self.app = Starlette(routes=routes, middleware=[gate], lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(self._completion.warm())
        yield
        warming.cancel()
        await self._completion.close()
        await self._town.close()

    async def stop(self) -> None:
        """Let streams end."""
        self._stopping = True
        await self._poke()

    async def _page(self, request: Request) -> Response:
        view = View.read(request.query_params)
        if view.tab == "home":
            await self._town.do("home", user=view.user)
        return HTMLResponse(self._regions.page(await self._now(view), view))

    async def _events(self, request: Request) -> Response:
        """Server-sent events: each is a JSON object of regions that changed, by id."""
        view = View.read(request.query_params)
        if view.tab == "home":
            await self._town.do("home", user=view.user)
        return StreamingResponse(self._stream(request, view), media_type="text/event-stream")

    async def _stream(self, request: Request, view: View) -> AsyncIterator[str]:
        shown: dict[str, str] = {}
        while not self._stopping and not await request.is_disconnected():
            try:
                now = await self._now(view)
            except httpx.HTTPError:  # the town is gone, or so busy that it did not answer: look again
                now = shown
            changed = {name: html for name, html in now.items() if shown.get(name) != html}
            shown = now
            yield f"data: {json.dumps(changed)}\n\n" if changed else ": still here\n\n"
            await self._until_poked()

    async def _now(self, view: View) -> dict[str, str]:
        seen = await self._town.look(view.service)
        await self.director.watch(seen)
        return self._regions.all(seen, view, self.director.scenarios, self.director.run, self._memory)

    async def _do(self, request: Request) -> Response:
        """Take a form; then back to the page, or nothing for the script, which hears of what came of it."""
        action = self._actions.table.get(request.path_params["what"])
        sent = parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
        form = FormData([*sent])
        view = View.read(str(form.get("view", "")))
        if action is None:
            return JSONResponse({"error": "There is no such action."}, 404)
        if said := await action(form, view):
            self._memory.say(said)
        self._town.forget()
        await self._poke()
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"said": said})
        return RedirectResponse(view.but(), 303)

    async def _complete(self, request: Request) -> Response:
        """What could be typed: [text, meaning]."""
        text = request.query_params.get("text", "")
        if not text.startswith("/aisq "):
            return JSONResponse([["/aisq ", "Talk to aisq"]] if text and "/aisq ".startswith(text) else [])
        found = await self._completion.next(text.removeprefix("/aisq ").lstrip())
        return JSONResponse([[f"/aisq {whole}", about] for whole, about in found])

    async def _suggest(self, request: Request) -> Response:
        """The options that the app delivers for a menu of a modal: [the option as JSON, what it says]."""
        query, view = request.query_params, View.read(request.query_params)
        asked = {"view_id": query.get("view_id", ""), "action_id": query.get("action_id", "")}
        said = await self._town.do("suggest", user=view.user, typed=query.get("typed", ""), **asked)
        return JSONResponse([[json.dumps(one), one["text"]["text"]] for one in said.get("options") or []])

    async def _poke(self) -> None:
        async with self._poked:
            self._poked.notify_all()

    async def _until_poked(self) -> None:
        try:
            async with asyncio.timeout(EVERY_S), self._poked:
                await self._poked.wait()
        except TimeoutError:
            return


def shortcuts(manifest: Path) -> list[tuple[str, str]]:
    """What the app's manifest puts into the menu of a message: (callback_id, name)."""
    if not manifest.exists():
        return []
    features = YAML(typ="safe").load(manifest.read_text(encoding="utf-8")).get("features", {})
    listed = features.get("shortcuts") or []
    return [(str(one["callback_id"]), str(one["name"])) for one in listed if one.get("type") == "message"]
