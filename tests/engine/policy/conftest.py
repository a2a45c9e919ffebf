"""A small world for policies: a few operations, two systems, three roles, and policies written in the test."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from cedarpy import format_policies

from bot.core.operation import Risk
from bot.core.request import Actor
from bot.core.rules import Act, Case, Freezes, Limits, PolicyFiles, PolicyText, Role, Roles, Traits
from bot.engine.policy import Policy
from bot.engine.policy.cedar import WIDTH

ACTS = {
    "rollback": Act(Risk.ROLLOUT, "plan"),
    "traffic": Act(Risk.ROLLOUT, "plan"),
    "approve": Act(Risk.CONTROL, "act"),
    "ops cancel": Act(Risk.CONTROL, "act"),
    "status": Act(Risk.READ, "answer"),
    "ops list": Act(Risk.READ, "answer"),
}
TARGETS = {
    "shop/prod/backend": Traits(
        system="shop", environment="prod", kind="service", type="cloud_run", tier=0, stage="prod"
    ),
    "shop/staging/backend": Traits(
        system="shop", environment="staging", kind="service", type="cloud_run", tier=2, stage="staging"
    ),
    "blog/prod/db": Traits(system="blog", environment="prod", kind="database", type="cloud_sql", tier=1, stage="prod"),
}
ROLES = Roles(
    roles={
        "developers": Role(description="Write it."),
        "oncall": Role(description="Carry the pager.", slack_users=("U0ANA",)),
        "lead": Role(description="Lead."),
    }
)


def text_of(body: str, *, id: str = "p", title: str = "The title") -> PolicyText:
    """One policy, formatted if it can be parsed."""
    text = f'@id("{id}")\n@title("{title}")\n{body}'
    with suppress(ValueError):
        text = format_policies(text, line_width=WIDTH).strip()
    return PolicyText("policies/10.cedar", 7, id, title, text)


@pytest.fixture
def acts() -> dict[str, Act]:
    return dict(ACTS)


@pytest.fixture
def targets() -> dict[str, Traits]:
    return dict(TARGETS)


@pytest.fixture
def text() -> Callable[..., PolicyText]:
    return text_of


@pytest.fixture
def files() -> Callable[..., PolicyFiles]:
    """Policy bodies, named p0, p1, …, to everything that a folder holds."""

    def build(*bodies: str, cases: tuple[Case, ...] = (), freezes: Freezes | None = None) -> PolicyFiles:
        policies = tuple(text_of(body, id=f"p{n}", title=f"Title {n}") for n, body in enumerate(bodies))
        named = tuple(("policies/tests/some.yaml", case) for case in cases)
        return PolicyFiles(policies, ROLES, freezes or Freezes(), Limits(), named)

    return build


@pytest.fixture
def policy(files: Callable[..., PolicyFiles]) -> Callable[..., Policy]:
    """Policy bodies to a policy on the small world."""
    return lambda *bodies: Policy(files(*bodies), ACTS, TARGETS)


@pytest.fixture
def person() -> Callable[..., Actor]:
    """Somebody with these roles."""

    def build(*roles: str, id: str = "slack:U0ANA", active: bool | None = True) -> Actor:
        return Actor(id=id, name="Ana", roles=roles, active=active)

    return build
