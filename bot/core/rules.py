"""What the policies folder says, as data, and the arithmetic on it: policies, roles, freezes, limits, cases."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from bot.core.catalog import Catalog
from bot.core.operation import Operation, Risk
from bot.core.places import covers
from bot.core.reach import wide, within
from bot.core.request import Target, Verb

KNOWN = "known"  # the role of everyone who has a role; implied, never written in roles.yaml

Stage = Literal["prod", "staging", "dev"]
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
OsUser = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9._-]*$")]
SlackUser = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,}$")]  # an id, never a handle
SlackGroup = Annotated[str, StringConstraints(pattern=r"^S[A-Z0-9]{2,}$")]
Places = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]+(/[a-z0-9*?_.-]+){0,2}$")]


class Act(NamedTuple):
    """What policy knows of an operation: how much harm it can do, and whether it looks, changes or controls."""

    risk: Risk
    verb: Verb


class Traits(BaseModel, frozen=True):
    """What policy knows of a target. `tier` 0 is the most critical."""

    system: str
    environment: str
    kind: str
    type: str
    tier: int = 1
    stage: Stage


class PolicyText(NamedTuple):
    """One Cedar policy as written, from its first annotation to its semicolon, and where it begins."""

    file: str
    line: int
    id: str
    title: str
    text: str


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(_Written):
    """People of one role, by the ids that doors know them by."""

    description: str = Field(min_length=1)
    os_users: tuple[OsUser, ...] = ()
    slack_users: tuple[SlackUser, ...] = ()
    slack_groups: tuple[SlackGroup, ...] = ()


class Roles(_Written):
    """roles.yaml."""

    roles: dict[RoleName, Role]

    @model_validator(mode="after")
    def _implied(self) -> "Roles":
        if KNOWN in self.roles:
            raise ValueError(f"the role {KNOWN!r} is implied for everyone who has a role; choose another name")
        return self

    def roles_of(self, actor: str, groups: Collection[str] = ()) -> tuple[str, ...]:
        """Roles of "slack:U0ANA" or "os:ana", who is in the Slack user groups `groups` (ids); sorted, often none."""
        door, _, name = actor.partition(":")
        people = {"os": "os_users", "slack": "slack_users"}.get(door)
        return tuple(
            sorted(
                role
                for role, of in self.roles.items()
                if (people and name in getattr(of, people)) or set(groups) & set(of.slack_groups)
            )
        )

    def people(self) -> frozenset[str]:
        """Actor ids of everyone who is named."""
        every = self.roles.values()
        return frozenset(
            [f"os:{user}" for role in every for user in role.os_users]
            + [f"slack:{user}" for role in every for user in role.slack_users]
        )


class Freeze(_Written):
    """A time without rollouts. `targets`: system[/environment[/name]], with `*` and `?` as in file names."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)
    name: str = Field(min_length=1)
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    targets: tuple[Places, ...] = Field(min_length=1)
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _forward(self) -> "Freeze":
        if self.until <= self.since:
            raise ValueError("`to` must be later than `from`")
        return self

    def covers(self, target: str) -> bool:
        """Whether the full name `target` is meant; a pattern that stops early means all below it."""
        return any(covers(pattern, target) for pattern in self.targets)


class Freezes(_Written):
    """freezes.yaml."""

    freezes: tuple[Freeze, ...] = ()

    def frozen(self, target: str, now: datetime) -> Freeze | None:
        """The freeze that covers the full name `target` at `now` and ends last."""
        on = [one for one in self.freezes if one.since <= now < one.until and one.covers(target)]
        return max(on, key=lambda one: one.until, default=None)


class Limits(_Written):
    """limits.yaml. A number that is left out has the default that stands here."""

    approval_expires_min: int = Field(30, ge=1, le=1440)
    pin_reminder_h: int = Field(24, ge=1, le=720)
    audit_kept_days: int = Field(400, ge=400)
    requests_kept_days: int = Field(30, ge=1)
    journal_kept_days: int = Field(30, ge=1)


class Case(_Written):
    """One row of policies/tests/*.yaml: who does what where, and how many approvals that must need."""

    name: str = Field(min_length=1)
    who: tuple[RoleName, ...] = ()  # roles
    active: bool = True
    what: str
    where: str = ""  # full name of the target; empty: none
    facts: dict[str, JsonValue] = {}  # `requester: me` is the person of this case
    needs_approvals: Literal[0, 1, 2, 3, "never"]
    by: str = ""  # the policy that decides; empty: whichever, and with "never": none, nothing permits


class Cases(_Written):
    """A file of policies/tests/."""

    cases: tuple[Case, ...]


class PolicyFiles(NamedTuple):
    """All of the policies folder."""

    policies: tuple[PolicyText, ...]
    roles: Roles
    freezes: Freezes
    limits: Limits
    cases: tuple[tuple[str, Case], ...] = ()  # with the file of each
    folder: str = "policies"


def traits(catalog: Catalog) -> dict[str, Traits]:
    """What policy may ask of each target; of a system or an environment what it may of the most critical one there."""
    found = {
        target.full_name: Traits(
            system=target.system,
            environment=target.environment,
            kind=target.kind,
            type=target.type,
            tier=catalog.entry(target).tier,
            stage=catalog.environment(target).stage,
        )
        for target in catalog.targets()
    }
    return {**found, **{place.full_name: _traits(place, catalog, found) for place in wide(catalog)}}


def _traits(place: Target, catalog: Catalog, found: Mapping[str, Traits]) -> Traits:
    environments = catalog.systems[place.system].environments
    stages = [one.stage for name, one in environments.items() if place.environment in ("", name)]
    return Traits(
        system=place.system,
        environment=place.environment,
        kind=place.kind,
        type="",
        tier=min((found[one.full_name].tier for one in within(catalog, place)), default=3),
        stage=min(stages, key=get_args(Stage).index, default="prod"),
    )


def acts(registry: Mapping[str, type[Operation]]) -> dict[str, Act]:
    """What policy knows of each operation, by command ("ops list")."""
    return {name: Act(operation.risk, operation.verb) for name, operation in registry.items()}


def places(targets: Iterable[str]) -> frozenset[str]:
    """Every system, system/environment and full name of the full names given."""
    return frozenset("/".join(name.split("/")[:depth]) for name in targets for depth in (1, 2, 3))
