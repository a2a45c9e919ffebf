"""A rollback that stops what runs, for these tests."""

from typing import Any

from bot.core.locks import Lock
from bot.core.operation import Risk, ServiceRef, param
from bot.core.plan import Hold, Plan, step
from bot.core.ports import Compute, ComputeReads
from bot.core.request import DUE
from bot.core.rollout import Rollout, look_serving
from bot.core.system import LedgerReads
from tests.engine.conftest import ANA

GOOD = "backend-00042-bad"  # of these tests: what served before the rollout


class Rescue(Rollout, risk=Risk.ROLLOUT):
    """Send all traffic to a release, and stop whatever runs."""

    service: ServiceRef = param("Service.", positional=True)
    to: str = param("Release.", default=GOOD)

    def plan(self, compute: ComputeReads, ledger: LedgerReads) -> Plan:
        now, all_ = compute.service(self.service), {self.to: 100}
        running = ledger.operations(states=DUE, target=self.service.full_name)
        lock = Lock(target=self.service.full_name, reason="after a rescue")
        if now.asked == now.serving == all_:
            return Plan(target=self.service, version=now.version, why=f"{self.to} serves all traffic already")
        back = step(Compute.set_traffic, self.service, traffic=now.asked)
        return Plan(
            target=self.service,
            version=now.version,
            rescues=True,
            summary=f"{self.service}: all traffic to {self.to}",
            steps=(step(Compute.set_traffic, self.service, traffic=all_).undone_by(back), look_serving(all_)),
            hold=Hold(traffic=all_),
            locks=(lock,),
            preempts=tuple(one.id for one in running if one.request.operation == "stepwise"),
        )


def rescue_during(bot: Any, write: int) -> None:
    """`bot.rescue()` once `bot.deploy` has made that write; until then each of its stages is left at once."""

    def act() -> None:
        if bot.platform.writes[-1] == f"{bot.deploy}/{write}/do":
            bot.rescue()

    bot.platform.after.append(act)
    nap = bot.clock.nap

    def napping(seconds: float) -> None:
        nap(seconds)
        if not bot.rescues:
            advance(bot)

    bot.clock.nap = napping


def rescue_in_stage(bot: Any, stage: int) -> None:
    """`bot.rescue()` during the bake of that stage of `bot.deploy`; each before it is left at once."""
    nap = bot.clock.nap

    def napping(seconds: float) -> None:
        nap(seconds)
        if len(bot.ledger.stages(bot.deploy)) < stage:
            advance(bot)
        elif not bot.rescues:
            bot.rescue()

    bot.clock.nap = napping


def advance(bot: Any) -> None:
    """Leave the stage that `bot.deploy` is in."""
    bot.say(ANA, f"ops advance {bot.deploy} --stage {max(1, len(bot.ledger.stages(bot.deploy)))}")
