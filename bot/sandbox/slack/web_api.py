"""The Web API: token, scopes and budget before a method runs, Slack's answers after it."""

from dataclasses import dataclass

from starlette.requests import Request

from bot.sandbox.slack import arguments, channels, files, history, messages, people, reactions, validation, views
from bot.sandbox.slack.arguments import Arguments
from bot.sandbox.slack.budgets import Budgets
from bot.sandbox.slack.limits import Tier
from bot.sandbox.slack.link import Link
from bot.sandbox.slack.method import Method
from bot.sandbox.slack.refusals import RateLimited, Refusal
from bot.sandbox.slack.reply import Reply
from bot.sandbox.slack.scopes import need_scope
from bot.sandbox.slack.state import Json, Workspace

LINK, CONNECT = "/link/", "apps.connections.open"
METHODS: dict[str, Method] = {
    **people.METHODS,
    **channels.METHODS,
    **messages.METHODS,
    **history.METHODS,
    **reactions.METHODS,
    **views.METHODS,
    **files.METHODS,
    **validation.METHODS,
}


@dataclass(frozen=True)
class WebApi:
    """Answers `/api/METHOD`. `bot_token` is for every method but one; that takes `app_token`, if there is one."""

    workspace: Workspace
    bot_token: str
    budgets: Budgets
    app_token: str
    link: Link

    async def answer(self, request: Request) -> Reply:
        """Carry out one call, or refuse it in Slack's words."""
        args = Arguments({})
        try:
            args = await arguments.read(request)
            method = request.path_params["method"]
            self._authenticate(request, args, method)
            body = self._connect() if method == CONNECT else self.run(method, args)
        except Refusal as refusal:
            return Reply.refused(refusal, args.raw)
        except RateLimited as limited:
            return Reply.limited(limited, args.raw)
        headers = {"x-oauth-scopes": ",".join(sorted(self.workspace.app.scopes))}
        return Reply(200, {"ok": True, **body}, headers, args.raw)

    def run(self, method: str, args: Arguments) -> Json:
        """Carry out one call of the app. Raises Refusal, RateLimited."""
        found = METHODS.get(method)
        if found is None:
            raise Refusal("unknown_method", req_method=method)
        need_scope(self.workspace, *found.scopes)
        self.budgets.spend(method, found.tier, args.text("channel"))
        return found.run(self.workspace, args)

    def _connect(self) -> Json:
        """An address for one connection of Socket Mode."""
        self.budgets.spend(CONNECT, Tier.T1, "")
        host = self.workspace.base_url.replace("http", "ws", 1)
        return {"url": f"{host}{LINK}?ticket={self.link.ticket()}&app_id={self.workspace.app.id}"}

    def _authenticate(self, request: Request, args: Arguments, method: str) -> None:
        """A token comes as a bearer header or, in a form, as `token`.

        Raises Refusal(not_authed, invalid_auth, not_allowed_token_type).
        """
        sent = args.raw.pop("token", "")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        token = bearer if scheme.lower() == "bearer" else sent
        if not token:
            raise Refusal("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise Refusal("invalid_auth")
        if (token == self.app_token) is not (method == CONNECT):
            raise Refusal("not_allowed_token_type")
