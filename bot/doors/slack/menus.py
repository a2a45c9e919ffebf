"""What menus offer, kept for a moment: Slack asks at every key that is pressed, and a cloud is not asked so often."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.core.home import Choice
from bot.engine.choices import Question

KEPT_S = 10.0  # real seconds
Every = tuple[Choice, ...] | None  # None: it cannot be known now


class Menus:
    """Who asks what is being asked already waits for the same answer. `monotonic` is real time."""

    def __init__(self, ask: Callable[[Question], Awaitable[Every]], monotonic: Callable[[], float]) -> None:
        self._ask, self._now = ask, monotonic
        self._asked: dict[str, tuple[float, asyncio.Task[Every]]] = {}

    async def every(self, question: Question) -> Every:
        """All that could stand in a field, whatever was begun."""
        key = question.model_copy(update={"begun": ""}).model_dump_json()
        now = self._now()
        self._asked = {one: (at, task) for one, (at, task) in self._asked.items() if now - at < KEPT_S}
        if key not in self._asked:
            self._asked[key] = now, asyncio.create_task(self._asking(question))
        found = await asyncio.shield(self._asked[key][1])
        if found is None:
            self._asked.pop(key, None)
        return found

    async def _asking(self, question: Question) -> Every:
        return await self._ask(question)
