"""The main job as a story: a bad release takes traffic, ana rolls back, ben approves, production is safe.

Everything goes over the wires that it would really take: signed requests through the Slack door, gRPC to the cloud.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bot.sandbox import drawing
from bot.sandbox.act import CHANNEL_NAME, PEOPLE, SERVICE, Act, DemoFailed, clock_time, split_text
from bot.sandbox.demo_canary import Canary
from bot.sandbox.rehearsal import Rehearsal
from bot.sandbox.replica import NotReady
from bot.sandbox.transcript import buttons, lines

RATE, BAD_ERRORS = 120.0, 0.08
NIGHT = datetime(2026, 11, 20, 3, tzinfo=UTC)  # and a seed, so that who is served badly is the same each time
COUNTED_S = 9 * 60  # until monitoring, which is three minutes late, has counted five minutes of the bad release


def main() -> int:
    """Tell the story in a town of its own; 0 only if the cloud's own log shows the move."""
    console = drawing.console()
    console.print(drawing.heading("aisq demo"))
    console.print(
        f"A small cloud and a small Slack on this machine, and aisq between them. Their clock runs {RATE:.0f} times"
        " as fast as ours, so that nobody has to wait for metrics."
    )
    with (
        tempfile.TemporaryDirectory(prefix="aisq-demo-") as folder,
        Rehearsal(Path(folder), rate=RATE, now=NIGHT) as rehearsal,
    ):
        return tell(rehearsal, console)


def tell(rehearsal: Rehearsal, console: Console) -> int:
    """The story in a town; says in one sentence what went wrong, if anything did, and returns 1 then."""
    try:
        Story(rehearsal, console).tell()
        Canary(rehearsal, console).tell()
    except (DemoFailed, NotReady) as failed:
        console.print(f"\n[bold red]The demo failed:[/] {failed.args[0]}")
        return 1
    return 0


class Story(Act):
    """Act one: what happens, and what is shown of it."""

    def tell(self) -> None:
        """All of it. Raises DemoFailed, and NotReady when the bot does not start."""
        self._town.upgrade()
        self._town.bot.start()
        self._town.bot.wait_ready()
        good = self._outage()
        card = self._ask()
        self._approve(card, good)
        self._judge(card)
        self._audit(card["metadata"]["event_payload"]["operation"])
        self._prove(good)
        self._sum_up()

    def _outage(self) -> str:
        """Somebody deploys a release that fails; people notice. Returns what served before."""
        self._chapter("1 · a bad release", "The pipeline deploys a new release of ai-square's backend.")
        good, fine = next(iter(self._served())), self._errors()
        bad = self._cloud.release(SERVICE, error_rate=BAD_ERRORS, traffic=100)
        self._until(lambda: self._served() == {bad: 100}, "the bad release never took traffic")
        failing = self._errors()
        self._note(f"all traffic        {good} ──▶ {bad}")
        self._note(f"failing requests   {drawing.percent(fine)} ──▶ {drawing.percent(failing)}\n")
        self._facts["failing before"] = f"{drawing.percent(failing)} of requests, on {bad}"
        time.sleep(COUNTED_S / RATE)
        self._type("ana", "status backend")
        self._until(lambda: bool(self._people.ephemerals(PEOPLE["ana"])), "ana got no answer")
        self._show(self._people.ephemerals(PEOPLE["ana"])[-1], "only ana sees this")
        return good

    def _ask(self) -> dict[str, Any]:
        self._chapter("2 · ana rolls back", "She need not know to what: aisq looks up which release served well last.")
        said = self._type("ana", 'rollback backend --reason "5xx since the last deploy"')
        self._facts["Slack got its answer"] = f"after {said.get('ms', 0):.0f} ms, and would have waited for 3000"
        card = self._message(lambda message: bool(buttons(message)), "no plan to approve appeared")
        self._show(card, CHANNEL_NAME)
        return card

    def _approve(self, card: dict[str, Any], good: str) -> None:
        self._chapter(
            "3 · ben approves", "Nobody approves their own request. What ben approves is this plan, and no other."
        )
        began = time.monotonic()
        self._click_approve(card)
        self._until(lambda: self._served() == {good: 100} or self._has_ended_badly(card), "traffic never moved")
        moved_s = time.monotonic() - began
        if self._served() != {good: 100}:
            raise DemoFailed(f"traffic did not move. aisq says: {self._now(card)['text']}")
        self._note(f"all traffic        {good}, {moved_s:.1f} s after the click")
        self._note(f"failing requests   {drawing.percent(self._errors())}")
        self._facts["approval to 100 %"] = f"{moved_s:.1f} s"
        self._facts["failing after"] = f"{drawing.percent(self._errors())} of requests, on {good}"

    def _judge(self, card: dict[str, Any]) -> None:
        self._chapter(
            "4 · did it help?", "Monitoring is late. When it has counted the minutes after the move, aisq compares."
        )
        self._until(
            lambda: "Errors" in " ".join(lines(self._now(card))) or self._has_ended_badly(card), "nothing was judged"
        )
        judged = self._now(card)
        self._show(judged, f"{CHANNEL_NAME}, the same message, edited {judged['edit_count']} times")
        if "Errors fell from" not in " ".join(lines(judged)):
            raise DemoFailed(f"errors did not fall. aisq says: {judged['text']}")

    def _audit(self, operation: str) -> None:
        """What aisq has on record, and whether that is whole."""
        self._chapter(
            "5 · what is on record",
            f"`aisq audit {operation}`: each link is hashed over the one before. Times are the town's.",
        )
        with ThreadPoolExecutor(2) as both:
            listed = both.submit(self._answer, "audit", operation)
            verified = both.submit(self._answer, "audit", "verify")
        table = next(part for part in listed.result()["parts"] if part["is_"] == "table")
        at = [table["columns"].index(name) for name in ("at", "event", "by", "what", "hash")]
        rows = [tuple(str(row[column]) for column in at) for row in reversed(table["rows"])]
        shown = [(clock_time(when), event, by, what, hash[:8]) for when, event, by, what, hash in rows]
        self._list(shown, ("dim", "bold", "cyan", "", "dim"))
        checked = verified.result()
        if not checked["good"]:
            raise DemoFailed(checked["title"])
        self._facts["on record"] = f"{len(rows)} links; {checked['title'][0].lower()}{checked['title'][1:]}"

    def _prove(self, good: str) -> None:
        """The cloud's own log must show one change, and which."""
        made = [call for call in self._cloud.calls() if call["committed"] and call["api"] != "console"]
        self._chapter("6 · what the cloud says", "Its own log of changes, which aisq does not write.")
        rows = [(clock_time(call["at"]), call["method"], call["fate"], split_text(call["traffic"])) for call in made]
        self._list(rows, ("dim", "bold", "", ""))
        if [(call["method"], call["traffic"]) for call in made] != [("UpdateService", {good: 100})]:
            raise DemoFailed(f"the cloud's log does not show one move to {good}, but {len(made)} changes.")

    def _sum_up(self) -> None:
        self._facts["clock"] = f"{self._town.town.rate:.0f} times as fast as ours; the seconds above are ours"
        self._console.print()
        self._console.print(drawing.heading("production is safe"))
        self._console.print(drawing.facts(self._facts))
