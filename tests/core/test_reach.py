"""Systems and environments as targets: which there are, and what is in each."""

import pytest

from bot.core.catalog import Catalog
from bot.core.estate import System
from bot.core.places import above
from bot.core.reach import fitting, meant, wide, within
from bot.core.reference import resolve
from bot.core.request import Target
from bot.core.rules import traits

RUN = {"type": "cloud_run", "instances": {"min": 0, "max": 3}, "tier": 1}
SQL = {
    "type": "cloud_sql", "engine": "postgres", "version": "15", "machine_type": "f", "disk": {"gb": 9}, "tier": 0
}  # fmt: skip
SHOP = {
    "system": "shop", "title": "Shop", "owner": "us",
    "environments": {
        "dev": {"stage": "dev", "services": {"web": RUN}},
        "prod": {"stage": "prod", "services": {"web": RUN, "api": RUN, "db": SQL}},
        "new": {"stage": "staging", "services": {}},
    },
}  # fmt: skip
CATALOG = Catalog(systems={"shop": System.model_validate(SHOP)})
WIDE = "service|environment|system|pattern"


def names(targets: tuple[Target, ...]) -> list[str]:
    return [str(target) for target in targets]


def test_every_system_and_environment_is_there() -> None:
    assert names(tuple(wide(CATALOG))) == ["shop", "shop/dev", "shop/prod", "shop/new"]


@pytest.mark.parametrize(
    "kind, found",
    [
        ("system", ["shop"]),
        ("environment|database", ["shop/prod/db", "shop/dev", "shop/prod", "shop/new"]),
        ("database", ["shop/prod/db"]),
        ("any", ["shop/dev/web", "shop/prod/web", "shop/prod/api", "shop/prod/db"]),
        ("pattern", []),
    ],
)
def test_what_a_reference_can_name(kind: str, found: list[str]) -> None:
    assert names(tuple(fitting(CATALOG, kind))) == found


@pytest.mark.parametrize(
    "text, found",
    [
        ("shop", ["shop/dev/web", "shop/prod/web", "shop/prod/api", "shop/prod/db"]),
        ("shop/prod", ["shop/prod/web", "shop/prod/api", "shop/prod/db"]),
        ("shop/prod/api", ["shop/prod/api"]),
        ("shop/new", []),
        ("shop/*/web", ["shop/dev/web", "shop/prod/web"]),
        ("shop/?ev", ["shop/dev/web"]),
    ],
)
def test_what_is_in_it(text: str, found: list[str]) -> None:
    assert names(within(CATALOG, resolve(CATALOG, text, WIDE))) == found


def test_a_kind_that_is_not_wide_means_none_of_them() -> None:
    assert meant(CATALOG, ["shop"], "service|database", ("", "")) == ()


@pytest.mark.parametrize(
    "pattern, holds",
    [("shop", "shop"), ("shop/prod*", "shop"), ("shop/prod/a*", "shop/prod"), ("*/prod", ""), ("shop/?/x", "shop")],
)
def test_what_holds_all_that_a_pattern_covers(pattern: str, holds: str) -> None:
    assert above(pattern) == holds


@pytest.mark.parametrize(
    "place, kind, tier, stage",
    [
        ("shop", "system", 0, "prod"),
        ("shop/prod", "environment", 0, "prod"),
        ("shop/dev", "environment", 1, "dev"),
        ("shop/new", "environment", 3, "staging"),
        ("shop/prod/api", "service", 1, "prod"),
    ],
)
def test_policy_knows_it_by_the_most_critical_thing_there(place: str, kind: str, tier: int, stage: str) -> None:
    known = traits(CATALOG)[place]
    assert (known.kind, known.tier, known.stage) == (kind, tier, stage)


def test_a_place_comes_back_as_it_was_kept() -> None:
    target = resolve(CATALOG, "shop/prod", WIDE)
    assert Target.model_validate_json(target.model_dump_json()) == target
    assert (target.full_name, target.name, target.type) == ("shop/prod", "", "")


# --- groups

GROUPED = {**SHOP, "default_environment": "prod"}
GROUPED["environments"] = {**SHOP["environments"]}
GROUPED["environments"]["prod"] = {**SHOP["environments"]["prod"], "groups": {"app": ["web", "api"], "web": ["web"]}}
GROUPS = Catalog(systems={"shop": System.model_validate(GROUPED)})
BACK = "service|group|environment|system"


def test_a_group_is_a_target_unless_a_service_has_its_name() -> None:
    assert [str(one) for one in wide(GROUPS) if one.kind == "group"] == ["shop/prod/app"]


@pytest.mark.parametrize(
    "text, default",
    [("app", ("shop", "prod")), ("shop/app", ("", "")), ("shop/app", ("shop", "prod")), ("shop/prod/app", ("", ""))],
)
def test_a_group_is_named_like_a_service(text: str, default: tuple[str, str]) -> None:
    found = resolve(GROUPS, text, BACK, default)
    assert (str(found), found.kind) == ("shop/prod/app", "group")
    assert names(within(GROUPS, found)) == ["shop/prod/web", "shop/prod/api"]


def test_what_is_no_group_is_looked_for_among_services() -> None:
    assert resolve(GROUPS, "api", BACK, ("shop", "prod")).kind == "service"
    assert meant(GROUPS, ["den", "app"], BACK, ("", "")) == ()


def test_a_group_is_as_critical_as_its_most_critical_service() -> None:
    assert traits(GROUPS)["shop/prod/app"].tier == 1
