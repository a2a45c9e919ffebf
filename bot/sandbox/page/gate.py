"""Who may talk to the page: this machine's own browser, which has seen the address that was printed.

The page drives a bot, so anything else that a browser could be talked into must end here: another name for this machine
(DNS rebinding), another site's form or script (CSRF), another person without the token. The token comes in the address
once and goes into a cookie that only requests of the page itself carry.
"""

import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 256 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
STRANGER = "Open the address that `make sandbox` printed: it holds the key to this page.\n"


class Gate:
    """Middleware. `port` is where the page listens; `token` is the key in its address."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"aisq-page-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        answer = self._refusal(Request(scope)) or self._entry(Request(scope))
        await (answer or self._app)(scope, receive, guarded)

    def _refusal(self, request: Request) -> Response | None:
        """What is wrong with where a request comes from."""
        if request.headers.get("host") not in self._hosts:
            return PlainTextResponse("This page is served to this machine only, by its own name.\n", 421)
        if not _is_ours(request.method, request.headers):
            return PlainTextResponse("This request comes from somewhere else than the page.\n", 403)
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY or "transfer-encoding" in request.headers:
            return PlainTextResponse("The page sends nothing as long as this.\n", 413)
        return None

    def _entry(self, request: Request) -> Response | None:
        """Nothing for who has the cookie; the cookie for who brings the token; a refusal for everybody else."""
        query = dict(parse_qsl(request.url.query))
        if request.method == "GET" and self._is_token(query.pop("token", "")):
            clean = RedirectResponse(f"{request.url.path}{'?' + urlencode(query) if query else ''}", 303)
            clean.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return clean
        if self._is_token(_cookies(request.headers).get(self._cookie, "")):
            return None
        return PlainTextResponse(STRANGER, 403)

    def _is_token(self, said: str) -> bool:
        return secrets.compare_digest(said.encode(), self._token.encode())


def _is_ours(method: str, headers: Headers) -> bool:
    """Browsers say where a request begins: Origin with every POST, Sec-Fetch-Site with every one they make."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and origin != f"http://{headers.get('host')}":
        return False
    if method in ("GET", "HEAD"):
        return site in ("same-origin", "none")
    return method == "POST" and origin is not None and site in ("same-origin", "none")


def _cookies(headers: Headers) -> Mapping[str, str]:
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}
