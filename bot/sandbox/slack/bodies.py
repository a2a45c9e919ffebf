"""The bodies that /sandbox/slack/… takes, as JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.sandbox.slack.faults import ANY, Kind


class Body(BaseModel):
    """A field that is not known is refused, so that a typing error shows."""

    model_config = ConfigDict(extra="forbid")


class Slash(Body):
    """Type a command."""

    user: str
    channel: str
    text: str = ""
    command: str = ""


class Say(Body):
    """Write a message."""

    user: str
    channel: str
    text: str
    thread_ts: str = ""


class Click(Body):
    """Use an element of a message (channel, ts) or of a view (view_id).

    `entries` is what else is entered in the view at that moment, by block_id, as `submit` takes it.
    """

    user: str
    channel: str = ""
    ts: str = ""
    view_id: str = ""
    action_id: str
    value: Any = None
    block_id: str | None = None
    confirmed: bool = True
    entries: dict[str, Any] = {}


class Submit(Body):
    """Submit a modal; `values` by block_id."""

    user: str
    view_id: str
    values: dict[str, Any] = {}


class OfView(Body):
    """Close a modal."""

    user: str
    view_id: str


class Suggest(Body):
    """Type into a menu whose options the app delivers."""

    user: str
    view_id: str
    action_id: str
    typed: str = ""


class Shortcut(Body):
    """Pick a shortcut: of a message if one is named, else a global one."""

    user: str
    callback_id: str
    channel: str = ""
    ts: str = ""


class User(Body):
    """Open the app's Home tab."""

    user: str


class Event(Body):
    """Deliver an event; `retries` 0 to 3."""

    event: dict[str, Any]
    event_id: str = ""
    retries: int = Field(default=3, ge=0, le=3)


class Raw(Body):
    """Send these bytes to the bot (`body`, or `body_base64` for what is not text).

    `is_signed` signs them at `timestamp` (seconds, default now); `headers` come on top.
    """

    body: str = ""
    body_base64: str = ""
    is_signed: bool = True
    timestamp: int | str | None = None
    headers: dict[str, str] = {}


class Replay(Body):
    """Send an earlier request again; -1 is the last."""

    number: int = -1


class NewFault(Body):
    """Let something go wrong with calls of the bot."""

    kind: Kind
    method: str = ANY
    times: int = Field(default=1, ge=1)
    retry_after_s: int = Field(default=1, ge=1)
    delay_s: float = Field(default=30.0, ge=0)
    error: str = "internal_error"


class PersonChange(Body):
    """Change a person: deactivate, make a guest, give another address."""

    id: str
    name: str | None = None
    real_name: str | None = None
    email: str | None = None
    tz: str | None = None
    team_id: str | None = None
    deleted: bool | None = None
    is_bot: bool | None = None
    is_restricted: bool | None = None
    is_ultra_restricted: bool | None = None
    is_stranger: bool | None = None
    is_admin: bool | None = None
    announce: bool = False


class GroupChange(Body):
    """Change who is in a user group; with `announce` the bot hears of it."""

    id: str
    users: list[str] | None = None
    is_disabled: bool | None = None
    announce: bool = False


class Url(Body):
    """Where the bot listens."""

    url: str


class Scopes(Body):
    """The scopes of the bot's token."""

    scopes: list[str]


class Switch(Body):
    """Rate budgets on or off; what was spent is forgotten."""

    on: bool
