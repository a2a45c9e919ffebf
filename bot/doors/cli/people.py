"""People as this machine knows them."""

import pwd
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.engine.people import Person


class Accounts:
    """Accounts of the operating system. `me` is who runs this process: the kernel says so, so they are active.

    Somebody without an account here may have one elsewhere; of them nothing is known.
    """

    def __init__(self, me: str, zone: str) -> None:
        self._me, self._zone = me, zone

    def person(self, id: str) -> Person:
        try:
            pwd.getpwnam(id)
        except KeyError:
            return Person(name=id, active=True if id == self._me else None)
        return Person(name=id, zone=known_zone(self._zone) if id == self._me else "UTC")


class Players:
    """The people of a rehearsal, who are whoever `--as` says."""

    def person(self, id: str) -> Person:
        return Person(name=id)


def known_zone(name: str) -> str:
    """The name, if it is that of a time zone; else "UTC"."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
