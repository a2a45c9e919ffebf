"""How Slack signs what it sends: HMAC-SHA256 over "v0:TIMESTAMP:BODY" (docs.slack.dev, Verifying requests)."""

import hashlib
import hmac
import time


def signed(secret: str, body: bytes, timestamp: int | str | None = None) -> dict[str, str]:
    """The two headers that prove a body; `timestamp` is real time in seconds unless given."""
    at = str(int(time.time()) if timestamp is None else timestamp)
    digest = hmac.new(secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": "v0=" + digest}
