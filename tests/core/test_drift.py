"""Differences from the catalog: what counts as one, and what mends it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.catalog import Catalog
from bot.core.compute import CloudRun
from bot.core.drift import Difference, beside, differences, untold
from bot.core.errors import Transient
from bot.core.estate import System
from bot.core.ports import Release, SecretUse, ServiceState
from bot.core.request import Target

NAME = "shop/prod/till"
SAID = {"cpu": 2, "memory": "1Gi", "concurrency": 80}
LIVE = {"min_instances": 1, "max_instances": 10, "cpu": 2, "memory_mb": 1024, "concurrency": 80}


def entry(**more: Any) -> CloudRun:
    return CloudRun.model_validate({"type": "cloud_run", "instances": {"min": 1, "max": 10}, **more})


def state(**more: Any) -> ServiceState:
    whole = {"asked": {"LATEST": 100}, "serving": {"c": 100}, "latest_ready": "c", "version": "7", "busy": False}
    return ServiceState.model_validate({**whole, **more})


def release(name: str = "c", **more: Any) -> Release:
    return Release(name=name, created_at=datetime(2026, 11, 20, tzinfo=UTC), ready=True, **more)


def found(one: CloudRun, now: ServiceState, *releases: Release) -> list[Difference]:
    return list(differences(NAME, one, now, releases))


# --- size


@pytest.mark.parametrize(
    ("live", "said", "is_", "mended"),
    [
        ({"min_instances": 0}, "at least 1 instance", "at least 0 instances", "--min 1"),
        ({"max_instances": 100}, "at most 10 instances", "at most 100 instances", "--max 10"),
        ({"cpu": 0.5}, "2 CPU", "0.5 CPU", "--cpu 2"),
        ({"memory_mb": 512}, "1 GiB memory", "512 MiB memory", "--memory 1024Mi"),
        ({"concurrency": 1}, "80 requests at a time each", "1 request at a time each", "--concurrency 80"),
        (
            {"min_instances": 2, "cpu": 1},
            "at least 1 instance, 2 CPU",
            "at least 2 instances, 1 CPU",
            "--min 1 --cpu 2",
        ),
    ],
)
def test_another_size_and_the_command_that_mends_it(live: dict[str, Any], said: str, is_: str, mended: str) -> None:
    (one,) = found(entry(**SAID), state(**LIVE | live))
    assert one == Difference("size", said, is_, f"scale {NAME} {mended}")


@pytest.mark.parametrize("live", [{}, dict.fromkeys(LIVE), {"cpu": None, "memory_mb": None}])
def test_what_is_not_told_does_not_differ(live: dict[str, Any]) -> None:
    assert found(entry(**SAID), state(**LIVE | live)) == []


def test_what_is_not_told_is_named() -> None:
    assert untold(entry(**SAID), state(**LIVE)) == ()
    assert untold(entry(**SAID), state(**LIVE | {"max_instances": None, "cpu": None})) == ("most instances", "CPU")
    assert untold(entry(), state(min_instances=1, max_instances=10)) == ()


@given(st.integers(0, 5), st.integers(1, 9))
def test_any_scheduled_bounds_will_do_as_a_pair(least: int, most: int) -> None:
    day = {"days": ["monday"], "start": "08:00", "end": "18:00"}
    one = entry(schedule=[{"min": 4, "max": 8, **day}, {"min": 0, "max": 0, **day}])
    now = state(min_instances=least, max_instances=most)
    pairs = {(1, 10), (4, 8), (0, 1)}  # no platform lets a service have none at most
    assert bool(found(one, now)) == ((least, most) not in pairs)


# --- what it is made of


@pytest.mark.parametrize(
    ("said", "image", "differs"),
    [
        ("gcr.io/p/till", "gcr.io/p/till@sha256:" + "a" * 64, False),
        ("gcr.io/p/till:latest", "gcr.io/p/till:1.42", False),
        ("gcr.io/p/till", "gcr.io/p/till:1.42@sha256:" + "a" * 64, False),
        ("localhost:5000/till", "localhost:5000/till:1", False),
        ("till", "till:1", False),
        ("gcr.io/p/till", "us.gcr.io/p/till", True),
        ("gcr.io/p/till", "gcr.io/p/till-canary:1", True),
        ("localhost:5000/till", "localhost:5001/till", True),
        ("", "gcr.io/p/anything", False),
        ("gcr.io/p/till", "", False),
    ],
)
def test_where_images_come_from(said: str, image: str, differs: bool) -> None:
    assert bool(found(entry(image=said), state(), release(image=image))) == differs


def test_an_image_of_two_releases_is_one_difference() -> None:
    both = (release("c", image="x/a:1"), release("b", image="x/a:2"), release("a", image="x/b"))
    one = found(entry(image="x/b"), state(serving={"c": 50, "b": 50}), *both)
    assert one == [Difference("image", "x/b", "x/a")]


@pytest.mark.parametrize(
    ("said", "used", "differs"),
    [
        (["db"], ["db"], []),
        (["db"], ["projects/7/secrets/db"], []),
        (["db"], [], [("db", "not used")]),
        (["db"], ["db", "jwt"], [("not named", "jwt")]),
        ([], ["jwt"], []),  # nothing is said of secrets
    ],
)
def test_secrets(said: list[str], used: list[str], differs: list[tuple[str, str]]) -> None:
    uses = tuple(SecretUse(secret=one, version="latest") for one in used)
    assert found(entry(secrets=said), state(), release(secrets=uses)) == [Difference("secret", *one) for one in differs]


def test_a_release_that_is_gone_uses_nothing() -> None:
    assert found(entry(secrets=["db"], schema_label="schema"), state(), release("a")) == []


@pytest.mark.parametrize("labels, differs", [({"schema": "7"}, False), ({}, True), ({"other": "7"}, True)])
def test_the_label_of_the_schema(labels: dict[str, str], differs: bool) -> None:
    one = found(entry(schema_label="schema"), state(), release(labels=labels))
    assert one == ([Difference("schema", "label schema", "no such label on c")] if differs else [])


# --- what else runs there


def catalog() -> Catalog:
    run = {"type": "cloud_run", "instances": {"min": 1, "max": 2}}
    places = {
        "prod": {"stage": "prod", "project": "p", "region": "r", "services": {"till": run, "web": run}},
        "test": {"stage": "dev", "project": "p", "region": "r", "services": {"try": run}},
        "far": {"stage": "prod", "project": "p", "region": "far", "services": {"till": run}},
    }
    whole = {"system": "shop", "title": "Shop", "owner": "us", "environments": places}
    return Catalog(systems={"shop": System.model_validate(whole)})


class Region:
    """Lists what runs in each region."""

    def __init__(self, **running: Iterable[str]) -> None:
        self._running, self.asked = running, list[str]()

    def places_beside(self, target: Target) -> tuple[dict[str, str], ...]:
        self.asked.append(target.full_name)
        if target.place["region"] not in self._running:
            raise Transient("503 from the platform")
        return tuple({**target.place, "service": name} for name in self._running[target.place["region"]])


def test_what_no_environment_has_is_found_once() -> None:
    whole, region = catalog(), Region(r=("till", "web", "try", "miner"), far=("till", "web"))
    one = beside(whole.targets(), region, whole)  # type: ignore[arg-type]
    assert [(target.full_name, name) for target, name in one.found] == [
        ("shop/prod/till", "miner"),
        ("shop/far/till", "web"),
    ]
    assert region.asked == ["shop/prod/till", "shop/far/till"], "whoever was listed need not be asked"


def test_of_one_that_is_not_there_its_place_is_listed_too() -> None:
    whole, region = catalog(), Region(r=("miner",), far=())
    one = beside(whole.targets(), region, whole)  # type: ignore[arg-type]
    assert [name for _, name in one.found] == ["miner"]


def test_who_cannot_list_says_why_once() -> None:
    whole = catalog()
    one = beside(whole.targets(), Region(), whole)  # type: ignore[arg-type]
    assert one == ((), ("503 from the platform",))
