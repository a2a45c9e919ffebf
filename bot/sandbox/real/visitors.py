"""People who use a service: requests at random instants, as many in a second of sandbox time as the world says."""

import asyncio
from random import Random

import aiohttp

from bot.sandbox.clock import Clock

PAGES = ("/", "/api/orders", "/api/orders/4711", "/api/search?q=chair", "/api/session")
NOWHERE = "/wp-login.php"
LOOK_S = 0.2  # how long a clock that stands still is left alone
MOST_AT_ONCE = 200  # requests in flight; who would be one more does not come
LATE_S = 1.0  # real seconds by which requests may come late; those that are later do not happen


class Visitors:
    """Of one service. `url` is its proxy, `rps` in sandbox time."""

    def __init__(self, clock: Clock, url: str, rps: float, not_found_rate: float, random: Random) -> None:
        self._clock, self._url, self._rps, self._not_found_rate = clock, url, rps, not_found_rate
        self._random, self._going = random, set[asyncio.Task[None]]()

    async def come(self, client: aiohttp.ClientSession) -> None:
        """Until cancelled; whoever is still there then breaks off."""
        due = self._clock.now().timestamp()
        try:
            while self._rps > 0:
                due = await self._until(due + self._random.expovariate(self._rps))
                if len(self._going) < MOST_AT_ONCE:
                    task = asyncio.create_task(self._visit(client))
                    self._going.add(task)
                    task.add_done_callback(self._going.discard)
        finally:
            going = [task for task in self._going if task.cancel()]
            await asyncio.gather(*going, return_exceptions=True)

    async def _until(self, due: float) -> float:
        """Wait for that instant (sandbox, seconds since 1970); gives when it really was, for who is late."""
        while (ahead := due - self._clock.now().timestamp()) > 0:
            await asyncio.sleep(min(self._clock.real_s(ahead), LOOK_S))
        late_s = -ahead
        return due if self._clock.real_s(late_s) <= LATE_S else due + late_s

    async def _visit(self, client: aiohttp.ClientSession) -> None:
        page = NOWHERE if self._random.random() < self._not_found_rate else self._random.choice(PAGES)
        try:
            async with client.get(f"{self._url}{page}") as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return  # whoever is on this machine may end the proxy meanwhile
