"""The Events API: what happens in the workspace, delivered with Slack's retries."""

from collections.abc import Mapping

from bot.sandbox.slack import result
from bot.sandbox.slack.channels import direct
from bot.sandbox.slack.commands import channel_named, escaped, person_named
from bot.sandbox.slack.delivery import Courier, Delivery
from bot.sandbox.slack.messages import add
from bot.sandbox.slack.result import Result
from bot.sandbox.slack.state import Json, Message, Workspace
from bot.sandbox.slack.wire import described

RETRIES = 3


def envelope(workspace: Workspace, event: Json, event_id: str = "") -> Json:
    """An event as it is delivered; the same event_id twice is what a bot must recognise."""
    return {
        "token": "legacy",
        "team_id": workspace.team.id,
        "api_app_id": workspace.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or workspace.new_id("Ev"),
        "event_time": int(workspace.now()),
        "is_ext_shared_channel": False,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team.id,
                "user_id": workspace.app.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


async def deliver(courier: Courier, payload: Json, retries: int = RETRIES) -> list[Delivery]:
    """Deliver an event, and again up to three times while the bot does not answer 200 in time.

    Slack waits (almost nothing, 1 min, 5 min) between attempts; here they follow at once. Each is signed anew, and
    `X-Slack-No-Retry: 1` on the answer ends them.
    """
    attempts = [await courier.event(payload)]
    for number in range(1, retries + 1):
        last = attempts[-1]
        if not last.error or last.stop_retries:
            break
        attempts.append(await courier.event(payload, _retry_headers(number, last)))
    return attempts


def _retry_headers(number: int, last: Delivery) -> Mapping[str, str]:
    return {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": last.reason}


async def say(
    workspace: Workspace, courier: Courier, user: str, channel: str, text: str, thread_ts: str = ""
) -> Result:
    """A person writes a message; the bot hears of it if it is mentioned or written to directly."""
    person_named(workspace, user)
    where = direct(workspace, user) if channel == workspace.app.user_id else channel_named(workspace, channel)
    ts = workspace.new_ts()
    message = add(workspace, Message(where.id, ts, user, escaped(workspace, text), thread_ts=thread_ts or None))
    heard: Json = {"channel": where.id, "event_ts": ts, **described(workspace, message)}
    if where.is_im:
        heard |= {"type": "message", "channel_type": "im"}
    elif f"<@{workspace.app.user_id}" in message.text and workspace.app.user_id in where.members:
        heard["type"] = "app_mention"
    else:
        return Result(None, shown=[message])
    attempts = await deliver(courier, envelope(workspace, heard))
    outcome = result.of(attempts[-1], "The event")
    outcome.shown.append(message)
    return outcome


async def open_home(workspace: Workspace, courier: Courier, user: str) -> Result:
    """A person opens the app's Home tab; the event carries the home that they see, if there is one."""
    person_named(workspace, user)
    home = workspace.homes.get(user)
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": direct(workspace, user).id,
        "tab": "home",
        "event_ts": workspace.new_ts(),
    }
    if home:
        event["view"] = home.body
    attempts = await deliver(courier, envelope(workspace, event))
    outcome = result.of(attempts[-1], "The event")
    outcome.view = workspace.homes.get(user)
    return outcome


async def verify_url(workspace: Workspace, courier: Courier) -> Result:
    """Slack's challenge to a request URL, which the bot must repeat, as JSON or as plain text."""
    challenge = workspace.new_id("challenge")
    delivery = await courier.event({"token": "legacy", "challenge": challenge, "type": "url_verification"})
    outcome = result.of(delivery, "The request URL")
    if outcome.ok and challenge not in (delivery.body.get("challenge"), delivery.body.get("text")):
        outcome.error = "challenge_failed"
        outcome.note = "Your URL didn't respond with the value of the challenge parameter."
    return outcome
