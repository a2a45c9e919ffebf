"""Signed slash commands, many at once."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

import aiohttp

from benchmarks.town import PATH, command

PATIENCE_S = 30.0


class Answered(NamedTuple):
    """One request that was answered with 200 and no more: what Slack knows it by, and how long it took."""

    trigger: str
    ms: float


class Load(NamedTuple):
    """What became of a load; `refused` were answered with a sentence instead, or not at all."""

    answered: list[Answered]
    refused: int
    took_s: float


def load(addresses: Sequence[str], text: str, *, concurrent: int, requests: int) -> Load:
    """Send `/aisq TEXT` so often, always `concurrent` at once; the addresses take turns."""
    return asyncio.run(_load([f"{address}{PATH}" for address in addresses], text, concurrent, requests))


async def _load(urls: list[str], text: str, concurrent: int, requests: int) -> Load:
    numbers, answered = iter(range(requests)), list[Answered]()
    turns, run = itertools.cycle(urls), uuid.uuid4().hex
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session:

        async def person() -> None:
            for number in numbers:
                if found := await _one(session, next(turns), text, f"{run}.{number}"):
                    answered.append(found)

        began = time.perf_counter()
        await asyncio.gather(*(person() for _ in range(concurrent)))
        took_s = time.perf_counter() - began
    return Load(answered, requests - len(answered), took_s)


async def _one(session: aiohttp.ClientSession, url: str, text: str, trigger: str) -> Answered | None:
    body, headers = command(text, trigger)
    began = time.perf_counter()
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            said = await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return None
    took_ms = (time.perf_counter() - began) * 1000
    return Answered(trigger, took_ms) if answer.status == 200 and not said else None
