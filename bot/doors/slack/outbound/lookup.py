"""What arrived: after a lost answer our own message, or a file of ours, is looked for where it would be."""

from collections.abc import AsyncIterator
from typing import Any

from bot.doors.slack.outbound.calls import Calls

EVENT, REPLY = "aisq_operation", "aisq_reply"  # metadata by which our own messages are found again
PAGES = 5
Span = tuple[float, float]  # two instants, in seconds since the epoch


def metadata(operation: str, kind: str) -> dict[str, Any]:
    """What a message, or a reply of a kind, says of itself."""
    if not kind:
        return {"event_type": EVENT, "event_payload": {"operation": operation}}
    return {"event_type": REPLY, "event_payload": {"operation": operation, "kind": kind}}


def method(thread_ts: str) -> str:
    """Where it is looked for: only a thread lists its replies."""
    return "conversations.replies" if thread_ts else "conversations.history"


class Lookup:
    """Raises what `calls` raises."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def message(self, channel: str, thread_ts: str, within: Span, operation: str, kind: str) -> str | None:
        """The ts of our own message, posted between two instants; None when there is none."""
        wanted = metadata(operation, kind)
        async for message in self._posted(channel, thread_ts, within):
            if _says(message.get("metadata") or {}, wanted):
                return str(message["ts"])
        return None

    async def file(self, channel: str, thread_ts: str, within: Span, file: str) -> bool:
        """Whether a file was shared in a thread."""
        async for message in self._posted(channel, thread_ts, within):
            if any(one.get("id") == file for one in message.get("files") or ()):
                return True
        return False

    async def _posted(self, channel: str, thread_ts: str, within: Span) -> AsyncIterator[dict[str, Any]]:
        oldest, latest = (f"{instant_s:.6f}" for instant_s in within)
        cursor = ""
        for _ in range(PAGES):
            page = await self._calls.ask(
                method(thread_ts), channel=channel, ts=thread_ts, oldest=oldest, latest=latest, limit=200,
                cursor=cursor, include_all_metadata="true", inclusive="true",
            )  # fmt: skip
            for message in page["messages"]:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _says(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    told = found.get("event_payload") or {}
    same = all(told.get(name) == value for name, value in wanted["event_payload"].items())
    return same and found.get("event_type") == wanted["event_type"]
