"""How many calls Slack takes. Asked before each call, so that nobody runs into a 429; one that comes anyway is kept.

Rates: docs.slack.dev, "Rate limits" (tiers), and Slack's java-slack-sdk, MethodsRateLimits.java (the tier of a method).
Nine tenths of a rate are used, a fifth of it at once, because Slack's minutes are not ours.
"""

import logging
from collections.abc import Callable

from pydantic import BaseModel

from bot.core.errors import StoreError

T2, T3, T4 = 20, 50, 100  # calls a minute, workspace and method
POSTS = 300  # "several hundred messages a minute"
TIERS = {
    "chat.postMessage": POSTS,
    "chat.update": T3,
    "chat.postEphemeral": T4,
    "conversations.history": T3,
    "conversations.replies": T3,
    "files.getUploadURLExternal": T4,
    "files.completeUploadExternal": T4,
    "views.open": T4,
    "views.update": T4,
    "views.publish": T4,
}
ASKED_EVERY_S = 5.0  # replicas come and go rarely
log = logging.getLogger(__name__)


class Rate(BaseModel, frozen=True):
    """A bucket of `burst` calls, into which `per_minute` come; so any minute has at most the sum of both."""

    burst: float
    per_minute: float

    def part(self, share: float) -> "Rate":
        """A share of it; nobody is left without a call."""
        return Rate(burst=max(1.0, self.burst * share), per_minute=self.per_minute * share)


IN_A_CHANNEL = Rate(burst=3, per_minute=54)  # "one message per second per channel", and a few at once


def rate_of(method: str) -> Rate:
    """Of all channels together; what is not known is of a low tier."""
    calls = TIERS.get(method, T2)
    return Rate(burst=0.2 * calls, per_minute=0.7 * calls)


class Share:
    """This process's part of Slack's budgets. `ask` may take long, and raise StoreError."""

    def __init__(self, ask: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._ask, self._now, self._asked_at = ask, monotonic, float("-inf")
        self.known = 1.0

    def look(self) -> None:
        """Ask again when that is a while ago."""
        if self._now() - self._asked_at < ASKED_EVERY_S:
            return
        self._asked_at = self._now()
        try:
            self.known = self._ask()
        except StoreError as error:
            log.warning("nobody knows how many share Slack's budgets, so the part of each stays: %s", error)


class Budgets:
    """This process's share of every budget, and the waits that Slack asked for.

    `monotonic` is in real seconds; `share` is this process's part (1: it is alone), and may take long.
    """

    def __init__(self, monotonic: Callable[[], float], share: Callable[[], float]) -> None:
        self._now, self._share = monotonic, Share(share, monotonic)
        self._levels: dict[str, tuple[float, float]] = {}
        self._held: dict[str, float] = {}

    def allows(self, method: str, channel: str = "", *, spare: bool = False) -> bool:
        """Whether a call may be made now; one that is `spare` leaves half of a burst to those that are not."""
        return self.wait_s(method, channel, spare=spare) <= 0

    def wait_s(self, method: str, channel: str = "", *, spare: bool = False) -> float:
        """Seconds until a call may be made."""
        waits = [self._lacking_s(name, rate, spare) for name, rate in self._buckets(method, channel)]
        return max(self._held.get(method, 0.0) - self._now(), *waits, 0.0)

    def spend(self, method: str, channel: str = "") -> None:
        """A call is made."""
        for name, rate in self._buckets(method, channel):
            self._levels[name] = self._level(name, rate) - 1, self._now()

    def hold(self, method: str, seconds: float) -> None:
        """Slack asks to wait."""
        self._held[method] = max(self._held.get(method, 0.0), self._now() + seconds)

    def look(self) -> None:
        """Learn how large the share is. Not for the thread of an event loop; forgets buckets that are full by now."""
        self._share.look()
        self._levels = {name: kept for name, kept in self._levels.items() if self._now() - kept[1] < 600}

    def _buckets(self, method: str, channel: str) -> list[tuple[str, Rate]]:
        found = [(method, rate_of(method))]
        if method == "chat.postMessage" and channel:
            found.append((f"{method} {channel}", IN_A_CHANNEL))
        return [(name, rate.part(self._share.known)) for name, rate in found]

    def _level(self, name: str, rate: Rate) -> float:
        level, at = self._levels.get(name, (rate.burst, self._now()))
        return min(rate.burst, level + (self._now() - at) * rate.per_minute / 60)

    def _lacking_s(self, name: str, rate: Rate, spare: bool) -> float:
        needed = 1 + (rate.burst - 1) / 2 * spare
        lacking = needed - self._level(name, rate)
        return lacking / rate.per_minute * 60 if lacking > 1e-6 else 0.0
