"""Who people are, as Slack knows them: name, zone, user groups, and whether they may still ask for anything."""

import logging
from collections.abc import Callable, Collection
from functools import partial
from http.client import HTTPException
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.doors.slack.memory import Memory
from bot.engine.people import Person

TIMEOUT_S = 2  # real seconds for one call; somebody waits for an acknowledgement
NOT_OURS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
UNKNOWN = ("user_not_found", "user_not_visible", "users_not_found")
NO_GROUP = ("no_such_subteam", "subteam_not_found")
log = logging.getLogger(__name__)


class SlackPeople:
    """Asks Slack, and remembers for five minutes. `groups` are the ids that roles.yaml names; `monotonic` is real time.

    Deactivated people, bots, guests and people of another workspace are not active. When Slack cannot be asked and
    nothing fresh is known, `active` is None and the rest is what was known last. Safe from several threads.
    """

    def __init__(
        self, bot_token: str, api_url: str, team_id: str, groups: Collection[str], monotonic: Callable[[], float]
    ) -> None:
        self._web = WebClient(bot_token, base_url=api_url, timeout=TIMEOUT_S, retry_handlers=[])
        self._team_id, self._groups = team_id, sorted(groups)
        self._memory = Memory(monotonic, (SlackClientError, OSError, HTTPException))

    def person(self, id: str) -> Person:
        """Never raises: somebody of whom nothing can be known may be active or not."""
        person, fresh = self._memory.recall(f"person {id}", partial(self._asked, id))
        if person is None:
            return Person(name=id, active=None)
        groups: list[str] = []
        for group in self._groups:
            members, known = self._memory.recall(f"group {group}", partial(self._asked_group, group))
            groups += [group] if members and id in members else []
            fresh = fresh and known
        unsure = None if person.active else False  # who was deactivated stays so, whatever Slack cannot say
        return person.model_copy(update={"groups": tuple(groups), "active": person.active if fresh else unsure})

    def person_changed(self, id: str) -> None:
        """Ask about them again before they may do anything."""
        self._memory.doubt(f"person {id}")

    def group_changed(self, id: str) -> None:
        """Ask who is in it before anybody may do anything because of it."""
        self._memory.doubt(f"group {id}")

    def _asked(self, id: str) -> Person:
        try:
            user = self._web.users_info(user=id)["user"]
        except SlackApiError as error:
            if error.response.get("error") in UNKNOWN:
                return Person(name=id, active=False)
            raise
        ours = not self._team_id or user.get("team_id") == self._team_id
        active = ours and not any(user.get(mark) for mark in NOT_OURS)
        return Person(name=_name(user), active=active, zone=_zone(user.get("tz")))

    def _asked_group(self, group: str) -> frozenset[str]:
        try:
            return frozenset(self._web.usergroups_users_list(usergroup=group)["users"])
        except SlackApiError as error:
            if error.response.get("error") in NO_GROUP:
                log.error("roles.yaml names the user group %s, which Slack does not know", group)
                return frozenset()
            raise


def _name(user: dict[str, Any]) -> str:
    profile = user.get("profile") or {}
    return str(user.get("real_name") or profile.get("real_name") or user.get("name") or user.get("id"))


def _zone(name: str | None) -> str:
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (KeyError, ValueError, OSError):
        return "UTC"
