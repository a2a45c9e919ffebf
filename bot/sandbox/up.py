"""The town and the bot, kept running for people to try: on a page in a browser, and by typing here."""

import os
import select
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

from bot.sandbox import drawing
from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.serve import Served
from bot.sandbox.page.view import CHANNEL, PERSONS, SERVICE
from bot.sandbox.process import ControlError
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import NotReady
from bot.sandbox.transcript import buttons, drawn

CARD_WITHIN_S = 5.0  # how long a click waits for its card: who types fast need not count seconds
LOOK_EVERY_S = 0.2
HELP = """\
  bad release            somebody deploys a backend that fails 8 % of requests
  ana status backend     ana types `/aisq status backend` (also: ben, cho, dev)
  ana rollback backend   …and asks to go back
  ben approve            ben clicks Approve on the newest card (or: ben deny)
  kill                   kill -9 the bot, at any moment; another one takes over
  cloud                  what really serves
  help, quit"""


def main(rate: float, state: str, *, real_traffic: bool = False) -> int:
    """Until `quit`, the end of a terminal's input, Ctrl-C or SIGTERM."""
    console = drawing.console()
    console.print("Starting a small cloud, a small Slack and aisq …")
    with tempfile.TemporaryDirectory(prefix="aisq-sandbox-") as temporary:
        folder = Path(state or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with Rehearsal(folder, rate=rate, real_traffic=[SERVICE] if real_traffic else []) as town:
            return _keep(town, console)


def _keep(town: Rehearsal, console: Console) -> int:
    keeper = Keeper(town)
    try:
        keeper.start()
        with Served(town, keeper) as served:
            _introduce(console, town, served.address)
            Prompt(town, console, keeper).run()
    except NotReady as failed:
        console.print(str(failed), markup=False)
        return 1
    except SystemExit:  # a signal: the way to end this where there is no terminal
        pass
    console.print("Stopping …")
    keeper.stop()
    return 0


def _introduce(console: Console, town: Rehearsal, address: str) -> None:
    """The one address that matters, and under it what some want to know."""
    console.print(f"\n   Open  [bold]{address}[/]\n", soft_wrap=True)
    environment, aisq = town.folder / "environment.sh", Path(sys.executable).with_name("aisq")
    environment.write_text("".join(f"export {name}='{value}'\n" for name, value in town.settings.items()))
    places = {
        "clock": f"{town.town.rate:g} times as fast as ours",
        "aisq": f"{town.bot.url}, its log: {town.bot.log}",
        "clouds": f"gRPC at {town.town.grpc}",
        "Slack, control": town.town.http,
        **{f"requests to {service.rpartition('/')[2]}": url for service, url in town.town.urls.items()},
        "in another shell": f". {environment} && {aisq} status ai-square/prod/backend --as U0ANA",
    }
    console.print(drawing.facts(places))
    if console.is_terminal:
        console.print("\nOr type here:")
        console.print(HELP, markup=False)


class Prompt:
    """Reads what people do, does it, and shows what they would see in Slack. `source` is a file descriptor."""

    def __init__(self, town: Rehearsal, console: Console, keeper: Keeper, source: int = 0) -> None:
        self._town, self._console, self._keeper, self._source = town, console, keeper, source
        self._shown: dict[str, list[str]] = {}
        self._state = keeper.state
        self._stopping = False

    def run(self) -> None:
        """Until `quit`, or the end of a terminal; when a pipe ends, until the process is told to end."""
        for lines in self._typed():
            for line in lines or [""]:
                self._step(line)
            if self._stopping:
                return

    def _step(self, line: str) -> None:
        """Do what was typed, and look what came of it."""
        try:
            self._obey(line)
            self._tell()
            self._look()
        except (ControlError, httpx.HTTPError, NotReady) as error:
            self._say(escape(str(error) or type(error).__name__))

    def _typed(self) -> Iterator[list[str]]:
        """The lines that were typed since the last look; without Python's own buffer, which blocks an end."""
        begun, is_open = b"", True
        while True:
            if not is_open:
                time.sleep(LOOK_EVERY_S)
                yield []
                continue
            readable = select.select([self._source], [], [], LOOK_EVERY_S)[0]
            data = os.read(self._source, 4096) if readable else None
            *whole, begun = (begun + (data or b"")).split(b"\n")
            if data == b"":
                is_open, self._stopping = False, os.isatty(self._source)
            yield [line.decode(errors="replace").strip() for line in whole]

    def _obey(self, line: str) -> None:
        if line and not self._console.is_terminal:
            self._say(f"[bold]> {escape(line)}[/]")
        who, _, what = line.partition(" ")
        known = {"bad release": self._release, "kill": self._keeper.kill, "cloud": self._cloud, "quit": self._quit}
        if who in PERSONS and what:
            self._person(PERSONS[who], what)
        elif line:
            known.get(line, self._help)()

    def _person(self, user: str, what: str) -> None:
        if what in ("approve", "deny"):
            return self._click(user, what)
        said = self._town.people.slash(user, CHANNEL, what)
        if not said.get("ok"):
            self._say(f"Slack says: {escape(str(said.get('error')))}")

    def _release(self) -> None:
        self._say(f"{self._town.cloud.release(SERVICE, error_rate=0.08, traffic=100)} gets all traffic")

    def _help(self) -> None:
        self._console.print(HELP, markup=False)

    def _quit(self) -> None:
        self._stopping = True

    def _click(self, user: str, what: str) -> None:
        deadline = time.monotonic() + CARD_WITHIN_S
        while not (waiting := [one for one in self._town.people.messages(CHANNEL) if buttons(one)]):
            if time.monotonic() > deadline:
                return self._say("No card waits for anybody.")
            time.sleep(LOOK_EVERY_S)
        self._look()
        action = next(name for name in buttons(waiting[-1]) if name.endswith(what))
        self._town.people.click(user, CHANNEL, waiting[-1]["ts"], action)

    def _cloud(self) -> None:
        now = self._town.cloud.service(SERVICE)
        served = ", ".join(f"{share} % {name}" for name, share in now["traffic"].items() if share)
        self._say(f"serving {served}; {drawing.percent(now['error_rate'])} of requests fail")

    def _tell(self) -> None:
        """What became of the bot since the last look."""
        before, self._state = self._state, self._keeper.state
        if self._state != before and self._state != "starting":
            self._say("The bot is dead." if self._state == "dead" else "The bot is ready.")

    def _look(self) -> None:
        people = self._town.people
        for message in people.messages(CHANNEL):
            self._show(message, "#ai-square-ops")
        for name, user in PERSONS.items():
            for message in people.ephemerals(user):
                self._show(message, f"only {name} sees this")

    def _show(self, message: dict[str, Any], where: str) -> None:
        """A message when it is new; of an edit what is new in it."""
        now, known = [str(line) for line in drawn(message)], self._shown.get(message["ts"])
        self._shown[message["ts"]] = now
        if known is None:
            self._console.print(drawing.message(message, where))
        elif now != known:
            self._console.print(drawing.message(message, f"{where}, edited", known))

    def _say(self, text: str) -> None:
        self._console.print(f"  {text}")
