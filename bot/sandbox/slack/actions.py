"""What can be done through /sandbox/slack/…: each action is a body and a function of it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Json


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Slash(Body):
    user: str
    channel: str
    text: str = ""
    command: str = ""


class Click(Body):
    user: str
    channel: str = ""
    ts: str = ""
    view_id: str = ""
    action_id: str
    value: Any = None
    block_id: str | None = None
    confirmed: bool = True


class Event(Body):
    event: dict[str, Any]
    event_id: str = ""
    retries: int = 3


class Say(Body):
    user: str
    channel: str
    text: str
    thread_ts: str = ""


class NewFault(Body):
    kind: Kind
    method: str = "*"
    times: int = 1
    retry_after_s: int = 1
    delay_s: float = 30.0
    error: str = "internal_error"


class Url(Body):
    url: str


Action = Callable[[FakeSlack, Any], Awaitable[Json]]


async def slash(slack: FakeSlack, body: Slash) -> Json:
    return (await slack.slash(**body.model_dump())).as_json(slack.workspace)


async def click(slack: FakeSlack, body: Click) -> Json:
    if body.view_id:
        outcome = await slack.click_view(body.user, body.view_id, body.action_id, body.value)
    else:
        outcome = await slack.click(**body.model_dump(exclude={"view_id"}))
    return outcome.as_json(slack.workspace)


async def event(slack: FakeSlack, body: Event) -> Json:
    attempts = await slack.event(**body.model_dump())
    return {
        "ok": not attempts[-1].error,
        "attempts": [{"status": a.status, "error": a.error, "ms": round(a.ms, 2)} for a in attempts],
    }


async def say(slack: FakeSlack, body: Say) -> Json:
    return (await slack.say(**body.model_dump())).as_json(slack.workspace)


async def faults(slack: FakeSlack, body: NewFault) -> Json:
    slack.faults.add(Fault(**body.model_dump()))
    return {"ok": True, "pending": [asdict(fault) for fault in slack.faults.pending()]}


async def bot_url(slack: FakeSlack, body: Url) -> Json:
    slack.bot_url = body.url
    return {"ok": True}


ACTIONS: dict[str, tuple[type[Body], Action]] = {
    "slash": (Slash, slash),
    "click": (Click, click),
    "event": (Event, event),
    "say": (Say, say),
    "faults": (NewFault, faults),
    "bot_url": (Url, bot_url),
}
