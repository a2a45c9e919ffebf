"""A bot in this process that is asked as a door would ask it, without a door."""

import threading

from benchmarks.town import ANA, CHANNEL
from bot.app import App
from bot.core.request import Address, Ask

PATIENCE_S = 120.0


class Asked:
    """A bot in this process, on a database of its own, that somebody asks as a door would."""

    def __init__(self, app: App) -> None:
        self.app, self._number, self._moved = app, 0, threading.Event()
        app.front.on_change(self._moved.set)

    def ask(self, text: str) -> str:
        """Ask, and wait for the answer; the operation's id. Raises RuntimeError when it was none."""
        self._moved.clear()
        accepted = self.app.front.submit(self._request(text))
        if not self._moved.wait(PATIENCE_S):
            raise TimeoutError(f"`{text}` was not answered within {PATIENCE_S:.0f} s")
        return accepted.id

    def look(self, text: str) -> None:
        record = self.app.front.record(self.ask(text))
        if record.state != "answered":
            raise RuntimeError(f"`{text}` was {record.state}: {record.detail}")

    def _request(self, text: str) -> Ask:
        self._number += 1
        address = Address(door="slack", place={"channel": CHANNEL, "user": ANA})
        return Ask(actor=f"slack:{ANA}", text=text, address=address, heard_as=f"bench:{self._number}", channel=CHANNEL)
