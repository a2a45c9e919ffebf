"""The town and the bot, kept running for people to try: type as ana, ben or dev, break things, look."""

import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.sandbox.process import ControlError
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons, lines

SERVICE, CHANNEL = "ai-square-prod/us-central1/backend", "C0AISQ"
PERSONS = {"ana": "U0ANA", "ben": "U0BEN", "cho": "U0CHO", "dev": "U0DEV"}
HELP = """\
  bad release            somebody deploys a backend that fails 8 % of its requests
  ana status backend     ana types `/aisq status backend` in #ai-square-ops (also: ben, cho, dev)
  ana rollback backend   …and asks to go back
  ben approve            ben clicks Approve on the newest card (or: ben deny)
  kill                   kill -9 the bot, at any moment; it is started again, and goes on
  cloud                  what really serves
  help, quit"""


def main(rate: float, state: str) -> int:
    """Until `quit`, the end of the input of a terminal, or SIGTERM."""
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="aisq-sandbox-") as temporary:
        folder = Path(state or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with Rehearsal(folder, rate=rate) as town:
            town.upgrade()
            town.start()
            town.wait_ready()
            _introduce(console, town)
            _Prompt(town, console).run()
            town.stop_bot()
    return 0


def _introduce(console: Console, town: Rehearsal) -> None:
    environment = town.folder / "environment.sh"
    environment.write_text("".join(f"export {name}='{value}'\n" for name, value in town.settings.items()))
    console.print(f"The bot is at {town.url}, the clouds at {town.town.grpc}, Slack and control at {town.town.http}.")
    console.print(f"The town's clock runs {town.town.rate:g} times as fast as ours. The bot's log: {town.log}")
    console.print(
        f"In another terminal: . {environment} && .venv/bin/aisq status backend --as U0ANA --channel {CHANNEL}"
    )
    console.print("\nWhat to try here:\n" + HELP, markup=False)


class _Prompt:
    """Reads what people do, and shows what the channel shows."""

    def __init__(self, town: Rehearsal, console: Console) -> None:
        self._town, self._console = town, console
        self._shown: dict[str, str] = {}
        self._stopping = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: self._stopping.set())

    def run(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()
        threading.Thread(target=self._read, daemon=True).start()
        self._stopping.wait()

    def _read(self) -> None:
        for line in sys.stdin:
            try:
                self._obey(line.strip())
            except (ControlError, OSError, RuntimeError) as error:
                self._console.print(f"  {error}", markup=False)
        if sys.stdin.isatty():
            self._stopping.set()

    def _obey(self, line: str) -> None:
        who, _, what = line.partition(" ")
        if who in PERSONS and what:
            self._person(PERSONS[who], what)
        elif line == "bad release":
            self._console.print(
                f"  {self._town.cloud.release(SERVICE, error_rate=0.08, traffic=100)} takes all traffic"
            )
        elif line == "kill":
            self._kill()
        elif line == "cloud":
            now = self._town.cloud.service(SERVICE)
            self._console.print(f"  serving {now['traffic']}, failing {now['error_rate']:.1%}", markup=False)
        elif line == "quit":
            self._stopping.set()
        elif line:
            self._console.print(HELP, markup=False)

    def _person(self, user: str, what: str) -> None:
        cards = [message for message in self._town.people.messages(CHANNEL) if buttons(message)]
        wanted = [name for name in (buttons(cards[-1]) if cards else ()) if name.endswith(what)]
        if wanted:
            self._town.people.click(user, CHANNEL, cards[-1]["ts"], wanted[0])
        elif what in ("approve", "deny"):
            self._console.print("  No card waits for anybody.")
        else:
            said = self._town.people.slash(user, CHANNEL, what)
            if not said.get("ok"):
                self._console.print(f"  Slack says: {said.get('error')}", markup=False)

    def _kill(self) -> None:
        bot = self._town.bot
        assert bot is not None, "it was started"
        bot.send_signal(signal.SIGKILL)
        bot.wait(5)
        self._console.print("  The bot is dead.")
        self._town.start()
        self._town.wait_ready()
        self._console.print("  A new one is ready.")

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            people = self._town.people
            for message in people.messages(CHANNEL):
                self._show(message, "#ai-square-ops")
            for name, user in PERSONS.items():
                for message in people.ephemerals(user):
                    self._show(message, f"only {name} sees this")

    def _show(self, message: dict[str, Any], where: str) -> None:
        body = "\n".join(lines(message))
        if self._shown.get(message["ts"]) != body:
            self._shown[message["ts"]] = body
            self._console.print(Panel(Text(body), title="aisq", title_align="left", subtitle=where, width=100))
            time.sleep(0.05)
