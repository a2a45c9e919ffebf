"""How Slack says no: a named error inside a 200 answer, or 429 with Retry-After."""

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """A Web API call that Slack answers with `ok: false`.

    `error` is Slack's word for it, `messages` go to `response_metadata.messages`, `extra` are further
    top-level fields (`needed`, `provided`, `detail`).
    """

    def __init__(self, error: str, messages: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(error, *messages)
        self.error = error
        self.messages = list(messages)
        self.extra = extra

    def answer(self) -> dict[str, Any]:
        """The JSON body that Slack would send."""
        body: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
        return body


class RateLimited(Exception):
    """A call over its budget: HTTP 429, `Retry-After` in whole seconds."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


def missing(field: str) -> Refusal:
    """The refusal of a call without an argument that it needs."""
    return Refusal("invalid_arguments", [f"[ERROR] missing required field: {field}"])


class Unusable(Exception):
    """A control request that the sandbox cannot carry out; the text says what to send instead."""
