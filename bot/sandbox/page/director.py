"""Begins scenarios, watches how far people are, and puts the town back into order."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.look import Json, Seen, Town
from bot.sandbox.page.scenarios import Act, Facts, Run, Scenario, load
from bot.sandbox.page.view import CHANNEL, SERVICE
from bot.sandbox.transcript import buttons

GOOD = "backend-00041-kex"  # what serves ai-square's backend when the town begins
LEAD = "U0CHO"
SETTLED_WITHIN_S, STEP_S = 20.0, 0.1


class Director:
    """`run` is the scenario that is being played, if any; `approvals` are the instants of clicks on Approve."""

    def __init__(self, town: Town, keeper: Keeper, service: str = SERVICE, good: str = GOOD) -> None:
        self._town, self._keeper, self._service, self._good = town, keeper, service, good
        self.scenarios = load()
        self.run: Run | None = None
        self.approvals: list[float] = []
        self._lock = asyncio.Lock()

    async def begin(self, name: str) -> str:
        """Put the town into order, then begin; a sentence if that cannot be."""
        scenario = self.scenarios.get(name)
        if scenario is None:
            return f"There is no scenario {name}."
        async with self._lock:
            self.run = None
            if trouble := await self._calm():
                return trouble
            bad = await self._happen(scenario.begin, "")
            await self._settled()
            self.run = await self._begun(name, scenario, bad)
        return ""

    async def reset(self) -> str:
        """Leave the scenario, and put the town into order; a sentence if that cannot be."""
        async with self._lock:
            self.run = None
            return await self._calm()

    def approved(self) -> None:
        """Somebody clicked on Approve."""
        self.approvals.append(time.monotonic())

    async def watch(self, seen: Seen) -> None:
        """Note how far people are, and let happen what happens meanwhile."""
        run = self.run
        if run is None or run.solved:
            return
        run.notice(self._facts(run, seen))
        if run.is_time() and run.scenario.meanwhile:
            await self._happen(run.scenario.meanwhile.do, run.bad)

    def _facts(self, run: Run, seen: Seen) -> Facts:
        cards = [m for m in seen.messages if m["channel"] == CHANNEL and m["ts"] > run.after and _is_card(m)]
        calls = [call for call in seen.calls if call["seq"] > run.since and call["committed"]]
        mine = [call for call in calls if call["service"].endswith(self._service.rpartition("/")[2])]
        return Facts(
            service=seen.services[self._service],
            good=run.good,
            cards=cards,
            writes=[call for call in mine if call["api"] != "console"],
            by_hand=[call for call in mine if call["api"] == "console"],
            approvals=[at for at in self.approvals if at > run.began],
            deaths=[at for at in self._keeper.deaths if at > run.began],
            waits=any(buttons(card) for card in cards),
        )

    async def _begun(self, name: str, scenario: Scenario, bad: str) -> Run:
        self._town.forget()
        seen = await self._town.look(self._service)
        after = max((message["ts"] for message in seen.messages), default="0")
        since = max((call["seq"] for call in seen.calls), default=0)
        return Run(name, scenario, self._good, bad, since, after, time.monotonic())

    async def _happen(self, acts: Iterable[Act], bad: str) -> str:
        """Do all of it; the name of the release that was deployed last, else `bad`."""
        names = {"{good}": self._good, "{bad}": bad}
        for act in acts:
            if act.release is not None:
                made = await self._town.change(f"/services/{self._service}/releases", act.release)
                bad = str(made.get("release", bad))
                names["{bad}"] = bad
                await self._settled()
            elif act.traffic is not None:
                split = {names.get(name, name): share for name, share in act.traffic.items()}
                await self._town.change(f"/services/{self._service}/traffic", split)
            else:
                await self._fault({**(act.fault or {})})
        return bad

    async def _fault(self, fault: dict[str, Any]) -> None:
        """A fault of the cloud; `real_seconds` become the town's."""
        rate = float((await self._town.change("/clock", method="GET"))["rate"])
        real_s = fault.pop("real_seconds", None)
        await self._town.change("/faults", fault if real_s is None else {**fault, "seconds": real_s * rate})

    async def _calm(self) -> str:
        """No fault, no plan that waits, and all traffic on the good release."""
        await self._town.change("/faults", method="DELETE")
        await self._town.change("/slack/faults", method="DELETE")
        self._town.forget()
        seen = await self._town.look(self._service)
        for message in seen.messages:
            await self._deny(message)
        if seen.services[self._service]["wanted"] != {self._good: 100}:
            await self._town.change(f"/services/{self._service}/traffic", {self._good: 100})
        return await self._settled()

    async def _deny(self, message: Json) -> None:
        action = next((name for name in buttons(message) if name.endswith("deny")), "")
        if action:
            await self._town.do("click", user=LEAD, channel=message["channel"], ts=message["ts"], action_id=action)

    async def _settled(self) -> str:
        """Wait until no rollout is under way; a sentence if that takes too long."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while time.monotonic() < deadline:
            self._town.forget()
            if not (await self._town.look(self._service)).services[self._service]["reconciling"]:
                return ""
            await asyncio.sleep(STEP_S)
        return "A rollout is still under way; try again when it has ended."


def _is_card(message: Json) -> bool:
    """A message of the app about an operation; what stands in its thread is not meant."""
    return bool(message.get("bot_id") and message.get("metadata")) and message.get("thread_ts") in (None, message["ts"])
