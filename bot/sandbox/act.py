"""What every act of the demo does: people type and click, and what they see is shown."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from bot.sandbox import drawing
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons

SERVICE = "ai-square-prod/us-central1/backend"
CHANNEL, CHANNEL_NAME = "C0AISQ", "#ai-square-ops"
PEOPLE = {"ana": "U0ANA", "ben": "U0BEN"}
PATIENCE_S = 40.0
MOVING = ("Waiting", "About to begin", "In progress", "Done")  # what the message may say while traffic moves


class DemoFailed(Exception):
    """The story did not end as it must; the message says where."""


class Act:
    """A town, and a terminal that shows what happens in it."""

    def __init__(self, rehearsal: Rehearsal, console: Console) -> None:
        self._town, self._console = rehearsal, console
        self._cloud, self._people = rehearsal.cloud, rehearsal.people
        self._facts: dict[str, str] = {}

    # --- looking

    def _served(self) -> dict[str, int]:
        return {name: share for name, share in self._cloud.service(SERVICE)["traffic"].items() if share}

    def _errors(self) -> float:
        return float(self._cloud.service(SERVICE)["error_rate"])

    def _now(self, card: dict[str, Any]) -> dict[str, Any]:
        return next(message for message in self._people.messages(CHANNEL) if message["ts"] == card["ts"])

    def _has_ended_badly(self, card: dict[str, Any]) -> bool:
        return not any(word in self._now(card)["text"] for word in MOVING)

    def _answer(self, *words: str) -> dict[str, Any]:
        """What `aisq WORDS --json` answers."""
        ran = self._town.aisq(*words, "--json", "--as", PEOPLE["ana"])
        if not ran.stdout.startswith("{"):
            raise DemoFailed(f"`aisq {' '.join(words)}` said: {ran.stderr.strip()}")
        return dict(json.loads(ran.stdout))

    def _message(self, wanted: Callable[[dict[str, Any]], bool], otherwise: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [message for message in self._people.messages(CHANNEL) if wanted(message)]
            return bool(found)

        self._until(there, otherwise)
        return found[-1]

    def _until(self, true: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not true():
            if time.monotonic() > deadline:
                raise DemoFailed(f"{otherwise}, for {patience_s:.0f} s.")
            time.sleep(0.03)

    # --- acting and showing

    def _type(self, person: str, text: str) -> dict[str, Any]:
        self._console.print(drawing.typed(person, f"/aisq {text}"))
        said = self._people.slash(PEOPLE[person], CHANNEL, text)
        if not said.get("ok"):
            raise DemoFailed(f"Slack could not deliver `/aisq {text}`: {said.get('error')}")
        return said

    def _click_approve(self, card: dict[str, Any]) -> None:
        """Ben approves what a card shows."""
        approve = next(name for name in buttons(card) if "approve" in name)
        self._console.print(drawing.typed("ben", f"clicks [ {buttons(card)[approve]} ]"))
        self._people.click(PEOPLE["ben"], CHANNEL, card["ts"], approve)

    def _chapter(self, title: str, text: str) -> None:
        self._console.print()
        self._console.print(drawing.heading(title))
        self._console.print(text, markup=False)
        self._console.print()

    def _list(self, rows: Sequence[tuple[str, ...]], styles: tuple[str, ...]) -> None:
        self._console.print(drawing.columns(rows, styles, 3, self._console.width))

    def _note(self, text: str) -> None:
        self._console.print(f"        {text}", markup=False)

    def _show(self, message: dict[str, Any], where: str) -> None:
        self._console.print(drawing.message(message, where))


def clock_time(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%H:%M:%S}"


def split_text(traffic: dict[str, int]) -> str:
    return ", ".join(f"{share} % to {name}" for name, share in traffic.items())
