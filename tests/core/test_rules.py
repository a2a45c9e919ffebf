"""Roles, freezes, limits and cases: the models of the policies folder, and the arithmetic on them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bot.core.operation import Change, Look, Risk
from bot.core.plan import Plan
from bot.core.rules import Act, Case, Freeze, Freezes, Limits, Role, Roles, acts, places

ROLES = Roles(
    roles={
        "oncall": Role(description="x", slack_users=("U0ANA", "U0CHO"), slack_groups=("S0PAGER",), os_users=("ben",)),
        "lead": Role(description="x", slack_users=("U0CHO",)),
        "developers": Role(description="x", slack_groups=("S0DEV", "S0PAGER")),
    }
)
NOON = datetime(2026, 12, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "actor, groups, roles",
    [
        ("slack:U0ANA", (), ("oncall",)),
        ("slack:U0CHO", (), ("lead", "oncall")),
        ("slack:U0EVE", (), ()),
        ("slack:U0EVE", ("S0DEV",), ("developers",)),
        ("slack:U0EVE", ("S0PAGER", "S0OTHER"), ("developers", "oncall")),
        ("os:ben", (), ("oncall",)),
        ("os:U0ANA", (), ()),
        ("slack:ben", (), ()),
        ("U0ANA", (), ()),
        ("", (), ()),
        ("mail:U0ANA", (), ()),
        ("slack:", (), ()),
    ],
)
def test_roles_of(actor: str, groups: tuple[str, ...], roles: tuple[str, ...]) -> None:
    assert ROLES.roles_of(actor, groups) == roles


def test_people_are_known_by_the_ids_of_actors() -> None:
    assert ROLES.people() == {"slack:U0ANA", "slack:U0CHO", "os:ben"}


@pytest.mark.parametrize(
    "role",
    [
        {"slack_users": ["@ana"]},
        {"slack_users": ["ana"]},
        {"slack_users": ["U0ana"]},
        {"slack_groups": ["@oncall"]},
        {"slack_groups": ["U0ANA"]},
        {"os_users": ["an a"]},
        {"os_users": [""]},
        {"users": ["U0ANA"]},
        {"description": ""},
    ],
)
def test_people_are_named_by_ids(role: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Roles.model_validate({"roles": {"oncall": {"description": "x"} | role}})


@pytest.mark.parametrize("name", ["On-call", "on call", "", "-x", "a_b"])
def test_names_of_roles(name: str) -> None:
    with pytest.raises(ValidationError):
        Roles.model_validate({"roles": {name: {"description": "x"}}})


def test_the_implied_role_is_not_written() -> None:
    with pytest.raises(ValidationError, match="the role 'known' is implied for everyone who has a role"):
        Roles.model_validate({"roles": {"known": {"description": "x"}}})


def freeze(*targets: str, start_h: float = -1, end_h: float = 1, name: str = "f") -> Freeze:
    since, until = NOON + timedelta(hours=start_h), NOON + timedelta(hours=end_h)
    return Freeze(name=name, since=since, until=until, targets=targets, reason="rest")


@pytest.mark.parametrize(
    "pattern, covered",
    [
        ("shop", True),
        ("shop/prod", True),
        ("shop/prod/backend", True),
        ("*", True),
        ("*/prod", True),
        ("*/prod*", True),
        ("shop/*/backend", True),
        ("sho?/prod", True),
        ("*/*/*", True),
        ("sho", False),
        ("prod", False),
        ("shop/pro", False),
        ("shop/prod/back", False),
        ("shop/staging", False),
        ("*/prod-*", False),
    ],
)
def test_what_a_freeze_covers(pattern: str, covered: bool) -> None:
    assert freeze("blog", pattern).covers("shop/prod/backend") is covered


@pytest.mark.parametrize("pattern", ["", "/", "a/", "/a", "a/b/c/d", "Shop", "shop prod", "[ab]"])
def test_patterns_that_are_none(pattern: str) -> None:
    with pytest.raises(ValidationError):
        freeze(pattern)


@pytest.mark.parametrize(
    "start_h, end_h, on", [(-1, 1, True), (0, 1, True), (-1, 0, False), (1, 2, False), (-2, -1, False)]
)
def test_a_freeze_begins_at_from_and_ends_before_to(start_h: float, end_h: float, on: bool) -> None:
    one = freeze("shop", start_h=start_h, end_h=end_h)
    assert Freezes(freezes=(one,)).frozen("shop/prod/backend", NOON) == (one if on else None)


def test_of_several_freezes_the_one_that_ends_last_counts() -> None:
    short, long, other = freeze("*", name="short"), freeze("*", end_h=9, name="long"), freeze("blog", end_h=99)
    assert Freezes(freezes=(short, long, other)).frozen("shop/prod/backend", NOON) == long
    assert Freezes().frozen("shop/prod/backend", NOON) is None


@pytest.mark.parametrize(
    "field, value, says",
    [
        ("to", "2026-12-18T17:00:00Z", "must be later"),
        ("to", "2026-12-18T16:00:00Z", "must be later"),
        ("from", "2026-12-18T17:00:00", "timezone"),
        ("from", "soon", "datetime"),
        ("targets", [], "at least 1 item"),
        ("reason", "", "at least 1 character"),
        ("name", "", "at least 1 character"),
        ("why", "x", "not permitted"),
    ],
)
def test_freezes_that_are_wrong(field: str, value: object, says: str) -> None:
    good = {
        "name": "year-end",
        "from": "2026-12-18T18:00:00+01:00",
        "to": "2027-01-04T08:00:00+01:00",
        "targets": ["shop"],
        "reason": "few people",
    }
    assert Freeze.model_validate(good).since == datetime(2026, 12, 18, 17, tzinfo=UTC)
    with pytest.raises(ValidationError, match=says):
        Freeze.model_validate(good | {field: value})


def test_limits_have_defaults_and_bounds() -> None:
    assert Limits().approval_expires_min == 30
    assert Limits().audit_kept_days == 400
    for wrong in ({"audit_kept_days": 399}, {"approval_expires_min": 0}, {"approval_expires_min": 1441}, {"typo": 1}):
        with pytest.raises(ValidationError):
            Limits.model_validate(wrong)


@pytest.mark.parametrize("count", [4, -1, "1", "Never", None])
def test_a_case_needs_nothing_else_than_0_to_3_or_never(count: object) -> None:
    with pytest.raises(ValidationError):
        Case.model_validate({"name": "x", "what": "status", "needs_approvals": count}, strict=True)


class Peek(Look, risk=Risk.READ):
    """Look at it."""

    def answer(self) -> None: ...


class Move(Change, risk=Risk.ROLLOUT):
    """Move it."""

    def plan(self) -> Plan: ...


def test_acts_of_a_registry() -> None:
    assert acts({"peek": Peek, "move it": Move}) == {
        "peek": Act(Risk.READ, "answer"),
        "move it": Act(Risk.ROLLOUT, "plan"),
    }


def test_places_of_full_names() -> None:
    assert places(["shop/prod/backend", "shop/prod/db"]) == {"shop", "shop/prod", "shop/prod/backend", "shop/prod/db"}
    assert places([]) == frozenset()


def test_everything_written_is_frozen() -> None:
    for one in (ROLES, ROLES.roles["lead"], Freezes(), freeze("shop"), Limits()):
        assert isinstance(one, BaseModel)
        with pytest.raises(ValidationError, match="frozen"):
            one.roles = {}  # type: ignore[attr-defined]
