"""What is there to be seen in the town, at one instant: asked over its control HTTP, as anybody could."""

import asyncio
import time
from asyncio import gather
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from bot.sandbox.page.keeper import Keeper, State
from bot.sandbox.page.reader import Reader

Json = dict[str, Any]
FRESH_S = 0.15  # looks within this time share one answer
RECENT = 80  # calls that may still change what they say
KEPT = 400
SLACK = ("faults", "messages", "ephemerals", "views", "people")


@dataclass(frozen=True)
class Seen:
    """Everything that the page draws. `minutes` are those of the services that were asked for."""

    now: datetime
    rate: float
    services: Mapping[str, Json]
    calls: list[Json]
    faults: list[Json]
    slack_faults: list[Json]
    messages: list[Json]
    ephemerals: list[Json]
    modals: list[Json]
    homes: Mapping[str, Json]
    people: Mapping[str, Json]
    channels: Mapping[str, Json]
    groups: Mapping[str, Json]
    bot: State = "ready"
    trouble: str = ""
    minutes: Mapping[str, list[Json]] = field(default_factory=dict)
    heard: Mapping[str, datetime] = field(default_factory=dict)
    modal_owners: Mapping[str, str] = field(default_factory=dict)

    def said_at(self, ts: str) -> datetime:
        """The town's instant at which a message was first seen; Slack's own instants are real ones."""
        return self.heard.get(ts, self.now)

    def reader(self, user: str) -> Reader:
        """Slack's texts as this person reads them."""
        people = {one["id"]: f"@{one['real_name']}" for one in self.people.values()}
        channels = {one["id"]: f"#{one['name']}" for one in self.channels.values()}
        groups = {one["id"]: f"@{one['handle']}" for one in self.groups.values()}
        zone = ZoneInfo(self.people[user]["tz"]) if user in self.people else UTC
        return Reader({**people, **channels, **groups}, zone, self.now)


class Town:
    """The town's control, for coroutines. Close it with `await town.close()`."""

    def __init__(self, http: str, keeper: Keeper) -> None:
        self._client = httpx.AsyncClient(base_url=f"{http}/sandbox", trust_env=False, timeout=20.0)
        self._keeper = keeper
        self._lock = asyncio.Lock()
        self._seen: dict[str, tuple[float, Seen]] = {}
        self._calls: dict[int, Json] = {}
        self._heard: dict[str, datetime] = {}

    async def look(self, service: str) -> Seen:
        """What is there now, with the minutes of one service. Raises httpx.HTTPError if the town is gone."""
        async with self._lock:
            at, seen = self._seen.get(service, (0.0, None))
            if seen is None or time.monotonic() - at > FRESH_S:
                seen = await self._ask(service)
                self._seen = {service: (time.monotonic(), seen)}
            return seen

    def forget(self) -> None:
        """The next look asks anew."""
        self._seen.clear()

    async def do(self, what: str, **body: Any) -> Json:
        """Something that a person does in Slack; what came back."""
        self.forget()
        answer = await self._client.post(f"/slack/{what}", json=body)
        return dict(answer.json())

    async def change(self, path: str, body: Any = None, method: str = "POST") -> Json:
        """Something that is done to the cloud, or to the sandbox; an "error" in the answer is a sentence."""
        self.forget()
        answer = await self._client.request(method, path, json=body)
        said = answer.json()
        return said if isinstance(said, dict) else {}

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, service: str) -> Seen:
        since = max(0, max(self._calls, default=0) - RECENT)
        (clock, services, calls, faults), (slack_faults, messages, ephemerals, views, people), minutes = await gather(
            self._several("/clock", "/services", f"/calls?since={since}", "/faults"),
            self._several(*(f"/slack/{name}?brief=1" for name in SLACK)),
            self._get(f"/services/{service}/minutes"),
        )
        self._calls.update({call["seq"]: call for call in calls})
        self._calls = dict(sorted(self._calls.items())[-KEPT:])
        now = datetime.fromisoformat(clock["now"])
        for message in (*messages["messages"], *ephemerals["ephemerals"]):
            age_s = max(0.0, time.time() - float(message["ts"])) * float(clock["rate"])
            self._heard.setdefault(message["ts"], now - timedelta(seconds=age_s))
        return Seen(
            now=now,
            rate=float(clock["rate"]),
            services={_short(one): one for one in services},
            calls=list(self._calls.values()),
            faults=faults,
            slack_faults=slack_faults["faults"],
            messages=messages["messages"],
            ephemerals=ephemerals["ephemerals"],
            modals=views["modals"],
            homes=views["homes"],
            people={one["id"]: one for one in people["people"]},
            channels={one["id"]: one for one in people["channels"]},
            groups={one["id"]: one for one in people["groups"]},
            bot=self._keeper.state,
            trouble=self._keeper.trouble,
            heard=self._heard,
            modal_owners=views["owners"],
            minutes={service: minutes if isinstance(minutes, list) else []},
        )

    async def _several(self, *paths: str) -> list[Any]:
        return list(await gather(*map(self._get, paths)))

    async def _get(self, path: str) -> Any:
        return (await self._client.get(path)).json()


def _short(service: Json) -> str:
    return f"{service['project']}/{service['location']}/{service['service']}"
