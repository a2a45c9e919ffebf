"""Modals and the App Home: the calls that show them. Each may be repeated: a hash that is no longer right refuses it.

Raises what `calls` raises; `Refusal.error` is "hash_conflict" when the view has changed since.
"""

from typing import Any

from pydantic import BaseModel

from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.outbound.calls import Calls, Refusal


class View(BaseModel, frozen=True):
    """A view that Slack shows."""

    id: str
    hash: str


class Views:
    """Over the gateway's calls, so that they share its budgets."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def open(self, trigger_id: str, view: Block) -> View:
        """Open a modal. A trigger lives three seconds and opens one view, so a second try opens no second one."""
        return _view(await self._calls.call("views.open", trigger_id=trigger_id, view=view))

    async def update(self, shown: View, view: Block) -> View:
        """Put other content into a modal, if it is still what was shown."""
        return _view(await self._calls.call("views.update", view_id=shown.id, hash=shown.hash, view=view))

    async def publish(self, user: str, view: Block, hash: str = "") -> View:
        """Set somebody's App Home, if it is still what was shown (no hash: whatever it is)."""
        return _view(await self._calls.call("views.publish", user_id=user, hash=hash, view=view))


def is_conflict(refused: Refusal) -> bool:
    """Whether somebody else was faster."""
    return refused.error == "hash_conflict"


def _view(answer: dict[str, Any]) -> View:
    shown = answer.get("view") or {}
    return View(id=str(shown.get("id", "")), hash=str(shown.get("hash", "")))
