"""The main job as a story: a bad release takes traffic, ana rolls back, ben approves, production is safe.

Everything goes over the wires that it would really take: signed requests through the Slack door, gRPC to the cloud.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.transcript import buttons, lines

SERVICE = "ai-square-prod/us-central1/backend"
CHANNEL, CHANNEL_NAME = "C0AISQ", "#ai-square-ops"
RATE, BAD_ERRORS = 60.0, 0.08
PATIENCE_S = 40.0


class DemoFailed(Exception):
    """The story did not end as it must; the message says where."""


def main() -> int:
    """Tell the story; 0 only if the cloud's own log shows the move."""
    console = Console(width=100, highlight=False)
    with tempfile.TemporaryDirectory(prefix="aisq-demo-") as folder, Rehearsal(Path(folder), rate=RATE) as rehearsal:
        try:
            _Story(rehearsal, console).tell()
        except DemoFailed as failed:
            console.print(f"[bold red]The demo failed:[/] {failed}")
            console.print(rehearsal.log.read_text()[-2000:], markup=False)
            return 1
    return 0


class _Story:
    def __init__(self, rehearsal: Rehearsal, console: Console) -> None:
        self._town, self._console = rehearsal, console
        self._cloud, self._people = rehearsal.cloud, rehearsal.people

    def tell(self) -> None:
        self._prologue()
        bad, good = self._outage()
        operation = self._rollback()
        moved_s = self._approve(operation, good)
        self._verify(operation)
        self._audit(bad, good, moved_s)

    def _prologue(self) -> None:
        self._say(
            "aisq demo",
            f"A small cloud and a small Slack on this machine; its clock runs {RATE:.0f} times as fast as ours.",
        )
        self._town.upgrade()
        self._town.start()
        self._town.wait_ready()

    def _outage(self) -> tuple[str, str]:
        """Somebody deploys a release that fails; people notice."""
        self._say(
            "1 · a bad release",
            "The pipeline deploys a new release of ai-square's backend, and all traffic goes to it.",
        )
        good = next(iter(self._served()))
        bad = self._cloud.release(SERVICE, error_rate=BAD_ERRORS, traffic=100)
        self._until(lambda: self._served() == {bad: 100}, "the bad release never took traffic")
        self._console.print(f"   {good} ──▶ {bad}   requests now fail {self._errors():.1%} of the time")
        time.sleep(60 * 6 / RATE)  # six minutes of the town: monitoring is about three minutes late
        self._person("ana", "/aisq status backend")
        self._slash("U0ANA", "status backend")
        answer = self._wait_for_answer("U0ANA")
        self._bot(answer, "only ana sees this")
        return bad, good

    def _rollback(self) -> dict[str, Any]:
        self._say("2 · ana rolls back", "She need not know to what: aisq looks up which release served well last.")
        self._person("ana", '/aisq rollback backend --reason "5xx since the last deploy"')
        said = self._slash("U0ANA", 'rollback backend --reason "5xx since the last deploy"')
        card = self._message(lambda message: bool(buttons(message)), "no plan to approve appeared")
        self._console.print(f"   [dim]acknowledged after {said.get('ms', 0):.0f} ms[/]")
        self._bot(card, CHANNEL_NAME)
        return card

    def _approve(self, card: dict[str, Any], good: str) -> float:
        self._say(
            "3 · ben approves",
            "Nobody approves their own request. What ben approves is this plan, on this state of the world.",
        )
        approve = next(name for name in buttons(card) if "approve" in name)
        self._person("ben", f"clicks [ {buttons(card)[approve]} ]")
        began = time.monotonic()
        self._people.click("U0BEN", CHANNEL, card["ts"], approve)
        self._until(lambda: self._served() == {good: 100}, "traffic never reached the good release")
        moved_s = time.monotonic() - began
        self._console.print(
            f"   100 % of traffic on [bold green]{good}[/] {moved_s:.1f} s after the click"
            f" ({moved_s * RATE:.0f} s of the town)   requests now fail {self._errors():.1%} of the time"
        )
        return moved_s

    def _verify(self, card: dict[str, Any]) -> None:
        self._say(
            "4 · did it help?", "Monitoring is late; when it has counted the minutes after the move, aisq compares."
        )
        judged = self._message(
            lambda message: message["ts"] == card["ts"] and "Errors" in " ".join(lines(message)), "nothing was judged"
        )
        self._bot(judged, f"{CHANNEL_NAME}, the same message, edited {judged['edit_count']} times")

    def _audit(self, bad: str, good: str, moved_s: float) -> None:
        self._say(
            "5 · what is on record", "Hash-chained, and beside it the cloud's own log, which aisq does not write."
        )
        recorded = self._town.aisq("audit", "--limit", "12", "--as", "U0ANA")
        self._console.print(recorded.stdout.rstrip(), markup=False)
        verified = self._town.aisq("audit", "verify", "--as", "U0ANA")
        self._console.print("   " + verified.stdout.strip().replace("\n", "\n   "), markup=False)
        committed = [
            call for call in self._cloud.calls(method="UpdateService") if call["committed"] and call["api"] != "console"
        ]
        for call in committed:
            self._console.print(f"   cloud: {call['method']} {call['fate']}, traffic {call['traffic']}", markup=False)
        if [call["traffic"] for call in committed] != [{good: 100}]:
            raise DemoFailed(f"the cloud's log does not show one move to {good}: {committed}")
        if recorded.returncode or verified.returncode:
            raise DemoFailed(f"the audit record could not be read: {recorded.stderr}{verified.stderr}")
        self._say(
            "done",
            f"Away from {bad}, in {moved_s:.1f} s from approval. `make sandbox` keeps all this running to try more.",
        )

    # --- looking

    def _served(self) -> dict[str, int]:
        return {name: share for name, share in self._cloud.service(SERVICE)["traffic"].items() if share}

    def _errors(self) -> float:
        return float(self._cloud.service(SERVICE)["error_rate"])

    def _slash(self, user: str, text: str) -> dict[str, Any]:
        said = self._people.slash(user, CHANNEL, text)
        if not said.get("ok"):
            raise DemoFailed(f"Slack could not deliver `/aisq {text}`: {said}")
        return said

    def _wait_for_answer(self, user: str) -> dict[str, Any]:
        seen: list[dict[str, Any]] = []

        def arrived() -> bool:
            seen[:] = self._people.ephemerals(user)
            return bool(seen)

        self._until(arrived, f"{user} got no answer")
        return seen[-1]

    def _message(self, wanted: Callable[[dict[str, Any]], bool], otherwise: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = [message for message in self._people.messages(CHANNEL) if wanted(message)]
            return bool(found)

        self._until(there, otherwise)
        return found[-1]

    def _until(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise DemoFailed(otherwise)
            time.sleep(0.03)

    # --- showing

    def _say(self, title: str, text: str) -> None:
        self._console.print()
        self._console.print(Rule(f"[bold]{title}[/]", align="left"))
        self._console.print(text, markup=False)

    def _person(self, name: str, text: str) -> None:
        self._console.print(Text.assemble("\n   ", (f"{name:>4}", "bold cyan"), "  ", (text, "bold")))

    def _bot(self, message: dict[str, Any], where: str) -> None:
        body = Text("\n".join(lines(message)))
        self._console.print(Panel(body, title="aisq", title_align="left", subtitle=where, subtitle_align="right"))
