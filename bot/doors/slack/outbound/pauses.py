"""When something may be tried again: delays that grow, and waits that were asked for. Real seconds, in memory only."""

from collections.abc import Callable

FIRST_S, MOST_S = 1.0, 30.0
FORGOTTEN_S = 3600.0


class Pauses:
    """By name; what has no pause may be tried."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._until: dict[str, float] = {}
        self._delay: dict[str, float] = {}
        self._since: dict[str, float] = {}

    def over(self, name: str) -> bool:
        return self._now() >= self._until.get(name, 0.0)

    def hold(self, name: str, seconds: float) -> None:
        self._until[name] = max(self._until.get(name, 0.0), self._now() + seconds)

    def grow(self, name: str) -> None:
        """Twice the pause of last time."""
        self._delay[name] = min(2 * self._delay[name], MOST_S) if name in self._delay else FIRST_S
        self.hold(name, self._delay[name])

    def calm(self, name: str) -> None:
        """It works again."""
        self._delay.pop(name, None)
        self._until.pop(name, None)

    def waited(self, name: str, seconds: float) -> bool:
        """Whether it was first asked about at least so long ago."""
        return self._now() - self._since.setdefault(name, self._now()) >= seconds

    def first(self, name: str) -> bool:
        """Whether it is asked about for the first time."""
        known = name in self._since
        self._since.setdefault(name, self._now())
        return not known

    def tidy(self) -> None:
        """Forget what was last of interest long ago."""
        now = self._now()
        self._since = {name: at for name, at in self._since.items() if now - at < FORGOTTEN_S}
        self._until = {name: at for name, at in self._until.items() if now - at < FORGOTTEN_S}
        self._delay = {name: delay for name, delay in self._delay.items() if name in self._until}
