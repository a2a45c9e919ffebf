"""The Web API's front: token, faults, scopes and budget before a method runs, Slack's answers after it."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.slack import arguments, channels, history, messages, people, reactions
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.cut import cut
from bot.sandbox.slack.faults import Fault, Faults, Kind
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import RateLimited, Refusal
from bot.sandbox.slack.scopes import need_scope
from bot.sandbox.slack.state import Call, Json, Workspace

METHODS: dict[str, Method] = {
    **people.METHODS,
    **channels.METHODS,
    **messages.METHODS,
    **history.METHODS,
    **reactions.METHODS,
}
CUT_BEFORE = (Kind.HANG, Kind.RESET, Kind.DOWN)


@dataclass(frozen=True)
class WebApi:
    """Answers `/api/METHOD`. `bot_token` is the one token that it knows."""

    workspace: Workspace
    bot_token: str
    faults: Faults
    budgets: Budgets

    async def __call__(self, request: Request) -> Response:
        method = request.path_params["method"]
        fault = self.faults.take(method)
        if fault and fault.kind in CUT_BEFORE:
            self._note(method, {}, 0, fault=fault)
            await asyncio.sleep(fault.delay_s if fault.kind is Kind.HANG else 0)
            return await cut(request)
        answer = await self._answer(request, method, fault)
        if fault and fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.delay_s)
        if fault and fault.kind is Kind.LOST_ANSWER:
            return await cut(request)
        return answer

    async def _answer(self, request: Request, method: str, fault: Fault | None) -> Response:
        args = Arguments({})
        try:
            args = await arguments.read(request)
            self._authenticate(request, args)
            self._misbehave(fault)
            body = self.run(method, args)
        except Refusal as refusal:
            self._note(method, args.raw, 200, refusal.error, fault)
            return self._json(refusal.answer())
        except RateLimited as limited:
            self._note(method, args.raw, 429, "ratelimited", fault)
            headers = {"Retry-After": str(limited.retry_after_s)}
            return self._json({"ok": False, "error": "ratelimited"}, 429, headers)
        except Broken:
            self._note(method, args.raw, 500, "", fault)
            return PlainTextResponse("Internal Server Error", 500)
        self._note(method, args.raw, 200, "", fault)
        return self._json({"ok": True, **body})

    def run(self, method: str, args: Arguments) -> Json:
        """Carry out one call of the app. Raises Refusal, RateLimited."""
        found = METHODS.get(method)
        if found is None:
            raise Refusal("unknown_method", req_method=method)
        need_scope(self.workspace, *found.scopes)
        self.budgets.spend(method, found.tier, args.text("channel"))
        return found.run(self.workspace, args)

    def _authenticate(self, request: Request, args: Arguments) -> None:
        sent = args.raw.pop("token", "")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        token = bearer if scheme.lower() == "bearer" else sent
        if not token:
            raise Refusal("not_authed")
        if token != self.bot_token:
            raise Refusal("invalid_auth")

    @staticmethod
    def _misbehave(fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.kind is Kind.RATELIMITED:
            raise RateLimited(fault.retry_after_s)
        if fault.kind is Kind.SERVER_ERROR:
            raise Broken
        if fault.kind is Kind.ERROR:
            raise Refusal(fault.error)

    def _json(self, body: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        scopes = {"x-oauth-scopes": ",".join(sorted(self.workspace.app.scopes))}
        return JSONResponse(body, status, {**scopes, **(headers or {})})

    def _note(
        self, method: str, args: dict[str, Any], status: int, error: str = "", fault: Fault | None = None
    ) -> None:
        kind = fault.kind.value if fault else ""
        self.workspace.calls.append(Call(self.workspace.now(), method, args, status, error, kind))


class Broken(Exception):
    """Slack answers HTTP 500."""
