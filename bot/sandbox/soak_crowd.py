"""The people of a soak: they ask, decide, change their minds, and do it all at once."""

import asyncio
import time
from collections.abc import Sequence
from random import Random

from bot.sandbox.deliveries import Delivery, Slack
from bot.sandbox.soak_plan import ON_CALL, Move
from bot.sandbox.soak_town import SYSTEM
from bot.sandbox.soak_view import Row, View

APPROVE, DENY = "aisq.approve", "aisq.deny"
ATTEMPTS = 4  # Slack's first and its three retries
PATIENCE_S = 40.0  # for a card; whoever lost it in a kill may need a lease and half a minute
LOOKS = ("dry run", "status", "not possible")
RUNNING_S = 1.0  # within which a change of mind comes


class Crowd:
    """`urls` are the replicas', whether they live or not."""

    def __init__(self, slack: Slack, view: View, urls: Sequence[str]) -> None:
        self._slack, self._view, self._urls = slack, view, urls
        self.asked: dict[str, Move] = {}  # by how it was heard

    async def play(self, moves: Sequence[Move]) -> None:
        """All of them, each in its time."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for move in moves:
                group.create_task(self._play(move, began))

    async def _play(self, move: Move, began: float) -> None:
        await asyncio.sleep(max(0.0, began + move.at_s - time.monotonic()))
        random = Random(move.seed)
        text = self._text(move)
        asked = await self._slack.command(move.who, text, self._way(random), twice=move.comes_twice)
        self.asked[asked.heard_as] = move
        if asked.acknowledged and not asked.said and move.ask not in LOOKS:
            await self._decide(move, asked, random)

    def _text(self, move: Move) -> str:
        if "{last}" not in move.text:
            return move.text
        last = self._view.last_applied(f"{SYSTEM}/prod/{move.service}")
        return move.text.format(last=last) if last else f"rollback {move.service}"

    async def _decide(self, move: Move, asked: Delivery, random: Random) -> None:
        card = await self._view.until(asked.heard_as, lambda row: row.ended or _shown(row), PATIENCE_S)
        if card is None or card.ended or move.fate == "left alone":
            return
        await asyncio.sleep(move.after_s)
        others = random.sample([one for one in ON_CALL if one != move.who], 2)
        match move.fate:
            case "approved by a command":
                await self._say(others[0], f"approve {card.id}", random)
            case "approved by two at once":
                await asyncio.gather(*(self._click(other, APPROVE, card, random) for other in others))
            case "approved by who asked":
                await self._click(move.who, APPROVE, card, random)
            case "denied":
                await self._click(others[0], DENY, card, random)
            case "cancelled while it waits":
                await self._say(move.who, f"ops cancel {card.id}", random)
            case "approved, then cancelled":
                await self._click(others[0], APPROVE, card, random)
                await asyncio.sleep(random.uniform(0, RUNNING_S))
                await self._say(move.who, f"ops cancel {card.id}", random)
            case fate:
                await self._click(others[0], APPROVE, card, random, twice=fate.endswith("twice"))

    async def _say(self, who: str, text: str, random: Random) -> None:
        await self._slack.command(who, text, self._way(random))

    async def _click(self, who: str, action: str, card: Row, random: Random, *, twice: bool = False) -> None:
        value = f"{card.id} {card.digest}" if action == APPROVE else card.id
        await self._slack.click(who, card.ts, action, value, self._way(random), twice=twice)

    def _way(self, random: Random) -> list[str]:
        """Which replica hears it, and which ones if the first does not answer."""
        urls = list(self._urls)
        random.shuffle(urls)
        return [urls[number % len(urls)] for number in range(ATTEMPTS)]


def _shown(row: Row) -> bool:
    return row.state == "waiting" and bool(row.ts)
