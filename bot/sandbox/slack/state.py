"""What the fake workspace holds, as plain data: people, channels, messages, views, and what was called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Team:
    """The workspace."""

    id: str
    name: str
    domain: str


@dataclass
class App:
    """The installed app: its bot user and the scopes of its token."""

    id: str
    name: str
    bot_id: str
    user_id: str
    command: str
    scopes: set[str]


@dataclass
class Person:
    """Someone, or a bot. A guest is_restricted.

    Somebody of another workspace has its team_id; is_stranger only if they share no channel with the app.
    """

    id: str
    name: str
    real_name: str
    tz: str
    email: str
    team_id: str
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_admin: bool = False


@dataclass
class Channel:
    """A channel or a direct message (`is_im`)."""

    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_archived: bool = False
    is_im: bool = False


@dataclass
class Group:
    """A user group; `handle` is what people type, `id` is what a policy should hold."""

    id: str
    handle: str
    name: str
    users: list[str]
    is_disabled: bool = False


@dataclass(frozen=True)
class Edit:
    """What a message said before it was edited at `at` (seconds since the epoch)."""

    at: float
    text: str
    blocks: list[Json]


@dataclass
class Message:
    """One message; `ts` names it within its channel, `visible_to` is set for an ephemeral one."""

    channel: str
    ts: str
    user: str
    text: str
    by_app: bool = False
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    visible_to: str | None = None
    edited_at: float | None = None
    edits: list[Edit] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    links_names: bool = False


@dataclass
class View:
    """A modal or an App Home; `body` is the view as the app sent it, completed by Slack's own fields."""

    id: str
    user: str
    body: Json
    root_id: str
    previous_id: str | None = None

    @property
    def hash(self) -> str:
        """Changes with the view's content; guards updates against races."""
        return str(self.body["hash"])


@dataclass
class Upload:
    """A file on its way: pending, uploaded, complete."""

    id: str
    name: str
    length: int
    data: bytes = b""
    state: str = "pending"
    title: str = ""


@dataclass
class Trigger:
    """A trigger id: valid 3 s after `at`, once; `view_id` is the modal that it came from."""

    at: float
    user: str
    view_id: str | None = None
    used: bool = False


@dataclass
class Hook:
    """A response_url; `message_ts` is the message whose button made it, None for a slash command."""

    at: float
    user: str
    channel: str
    message_ts: str | None = None
    uses: int = 0


@dataclass(frozen=True)
class Call:
    """One Web API call that arrived: `error` is empty when it was carried out."""

    at: float
    method: str
    args: Json
    status: int
    error: str = ""
    fault: str = ""


@dataclass
class Workspace:
    """Everything the fake knows; `now` is its clock (seconds since the epoch), `base_url` where it listens."""

    team: Team
    app: App
    now: Callable[[], float]
    base_url: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    deleted: list[Message] = field(default_factory=list)
    ephemerals: list[Message] = field(default_factory=list)
    modals: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    _last_us: int = 0
    _serial: int = 0

    def new_ts(self) -> str:
        """A message id: seconds and microseconds, never twice, never backwards."""
        self._last_us = max(self._last_us + 1, int(self.now() * 1_000_000))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        """An object id such as V00000007; the same run gives the same ids."""
        self._serial += 1
        return f"{prefix}{self._serial:08d}"

    def in_channel(self, channel: str) -> list[Message]:
        """The messages of a channel, oldest first."""
        return list(self.messages.get(channel, {}).values())

    def find_message(self, channel: str, ts: str) -> Message | None:
        """A message that everybody in the channel sees."""
        return self.messages.get(channel, {}).get(ts)

    def find_ephemeral(self, channel: str, ts: str) -> Message | None:
        """A message that one person sees."""
        return next((m for m in self.ephemerals if (m.channel, m.ts) == (channel, ts)), None)
