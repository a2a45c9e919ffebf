"""What can be done through /sandbox/slack/…: each action is a body and a function of it."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from bot.sandbox.slack import bodies
from bot.sandbox.slack.commands import person_named
from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.fake import FakeSlack
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import described
from bot.sandbox.slack.refusals import Unusable
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Json


@dataclass(frozen=True)
class Action:
    """An action: what it takes, and what it does with it."""

    takes: type[bodies.Body]
    run: Callable[[FakeSlack, Any], Awaitable[Json]]


def _result(slack: FakeSlack, outcome: Result) -> Json:
    return outcome.as_json(slack.workspace)


def _delivery(delivery: Delivery) -> Json:
    return {
        "ok": not delivery.error,
        "error": delivery.error,
        "status": delivery.status,
        "ms": round(delivery.ms, 2),
        "body": delivery.body,
    }


def _attempts(attempts: list[Delivery]) -> Json:
    return {"ok": not attempts[-1].error, "attempts": [_delivery(attempt) for attempt in attempts]}


async def slash(slack: FakeSlack, body: bodies.Slash) -> Json:
    return _result(slack, await slack.slash(**body.model_dump()))


async def say(slack: FakeSlack, body: bodies.Say) -> Json:
    return _result(slack, await slack.say(**body.model_dump()))


async def click(slack: FakeSlack, body: bodies.Click) -> Json:
    if body.view_id:
        return _result(slack, await slack.click_view(**body.model_dump(exclude={"channel", "ts"})))
    return _result(slack, await slack.click(**body.model_dump(exclude={"view_id", "entries"})))


async def submit(slack: FakeSlack, body: bodies.Submit) -> Json:
    return _result(slack, await slack.submit(**body.model_dump()))


async def close(slack: FakeSlack, body: bodies.OfView) -> Json:
    return _result(slack, await slack.close_view(**body.model_dump()))


async def suggest(slack: FakeSlack, body: bodies.Suggest) -> Json:
    return _result(slack, await slack.suggest(**body.model_dump()))


async def shortcut(slack: FakeSlack, body: bodies.Shortcut) -> Json:
    return _result(slack, await slack.shortcut(**body.model_dump()))


async def home(slack: FakeSlack, body: bodies.User) -> Json:
    return _result(slack, await slack.open_home(body.user))


async def event(slack: FakeSlack, body: bodies.Event) -> Json:
    return _attempts(await slack.event(**body.model_dump()))


async def verify_url(slack: FakeSlack, body: bodies.Body) -> Json:
    return _result(slack, await slack.verify_url())


async def raw(slack: FakeSlack, body: bodies.Raw) -> Json:
    content = base64.b64decode(body.body_base64) if body.body_base64 else body.body.encode()
    signature = slack.signed(content, body.timestamp) if body.is_signed else {}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return _delivery(await slack.send_raw(content, {**form, **signature, **body.headers}))


async def replay(slack: FakeSlack, body: bodies.Replay) -> Json:
    return _delivery(await slack.replay(body.number))


async def faults(slack: FakeSlack, body: bodies.NewFault) -> Json:
    slack.faults.add(Fault(**body.model_dump()))
    return {"ok": True, "faults": [asdict(fault) for fault in slack.faults.pending()]}


async def user(slack: FakeSlack, body: bodies.PersonChange) -> Json:
    person = person_named(slack.workspace, body.id)
    changes = body.model_dump(exclude={"id", "announce"}, exclude_none=True)
    for name, value in changes.items():
        setattr(person, name, value)
    if body.announce:
        await slack.event({"type": "user_change", "user": described(slack.workspace, person)})
    return {"ok": True, "user": asdict(person)}


async def group(slack: FakeSlack, body: bodies.GroupChange) -> Json:
    workspace = slack.workspace
    if body.id not in workspace.groups:
        raise Unusable(f"there is no user group {body.id!r}; use one of {', '.join(workspace.groups)}")
    changed = workspace.groups[body.id]
    before, changed.users = changed.users, changed.users if body.users is None else body.users
    changed.is_disabled = changed.is_disabled if body.is_disabled is None else body.is_disabled
    if body.announce:
        await slack.event(_members_changed(slack, body.id, before, changed.users))
    return {"ok": True, "group": asdict(changed)}


def _members_changed(slack: FakeSlack, group_id: str, before: list[str], after: list[str]) -> Json:
    added = [user for user in after if user not in before]
    removed = [user for user in before if user not in after]
    return {
        "type": "subteam_members_changed",
        "subteam_id": group_id,
        "team_id": slack.workspace.team.id,
        "added_users": added,
        "added_users_count": len(added),
        "removed_users": removed,
        "removed_users_count": len(removed),
    }


async def bot_url(slack: FakeSlack, body: bodies.Url) -> Json:
    slack.bot_url = body.url
    return {"ok": True}


async def token_scopes(slack: FakeSlack, body: bodies.Scopes) -> Json:
    slack.workspace.app.scopes = set(body.scopes)
    return {"ok": True, "scopes": sorted(body.scopes)}


async def budgets(slack: FakeSlack, body: bodies.Switch) -> Json:
    slack.budgets.on = body.on
    slack.budgets.clear()
    return {"ok": True}


ACTIONS: dict[str, Action] = {
    "slash": Action(bodies.Slash, slash),
    "say": Action(bodies.Say, say),
    "click": Action(bodies.Click, click),
    "submit": Action(bodies.Submit, submit),
    "close": Action(bodies.OfView, close),
    "suggest": Action(bodies.Suggest, suggest),
    "shortcut": Action(bodies.Shortcut, shortcut),
    "home": Action(bodies.User, home),
    "event": Action(bodies.Event, event),
    "verify_url": Action(bodies.Body, verify_url),
    "raw": Action(bodies.Raw, raw),
    "replay": Action(bodies.Replay, replay),
    "faults": Action(bodies.NewFault, faults),
    "user": Action(bodies.PersonChange, user),
    "group": Action(bodies.GroupChange, group),
    "bot_url": Action(bodies.Url, bot_url),
    "token_scopes": Action(bodies.Scopes, token_scopes),
    "budgets": Action(bodies.Switch, budgets),
}
