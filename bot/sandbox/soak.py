"""Several replicas, many people, random kills, for minutes; then a look whether all of it is as it must be.

The attack is data (soak_plan), decided by a seed. Whoever runs it again with the same seed attacks in the same way; the
machine decides who gets its turn when.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.sandbox.books import OWED, Books
from bot.sandbox.deliveries import Slack
from bot.sandbox.postgres import Databases, PostgresProcess
from bot.sandbox.replica import Replica
from bot.sandbox.soak_blows import Platform
from bot.sandbox.soak_crowd import Crowd
from bot.sandbox.soak_evidence import Evidence
from bot.sandbox.soak_plan import Plan, plan
from bot.sandbox.soak_table import Result, alike, show
from bot.sandbox.soak_town import CHANNEL, LEASE_S, Town, town
from bot.sandbox.soak_verdict import CHECKS, clicks
from bot.sandbox.soak_view import NOT_ENDED, View

RATE = 20.0  # seconds of the town in a real one
QUIET_WITHIN_S = 180.0  # after the last request: plans expire, what was lost is looked for, effects are judged
STEP_S = 0.2
FAILED = ("failed", "uncertain")


@dataclass(frozen=True)
class Soak:
    """How hard, and how long. A blow falls every `blow_every_s`, on average.

    `rate` is that of the town's clock, in whose minutes plans expire.
    """

    seed: int
    seconds: float = 180.0
    replicas: int = 3
    operations: int = 200
    services: int = 20
    rate: float = RATE
    blow_every_s: float = 7.0
    expires_min: int = 4


def run(soak: Soak, server: Databases | None, logs: str = "") -> Result:
    """Attack a town of its own; without a server on SQLite. `logs` is a folder for what the replicas said, if any."""
    with town(
        server,
        services=soak.services,
        replicas=soak.replicas,
        rate=soak.rate,
        seed=soak.seed,
        expires_min=soak.expires_min,
    ) as here:
        attack = plan(
            soak.seed,
            seconds=soak.seconds,
            operations=soak.operations,
            services=here.services,
            replicas=soak.replicas,
            lease_s=LEASE_S,
            blow_every_s=soak.blow_every_s,
        )
        for bot in here.bots:
            bot.start()
        for bot in here.bots:
            bot.wait_ready()
        try:
            return asyncio.run(_attack(soak, here, attack))
        finally:
            _keep(here, logs)


def _keep(here: Town, logs: str) -> None:
    if logs:
        Path(logs).mkdir(parents=True, exist_ok=True)
        for bot in here.bots:
            shutil.copy(bot.log, logs)


async def _attack(soak: Soak, here: Town, attack: Plan) -> Result:
    view = View(Books(here.database))
    sole = here.database.startswith("sqlite")
    platforms = [
        Platform(number, bot, here.cloud, attack.blows, view.hit, sole=sole) for number, bot in enumerate(here.bots)
    ]
    async with Slack(CHANNEL) as slack:
        following = asyncio.create_task(view.follow())
        crowd = Crowd(slack, view, [bot.url for bot in here.bots])
        for platform in platforms:
            platform.start()
        troubling = asyncio.create_task(_trouble(here, attack))
        await crowd.play(attack.moves)
        await troubling
        await asyncio.gather(*(asyncio.to_thread(platform.finish) for platform in platforms))
        quiet_after_s = await _quiet(view)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    return await asyncio.to_thread(_judged, soak, here, view, platforms, slack, quiet_after_s)


async def _trouble(here: Town, attack: Plan) -> None:
    began = time.monotonic()
    for one in attack.troubles:
        await asyncio.sleep(max(0.0, began + one.at_s - time.monotonic()))
        if one.of_slack:
            await asyncio.to_thread(here.people.do, "faults", **one.fault)
        else:
            await asyncio.to_thread(here.cloud.fault, **one.fault)
    here.cloud.clear_faults()


async def _quiet(view: View) -> float:
    """Wait until nothing is left to do; how long that took, real seconds. Gives up in silence: the checks will tell."""
    began = time.monotonic()
    while time.monotonic() < began + QUIET_WITHIN_S:
        if not await asyncio.to_thread(_is_busy, view.books):
            break
        await asyncio.sleep(STEP_S)
    return time.monotonic() - began


def _is_busy(books: Books) -> bool:
    states = ", ".join(f"'{state}'" for state in NOT_ENDED)
    pending = f"select 1 from operations where state in ({states}) or judged = 'pending'"
    return bool(books.ours(pending) or books.ours(OWED) or books.running())


def _judged(
    soak: Soak, here: Town, view: View, platforms: Iterable[Platform], slack: Slack, quiet_after_s: float
) -> Result:
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(Replica.stop, here.bots))
    calls = [one for one in here.cloud.calls(method="UpdateService") if one["api"] != "console"]
    found = Evidence(view.books, calls, here.people.messages(CHANNEL), slack.sent)
    wrong = {name: list(check(found)) for name, check in CHECKS.items()}
    wrong["every replica ended as it should"] = [
        *(said for platform in platforms for said in platform.wrong),
        *(f"told to stop at last, replica {number} ended with {code}" for number, code in enumerate(codes) if code),
    ]
    outcomes = Counter(one.state for one in found.operations.values() if one.verb != "act")
    deliveries = Counter(
        {
            "requests and clicks": len(slack.sent),
            "repeated": sum(one.attempts > 1 for one in slack.sent),
            "answered more than once": sum(len(one.answered_by) > 1 for one in slack.sent),
            "refused in a sentence": sum(bool(one.said) for one in slack.sent),
            "never acknowledged": sum(not one.acknowledged for one in slack.sent),
            "clicks refused": len(clicks(found)),
        }
    )
    failed = [f"{one.state}: {one.detail}" for one in found.operations.values() if one.state in FAILED]
    failures, refusals = Counter(map(alike, failed)), Counter(alike(one.said) for one in slack.sent if one.said)
    return Result(soak.seed, outcomes, failures, refusals, view.recoveries, deliveries, wrong, quiet_after_s)


def main(soak: Soak, database: str, logs: str = "") -> int:
    """Run one and print it; 0 if all is right, 2 if it cannot be so."""
    console = Console(highlight=False)
    if database == "sqlite" and soak.replicas > 1:
        console.print("SQLite is for one replica: write --replicas 1, or --database postgres.")
        return 2
    with ExitStack() as stack:
        server = stack.enter_context(PostgresProcess()).databases if database == "postgres" else None
        result = run(soak, server, logs)
    show(result, console)
    return int(not result.is_right)
