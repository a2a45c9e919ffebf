"""The proxy in front of a service's releases: splits requests as Cloud Run is told to, and writes down each answer.

A host that begins with TAG--- leads to the release of that tag, as Cloud Run's preview addresses do.
"""

import time
from collections.abc import Mapping
from random import Random

import aiohttp
from aiohttp import web

from bot.sandbox.cloud_run.state import LATEST, ServiceState
from bot.sandbox.quality import Quality
from bot.sandbox.real.releases import Releases
from bot.sandbox.world import World

# Of one connection, not of a request (RFC 9110, 7.6.1), or written anew here.
OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"})
NOBODY = "The service has no release that could answer."
# docs "Troubleshoot Cloud Run", 503
BROKEN = "The request failed because either the HTTP response was malformed or connection to the instance had an error."
ATTEMPT_S = 60.0


class Proxy:
    """Of one service; `handle` is an aiohttp handler. Which release answers is drawn by weight, by a seed."""

    def __init__(
        self, world: World, name: str, releases: Releases, client: aiohttp.ClientSession, random: Random
    ) -> None:
        self._world, self._name, self._releases, self._client = world, name, releases, client
        self._random = random

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began = time.perf_counter()
        chosen = self._chosen(request.host)
        if chosen is None:
            return web.Response(status=404, text=NOBODY)
        release, quality = chosen
        answer = await self._answer(request, release, quality)
        self._note(release, answer.status, (time.perf_counter() - began) * 1000)
        return answer

    def _chosen(self, host: str) -> tuple[str, Quality] | None:
        with self._world.settled():
            state = self._world.cloud_run.services.get(self._name)
            release = self._release(state, host) if state else ""
            return (release, state.truths[release].quality) if state and release else None

    def _release(self, state: ServiceState, host: str) -> str:
        tag, marked, _ = host.partition("---")
        if marked:
            return tagged(state).get(tag, "")
        return self._random.choices(list(state.split), list(state.split.values()))[0] if state.split else ""

    async def _answer(self, request: web.BaseRequest, release: str, quality: Quality) -> web.Response:
        """Nothing is tried twice: what arrived there may have been done."""
        body, headers = await request.read(), _kept(request.headers)
        try:
            url = await self._releases.url((self._name, release), quality) + request.path_qs
            sent = self._client.request(request.method, url, data=body, headers=headers, allow_redirects=False)
            async with sent as answer:
                said = await answer.read()
                return web.Response(status=answer.status, body=said, headers=_kept(answer.headers))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return web.Response(status=503, text=BROKEN)

    def _note(self, release: str, status: int, took_ms: float) -> None:
        with self._world.settled() as now:
            state = self._world.cloud_run.services.get(self._name)
            if state and state.recorded:
                state.recorded.note(release, str(status), now.timestamp(), took_ms)


def tagged(state: ServiceState) -> dict[str, str]:
    """The releases that preview tags in force lead to."""
    statuses = [status for status in state.shown.traffic_statuses if status.tag]
    return {one.tag: state.latest_ready if one.type_ == LATEST else one.revision for one in statuses}


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OWN}
