"""Who asked for what, about which target, and how it can end."""

from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, Field, JsonValue

State = Literal[
    "accepted",  # persisted and acknowledged; not planned yet
    "waiting",  # planned and permitted; people must approve
    "queued",  # approved; a sweep starts it
    "running",  # its steps are being made
    # the outcomes
    "answered",  # a look: here is the answer
    "planned",  # a dry run: nothing was done
    "rejected",  # it cannot be planned as it was asked; the detail says what to write instead
    "nothing_to_do",
    "applied",
    "denied",
    "failed",
    "cancelled",
    "expired",
    "uncertain",  # a write whose fate nobody knows; look
]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("accepted", "waiting", "queued", "running")
LEFT_AS_IT_IS = "stopped, and left as it is"  # how the detail begins when what failed was not put back
DUE: tuple[State, ...] = ("queued", "running")  # what must be executing somewhere


class Actor(BaseModel, frozen=True):
    """A person, as some door knows them: `id` is "slack:U0ANA" or "os:ana"."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    active: bool | None = True  # None: whoever knows could not be asked
    zone: str = "UTC"  # IANA name, for showing instants


class Target(BaseModel, frozen=True):
    """One thing that can be operated on, fully named: system/environment/name.

    A system or an environment, as what stands for all that is in it, has no name of its own and no type.
    """

    system: str
    environment: str
    name: str
    kind: str  # what it is to people: service, database, cache
    type: str  # the provider's file name: cloud_run
    cloud: str  # gcp, aws: which other providers (metrics, images, secrets) speak of it
    place: dict[str, str] = Field(default_factory=dict)  # what the provider needs: project, region, resource

    @property
    def full_name(self) -> str:
        return "/".join(part for part in (self.system, self.environment, self.name) if part)

    def __str__(self) -> str:
        return self.full_name


class Address(BaseModel, frozen=True):
    """Where to answer: a door's name and what that door needs to find the place again."""

    door: str
    place: dict[str, str] = Field(default_factory=dict)  # slack: channel, user, thread_ts, response_url; cli: nothing


class Subject(BaseModel, frozen=True):
    """An earlier operation that a request is about."""

    id: str
    operation: str
    requester: str  # an actor's id
    target: Target | None = None


class Form(BaseModel, frozen=True):
    """What somebody entered into an operation's form: by parameter, the text, or for a yes or no which of both."""

    operation: str  # its command
    values: dict[str, str | bool] = Field(default_factory=dict)


class Ask(BaseModel, frozen=True):
    """What a door hands over: one line of text by one person, not yet understood; or instead of it a form.

    `heard_as` is equal when a door hears the same request again; `signature` is unique per delivery and
    refuses a replay (empty: the door has none). `channel` is whose defaults fill in a system and an environment.
    """

    actor: str
    text: str = ""
    form: Form | None = None
    address: Address
    heard_as: str
    signature: str = ""
    channel: str = ""


Verb = Literal["answer", "plan", "act"]


class Request(BaseModel, frozen=True):
    """An understood request; `params` are JSON and name targets in full. `verb`: a look, a change or a control."""

    id: str
    actor: Actor
    operation: str
    verb: Verb
    params: dict[str, JsonValue]
    target: Target | None
    text: str
    address: Address
    channel: str = ""
    received_at: datetime


class Approval(BaseModel, frozen=True):
    """One person's yes to one digest."""

    actor: Actor
    digest: str
    given_at: datetime
