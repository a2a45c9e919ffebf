"""The processes of releases: started when one is needed, told how good they are, ended when nothing leads to them."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.quality import Quality, usual_p95_ms

IDLE_S = 10.0  # what has begun may end, after the last request could be sent there
_ROOT = Path(__file__).parents[3]  # where the child finds this package
Key = tuple[str, str]  # a service's full name, and a release


@dataclass
class Running:
    """A process that listens at `url`. `idle_since` is when nothing led to it any more, 0 while something does."""

    process: Process
    url: str
    quality: Quality
    idle_since: float = 0.0


class Releases:
    """On one event loop."""

    def __init__(self) -> None:
        self.running: dict[Key, Running] = {}
        self._starting: dict[Key, asyncio.Lock] = {}

    async def url(self, key: Key, quality: Quality) -> str:
        """Where the release listens; started if it is not there, or died. Raises OSError if it does not come up."""
        async with self._starting.setdefault(key, asyncio.Lock()):
            found = self.running.get(key)
            if found is None or found.process.returncode is not None:
                found = self.running[key] = await _started(key, quality)
            return found.url

    async def keep(self, wanted: dict[Key, Quality]) -> None:
        """Start what is wanted, tell each how good it is now, and end what was not wanted for a while.

        Raises OSError when one does not come up, or dies meanwhile.
        """
        for key, quality in wanted.items():
            await self.url(key, quality)
            await _tell(key[1], self.running[key], quality)
        now = time.monotonic()
        for key, one in list(self.running.items()):
            one.idle_since = 0.0 if key in wanted else one.idle_since or now
            if one.idle_since and now - one.idle_since > IDLE_S:
                await _ended(self.running.pop(key).process)

    async def close(self) -> None:
        for one in self.running.values():
            await _ended(one.process)
        self.running.clear()


async def _started(key: Key, quality: Quality) -> Running:
    service, release = key
    name = service.rpartition("/")[2]
    environment = {**os.environ, "K_SERVICE": name, "K_REVISION": release, "K_CONFIGURATION": name}
    environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = (sys.executable, "-m", "bot.sandbox.real.release")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True
    )
    assert process.stdin and process.stdout, "they are pipes"
    process.stdin.write(_said(release, quality))
    if not (line := await process.stdout.readline()):
        raise OSError(f"release {release} did not start (exit code {await process.wait()})")
    return Running(process, f"http://127.0.0.1:{json.loads(line)['port']}", quality)


async def _tell(release: str, one: Running, quality: Quality) -> None:
    """One that has died is started again with the next request."""
    if quality == one.quality or one.process.stdin is None or one.process.returncode is not None:
        return
    one.quality = quality
    one.process.stdin.write(_said(release, quality))
    await one.process.stdin.drain()


def _said(release: str, quality: Quality) -> bytes:
    p95_ms = quality.p95_ms or usual_p95_ms(release)
    return json.dumps({"error_rate": quality.error_rate, "p95_ms": p95_ms}).encode() + b"\n"


async def _ended(process: Process) -> None:
    """Its standard input closes; a process that does not care is killed."""
    if process.stdin:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 2.0)
    except TimeoutError:
        process.kill()
        await process.wait()
