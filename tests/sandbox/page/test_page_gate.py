"""Who may talk to the page, and what its answers allow a browser to do."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.page.gate import LONGEST_BODY, Gate

PORT, TOKEN = 4711, "the-key"
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
COOKIE = {"Cookie": f"aisq-page-{PORT}={TOKEN}"}
OURS = {**COOKIE, "Origin": ORIGIN}


async def echo(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {await request.body()!r}")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    gate = Middleware(Gate, port=PORT, token=TOKEN)
    app = Starlette(routes=[Route("/", echo, methods=["GET", "POST", "PUT"])], middleware=[gate])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as made:
        yield made


async def test_the_address_gives_a_cookie_and_leads_to_a_clean_one(client: httpx.AsyncClient) -> None:
    first = await client.get("/", params={"token": TOKEN, "who": "ben"})
    assert (first.status_code, first.headers["location"]) == (303, "/?who=ben")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"aisq-page-{PORT}={TOKEN};") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert "Domain" not in cookie and "expires" not in cookie.lower()
    assert (await client.get("/")).text == "GET b''", "the client keeps the cookie"


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", COOKIE, 200),
        ("GET", {**COOKIE, "Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {**COOKIE, "Sec-Fetch-Site": "none"}, 200),
        ("POST", OURS, 200),
        ("POST", {**OURS, "Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {**COOKIE, "Host": f"localhost:{PORT}"}, 200),
        # somebody else
        ("GET", {}, 403),
        ("POST", {"Origin": ORIGIN}, 403),
        ("GET", {"Cookie": f"aisq-page-{PORT}=another-key"}, 403),
        ("GET", {"Cookie": "aisq-page-4712=the-key"}, 403),
        ("GET", {"Cookie": '"broken\x00=;;,'}, 403),
        ("GET", {"Cookie": f"aisq-page-{PORT}=schlüssel".encode()}, 403),
        # another name for this machine
        ("GET", {**COOKIE, "Host": "evil.example"}, 421),
        ("GET", {**COOKIE, "Host": f"evil.example:{PORT}"}, 421),
        ("GET", {**COOKIE, "Host": "127.0.0.1:4712"}, 421),
        ("GET", {**COOKIE, "Host": "127.0.0.1"}, 421),
        ("GET", {**COOKIE, "Host": ""}, 421),
        # another site
        ("POST", COOKIE, 403),
        ("POST", {**COOKIE, "Origin": "null"}, 403),
        ("POST", {**COOKIE, "Origin": "http://evil.example"}, 403),
        ("POST", {**COOKIE, "Origin": "http://127.0.0.1:4712"}, 403),
        ("POST", {**COOKIE, "Origin": f"https://{HOST}"}, 403),
        ("POST", {**COOKIE, "Origin": f"http://localhost:{PORT}"}, 403),
        ("GET", {**COOKIE, "Origin": "http://evil.example"}, 403),
        ("GET", {**COOKIE, "Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {**COOKIE, "Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {**OURS, "Sec-Fetch-Site": "cross-site"}, 403),
        ("PUT", OURS, 403),
        # too much
        ("POST", {**OURS, "Content-Length": str(LONGEST_BODY + 1)}, 413),
        ("POST", {**OURS, "Content-Length": "many"}, 413),
        ("POST", {**OURS, "Transfer-Encoding": "chunked"}, 413),
    ],
)
async def test_who_may(client: httpx.AsyncClient, method: str, headers: Any, status: int) -> None:
    answer = await client.request(method, "/", headers=headers)
    assert answer.status_code == status, answer.text
    assert status == 200 or TOKEN not in answer.text


@pytest.mark.parametrize("headers", [COOKIE, {}, {**COOKIE, "Host": "evil.example"}, {**COOKIE, "Origin": "null"}])
async def test_every_answer_forbids_what_the_page_does_not_do(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/", headers=headers)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'" and policy["form-action"] == "'self'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("token", ["", "the-ke", "the-key2", "THE-KEY", "schlüssel"])
async def test_a_wrong_token_opens_nothing(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/", params={"token": token})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


async def test_a_token_in_a_form_opens_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/", params={"token": TOKEN}, headers={"Origin": ORIGIN})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
