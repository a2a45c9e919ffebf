"""Act two of the demo: a judge puts a bad release back by itself, and lets a good one have all traffic."""

from datetime import datetime, timedelta
from typing import Any

from bot.sandbox import drawing
from bot.sandbox.act import CHANNEL, CHANNEL_NAME, SERVICE, Act, DemoFailed
from bot.sandbox.transcript import buttons, lines

IMAGE, WORSE, BETTER = "gcr.io/ai-square-prod/backend", "v43", "v44"
STABLE_ERRORS, BAD_ERRORS, GOOD_ERRORS = 0.001, 0.05, 0.0008
LATE_S = 30  # until monitoring has counted a minute, which the real one takes longer for
WITHIN = timedelta(minutes=5)
PATIENCE_S = 110.0  # an hour of the town, and what this machine takes for it
STAGES = (10, 25, 50, 100)


class Canary(Act):
    """What happens, and what is shown of it; act one has left the service pinned and locked."""

    def tell(self) -> None:
        """All of it. Raises DemoFailed."""
        (stable,) = self._served()
        self._cloud.quality(SERVICE, stable, STABLE_ERRORS)
        self._cloud.fault("metrics_late", seconds=LATE_S, times=0)
        self._bad(stable)
        self._good(stable)
        self._console.print()
        self._console.print(drawing.heading("releases take care of themselves"))
        self._console.print(drawing.facts(self._facts))
        self._console.print("\n`make sandbox` keeps all this running: break it yourself.", markup=False)

    def _bad(self, stable: str) -> None:
        self._chapter(
            "7 · a release that is worse",
            f"The pipeline builds {WORSE}, in which 5 of 100 requests fail. The rollback has locked deploys, so ana"
            " unlocks; then she deploys. Ben approves both, and nobody looks any more.",
        )
        self._cloud.push(IMAGE, WORSE, error_rate=BAD_ERRORS)
        self._approved("unlock backend")
        self._until(lambda: any("no longer locked" in one and "Done" in one for one in self._texts()), "still locked")
        card = self._approved(f"deploy backend {WORSE} --unpin")
        self._until(lambda: self._share_of_new(stable) == 10, "the new release never had traffic")
        began = self._at()
        self._note(f"10 % of traffic    goes to {WORSE}; {drawing.percent(self._errors())} of all requests fail\n")
        self._until(lambda: self._served() == {stable: 100}, "it was not put back", PATIENCE_S)
        took = self._at() - began
        self._until(lambda: "Roll back" in " ".join(lines(self._now(card))), "nobody said why")
        self._show(self._now(card), f"{CHANNEL_NAME}, after {_minutes(took)} of the town's time")
        if took > 2 * WITHIN:  # how soon is chance: a test tells of many
            raise DemoFailed(f"it took {_minutes(took)} of the town's time to put the release back.")
        self._facts[f"{WORSE}, 5 % errors"] = f"back on {stable} after {_minutes(took)}, by nobody's hand"

    def _good(self, stable: str) -> None:
        self._chapter("8 · a release that is good", f"{BETTER} mends it. The last one left all as it was, the pin too.")
        self._cloud.push(IMAGE, BETTER, error_rate=GOOD_ERRORS)
        card = self._approved(f"deploy backend {BETTER} --unpin")
        self._until(lambda: self._share_of_new(stable) == STAGES[0], "the new release never had traffic")
        began = self._at()
        for weight in STAGES:
            self._until(lambda: self._share_of_new(stable) >= weight, f"it never had {weight} %", PATIENCE_S)  # noqa: B023
            self._note(f"{weight:3} % of traffic    after {_minutes(self._at() - began)}")
        self._until(lambda: "Done" in self._now(card)["text"], "it was not done", PATIENCE_S)
        took = self._at() - began
        self._console.print()
        self._show(self._now(card), CHANNEL_NAME)
        self._facts[f"{BETTER}, as good"] = (
            f"all traffic, and watched with it, after {_minutes(took)} of the town's time"
        )

    def _approved(self, text: str) -> dict[str, Any]:
        """Ana asks, ben approves; the card."""
        known = {one["ts"] for one in self._people.messages(CHANNEL)}
        self._type("ana", text)
        card = self._message(lambda one: bool(buttons(one)) and one["ts"] not in known, "no plan to approve appeared")
        self._show(card, CHANNEL_NAME)
        self._click_approve(card)
        return card

    def _texts(self) -> list[str]:
        return [" ".join((one["text"], *lines(one))) for one in self._people.messages(CHANNEL)]

    def _share_of_new(self, stable: str) -> int:
        """Percent of the traffic that goes to another release."""
        return 100 - self._served().get(stable, 0)

    def _at(self) -> datetime:
        return datetime.fromisoformat(self._cloud.clock()["now"])


def _minutes(took: timedelta) -> str:
    """ "4 min 20 s" """
    minutes, seconds = divmod(round(took.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
