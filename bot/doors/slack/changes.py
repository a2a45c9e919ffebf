"""What Slack says about people: from then on nothing that was known of them before is trusted.

On the replica that hears it, at once; the others ask again when what they know is five minutes old. The events are
hints, never the facts themselves: who somebody is, Slack is asked (docs.slack.dev, "Event types").
"""

from collections.abc import Callable
from typing import Protocol

from bot.doors.slack import inbound
from bot.doors.slack.guard import Refusals
from bot.doors.slack.inbound import Payload

PEOPLE = ("user_change", "team_join")
MEMBERS, GROUP = "subteam_members_changed", "subteam_updated"
CHANGES = (*PEOPLE, MEMBERS, GROUP)


class Known(Protocol):
    """What is remembered of people."""

    def person_changed(self, id: str) -> None: ...
    def group_changed(self, id: str) -> None: ...


class Nobody:
    """Nothing is remembered."""

    def person_changed(self, id: str) -> None: ...
    def group_changed(self, id: str) -> None: ...


class Changes:
    """Hears the events. `tell` is told that somebody may see something else now."""

    def __init__(self, known: Known, team_id: str, refusals: Refusals, tell: Callable[[], None]) -> None:
        self._known, self._team_id, self._refusals, self._tell = known, team_id, refusals, tell

    def heard(self, body: Payload) -> None:
        """One event; what it does not say is not guessed."""
        if inbound.is_foreign({"team_id": body.get("team_id")}, self._team_id):
            self._refusals["another workspace"] += 1
            return
        event = body.get("event") or {}
        if event.get("type") in PEOPLE:
            self._known.person_changed(_id(event.get("user")))
        else:
            self._known.group_changed(_id(event.get("subteam_id") or event.get("subteam")))
        self._tell()


def _id(given: object) -> str:
    return str(given.get("id") or "") if isinstance(given, dict) else str(given or "")
