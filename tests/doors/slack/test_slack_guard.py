"""The guard: what is refused, how it is said, and that nothing behind it ever hears of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.doors.slack.guard import LONGEST_BODY, REFUSED, Guard, Refusals
from bot.sandbox.slack.signing import signed
from tests.doors.slack.harness import SECRET, StillTime

BODY = b"command=%2Faisq&text=status"
Headers = dict[str, str]


class Behind:
    """The app behind the guard; it reads its request as Starlette does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.then: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        assert message["more_body"] is False
        self.bodies.append(message["body"])
        self.signatures.append(scope["state"]["signature"])
        self.then = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class Caller:
    """Sends a request in chunks; keeps what comes back."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.status, self.body = 0, b""

    async def post(self, chunks: list[bytes], headers: Headers, *, leaves: bool = False) -> int:
        messages = self._messages(chunks, leaves)
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._guard({"type": "http", "headers": raw}, lambda: anext(messages), self._take)
        return self.status

    async def _messages(self, chunks: list[bytes], leaves: bool) -> AsyncIterator[dict[str, Any]]:
        for at, chunk in enumerate(chunks):
            yield {"type": "http.request", "body": chunk, "more_body": leaves or at < len(chunks) - 1}
        while True:
            yield {"type": "http.disconnect"}

    async def _take(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def caller(behind: Behind, refusals: Refusals, time: StillTime) -> Caller:
    return Caller(Guard(behind, SECRET, time, refusals))


def good(time: StillTime, body: bytes = BODY, at: int | str | None = None) -> Headers:
    return signed(SECRET, body, int(time()) if at is None else at)


async def test_what_slack_signed_just_now_passes_with_its_signature(
    caller: Caller, behind: Behind, time: StillTime, refusals: Refusals
) -> None:
    headers = good(time)
    assert await caller.post([BODY[:5], BODY[5:]], headers) == 200
    assert (behind.bodies, behind.signatures) == ([BODY], [headers["X-Slack-Signature"]])
    assert behind.then == {"type": "http.disconnect"}
    assert not refusals


@pytest.mark.parametrize("late_s", [-300, 300])
async def test_the_edge_of_the_window_passes(late_s: int, caller: Caller, time: StillTime) -> None:
    assert await caller.post([BODY], good(time, at=int(time()) + late_s)) == 200


def without(*names: str) -> Callable[[StillTime], Headers]:
    return lambda time: {name: value for name, value in good(time).items() if name not in names}


def stamped(stamp: str) -> Callable[[StillTime], Headers]:
    """A timestamp that was signed properly, whatever it says."""
    return lambda time: good(time, at=stamp)


def shifted(late_s: int) -> Callable[[StillTime], Headers]:
    return lambda time: good(time, at=int(time()) + late_s)


def signature(value: str) -> Callable[[StillTime], Headers]:
    return lambda time: {**good(time), "X-Slack-Signature": value}


REFUSED_HEADERS = {
    "no headers at all": (lambda _: {}, "headers", 401),
    "no signature": (without("X-Slack-Signature"), "headers", 401),
    "no timestamp": (without("X-Slack-Request-Timestamp"), "headers", 401),
    "an empty signature": (signature(""), "headers", 401),
    "a timestamp in words": (stamped("abc"), "timestamp", 401),
    "a negative timestamp": (stamped("-1"), "timestamp", 401),
    "a timestamp with a fraction": (stamped("1790000000.5"), "timestamp", 401),
    "a timestamp in other digits": (stamped("\u00b2"), "timestamp", 401),
    "a timestamp that no machine can hold": (stamped("9" * 400), "timestamp", 401),
    "one second too old": (shifted(-301), "timestamp", 401),
    "one second too early": (shifted(301), "timestamp", 401),
    "the signature of something else": (lambda time: good(time, b"other"), "signature", 401),
    "another secret's signature": (lambda time: signed("not it", BODY, int(time())), "signature", 401),
    "another version of signatures": (lambda time: {**good(time), "X-Slack-Signature": "v1=abc"}, "signature", 401),
    "a signature that is no hex": (signature("v0=\u00fc\u00fc"), "signature", 401),
    "only the version": (signature("v0="), "signature", 401),
}


@pytest.mark.parametrize("name", REFUSED_HEADERS)
async def test_what_slack_did_not_sign_is_refused_in_the_same_few_words(
    name: str, caller: Caller, behind: Behind, time: StillTime, refusals: Refusals
) -> None:
    headers, why, status = REFUSED_HEADERS[name]
    assert await caller.post([BODY], headers(time)) == status
    assert (caller.body, behind.bodies) == (REFUSED, [])
    assert refusals == {why: 1}


@pytest.mark.parametrize("body", [b"ssl_check=1&token=x", b'{"type": "url_verification", "challenge": "x"}', b""])
async def test_nothing_is_answered_unsigned(body: bytes, caller: Caller, behind: Behind) -> None:
    assert await caller.post([body], {}) == 401
    assert behind.bodies == []


async def test_a_body_changed_on_the_way_is_refused(caller: Caller, behind: Behind, time: StillTime) -> None:
    assert await caller.post([BODY + b"&text=rollback"], good(time)) == 401
    assert behind.bodies == []


async def test_a_body_that_is_no_utf8_is_refused_even_when_signed(
    caller: Caller, behind: Behind, time: StillTime, refusals: Refusals
) -> None:
    body = b"text=\xff\xfe"
    assert await caller.post([body], good(time, body)) == 400
    assert (behind.bodies, refusals) == ([], {"encoding": 1})


class TestSize:
    async def test_a_megabyte_passes(self, caller: Caller, time: StillTime) -> None:
        body = b"x" * LONGEST_BODY
        assert await caller.post([body], good(time, body)) == 200

    async def test_one_byte_more_is_refused_though_signed(
        self, caller: Caller, behind: Behind, time: StillTime, refusals: Refusals
    ) -> None:
        body = b"x" * (LONGEST_BODY + 1)
        assert await caller.post([body[:LONGEST_BODY], body[LONGEST_BODY:]], good(time, body)) == 413
        assert (behind.bodies, refusals) == ([], {"too large": 1})

    async def test_a_length_that_is_too_large_is_refused_unread(self, caller: Caller, time: StillTime) -> None:
        headers = {**good(time), "Content-Length": str(LONGEST_BODY + 1)}
        assert await caller.post([], headers) == 413, "nothing was read: there was nothing to read"

    @pytest.mark.parametrize("said", ["-5", "many", "9" * 30, "10"])
    async def test_a_false_length_changes_nothing(self, said: str, caller: Caller, time: StillTime) -> None:
        assert await caller.post([BODY], {**good(time), "Content-Length": said}) == 200


async def test_a_caller_that_leaves_half_way_is_dropped(caller: Caller, behind: Behind, time: StillTime) -> None:
    assert await caller.post([BODY], good(time), leaves=True) == 400
    assert behind.bodies == []


async def test_refusals_are_counted_by_reason(caller: Caller, time: StillTime, refusals: Refusals) -> None:
    for headers in ({}, good(time, at="abc"), good(time, at="abc"), good(time, b"other")):
        await caller.post([BODY], headers)
    assert refusals == {"headers": 1, "timestamp": 2, "signature": 1}


NOISE = st.dictionaries(
    st.sampled_from(["X-Slack-Signature", "X-Slack-Request-Timestamp", "Content-Length", "X-Other"]),
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=70),
)


@given(headers=NOISE, body=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
async def test_noise_never_passes_and_never_breaks_the_guard(
    headers: Headers, body: bytes, caller: Caller, behind: Behind
) -> None:
    assert await caller.post([body], headers) in (401, 413)
    assert behind.bodies == []
