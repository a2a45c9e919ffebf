"""Rate budgets: at most n calls in any minute for a method, and one post a second in a channel."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.slack import limits
from bot.sandbox.slack.refusals import RateLimited

WINDOW_S = 60.0


@dataclass
class Budgets:
    """Counts calls and refuses those over budget; `now` is in seconds, `on` switches refusing."""

    now: Callable[[], float]
    on: bool = True
    _windows: dict[str, deque[float]] = field(default_factory=dict)
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def spend(self, method: str, tier: limits.Tier, channel: str) -> None:
        """Count one call. Raises RateLimited; a refused call spends nothing."""
        if not self.on:
            return
        if method == "chat.postMessage":
            self._take(channel, limits.POST_PER_CHANNEL)
            self._count(method, limits.POSTS_PER_MINUTE)
        else:
            self._count(method, tier.value)

    def clear(self) -> None:
        """Forget what was spent."""
        self._windows.clear()
        self._buckets.clear()

    def _count(self, key: str, per_minute: int) -> None:
        now, window = self.now(), self._windows.setdefault(key, deque())
        while window and window[0] <= now - WINDOW_S:
            window.popleft()
        if len(window) >= per_minute:
            raise RateLimited(max(1, math.ceil(window[0] + WINDOW_S - now)))
        window.append(now)

    def _take(self, key: str, burst: limits.Burst) -> None:
        now = self.now()
        level, since = self._buckets.get(key, (float(burst.size), now))
        level = min(float(burst.size), level + (now - since) * burst.per_s)
        if level < 1:
            raise RateLimited(max(1, math.ceil((1 - level) / burst.per_s)))
        self._buckets[key] = (level - 1, now)
