"""An answer of the fake before it goes out, with what the log of calls says about it."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.slack.refusals import RateLimited, Refusal


@dataclass(frozen=True)
class Reply:
    """`args` are what the caller sent, `error` is Slack's word if it was refused."""

    status: int
    body: dict[str, Any] | str = ""
    headers: dict[str, str] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def response(self) -> Response:
        """The reply as HTTP."""
        if isinstance(self.body, str):
            return PlainTextResponse(self.body, self.status, self.headers)
        return JSONResponse(self.body, self.status, self.headers)

    @classmethod
    def refused(cls, refusal: Refusal, args: dict[str, Any] | None = None, status: int = 200) -> "Reply":
        """Slack's no."""
        return cls(status, refusal.answer(), args=args or {}, error=refusal.error)

    @classmethod
    def limited(cls, limited: RateLimited, args: dict[str, Any] | None = None) -> "Reply":
        """HTTP 429 with Retry-After."""
        headers = {"Retry-After": str(limited.retry_after_s)}
        return cls(429, {"ok": False, "error": "ratelimited"}, headers, args or {}, "ratelimited")
