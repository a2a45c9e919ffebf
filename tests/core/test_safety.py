"""Whether traffic may go to a release: each look, what it finds, and how sure that is."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from bot.core.catalog import Catalog
from bot.core.errors import BotError, Forbidden, NotFound, Permanent, Transient
from bot.core.estate import System
from bot.core.lastgood import Health, Past
from bot.core.plan import Finding
from bot.core.ports import Image, Release, SecretUse, ServiceState
from bot.core.request import Target
from bot.core.safety import can_start, can_take, fits, served_well

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS_30 = timedelta(days=30)
DIGEST = f"sha256:{'4f' * 32}"
RUN = {"type": "cloud_run", "instances": {"min": 1, "max": 10}}
SHOP = {
    "system": "shop",
    "title": "Shop",
    "owner": "us",
    "environments": {"prod": {"stage": "prod", "services": {"backend": RUN | {"schema_label": "schema"}, "web": RUN}}},
}
CATALOG = Catalog(systems={"shop": System.model_validate(SHOP)})
BACKEND, WEB = CATALOG.target("shop", "prod", "backend"), CATALOG.target("shop", "prod", "web")


class Registry:
    """Has every image, or fails."""

    def __init__(self, error: BotError | None = None) -> None:
        self.error = error
        self.asked: list[str] = []

    def image(self, target: Target, reference: str) -> Image:
        self.asked.append(reference)
        if self.error:
            raise self.error
        return Image(digest=DIGEST)


class Secrets:
    """What each secret is; an error is raised. Those that are not named are enabled."""

    def __init__(self, states: Mapping[str, str | BotError] | None = None) -> None:
        self.states = states or {}
        self.asked: list[str] = []

    def secret_state(self, target: Target, secret: SecretUse) -> Any:
        self.asked.append(secret.secret)
        state = self.states.get(secret.secret, "enabled")
        if isinstance(state, BotError):
            raise state
        return state


def release(name: str = "a", *, secrets: str = "", **more: Any) -> Release:
    uses = tuple(SecretUse(secret=secret, version="3") for secret in secrets.split())
    whole = {"created_at": NOW - timedelta(days=3), "ready": True, "image": f"gcr.io/p/backend@{DIGEST}"}
    return Release(name=name, secrets=uses, **{**whole, **more})


def said(findings: Any) -> list[tuple[str, str, str]]:
    return [(one.level, one.subject, one.sentence) for one in findings]


READABLE = ("good", "image", "image sha256:4f4f4f4f4f4f is in the registry")


@pytest.mark.parametrize(
    "made, error, level, sentence",
    [
        (release(), None, "good", "image sha256:4f4f4f4f4f4f is in the registry"),
        (
            release(),
            NotFound("gone"),
            "bad",
            "its image backend@sha256:4f4f4f4f4f4f is gone from the registry: no new instance can start",
        ),
        (
            release(image="gcr.io/p/backend:v41"),
            NotFound("gone"),
            "bad",
            "its image backend:v41 is gone from the registry: no new instance can start",
        ),
        (
            release(image="gcr.io/p/backend:v41"),
            None,
            "risk",
            "its image backend:v41 is named by a tag, which may mean another image by now",
        ),
        (release(), Transient("503"), "risk", "its image could not be looked up: 503"),
        (release(image=""), NotFound("never asked"), "risk", "which image it runs is not known"),
    ],
)
def test_image(made: Release, error: BotError | None, level: str, sentence: str) -> None:
    assert said(can_start(BACKEND, made, Registry(error), Secrets())) == [(level, "image", sentence)]


@pytest.mark.parametrize(
    "reason, says", [("it crashed", "a is not ready: it crashed"), ("", "a is not ready: no reason is given")]
)
def test_readiness(reason: str, says: str) -> None:
    found = said(can_start(BACKEND, release(ready=False, reason=reason), Registry(), Secrets()))
    assert found == [("bad", "release", says), READABLE]


@pytest.mark.parametrize(
    "states, expected",
    [
        ({}, [("good", "secret db version 3 is enabled"), ("good", "secret key version 3 is enabled")]),
        (
            {"db": "disabled"},
            [
                ("bad", "secret db version 3 is disabled: no new instance can start"),
                ("good", "secret key version 3 is enabled"),
            ],
        ),
        (
            {"db": NotFound("gone"), "key": "destroyed"},
            [
                ("bad", "secret db version 3 no longer exists: no new instance can start"),
                ("bad", "secret key version 3 is destroyed: no new instance can start"),
            ],
        ),
        (
            {"db": Forbidden("aisq may not look at secrets")},
            [("risk", "secret db version 3 could not be looked up: aisq may not look at secrets")],
        ),
        (
            {"key": Transient("503")},
            [
                ("good", "secret db version 3 is enabled"),
                ("risk", "secret key version 3 could not be looked up: 503"),
            ],
        ),
    ],
)
def test_secrets(states: dict[str, str | BotError], expected: list[tuple[str, str]]) -> None:
    found = said(can_start(BACKEND, release(secrets="db key"), Registry(), Secrets(states)))
    assert found == [READABLE, *((level, "secrets", sentence) for level, sentence in expected)]


def test_who_does_not_answer_once_is_not_asked_for_each() -> None:
    secrets = Secrets({"db": Permanent("away")})
    list(can_start(BACKEND, release(secrets="db key third"), Registry(), secrets))
    assert secrets.asked == ["db"]


@pytest.mark.parametrize(
    "most, serving, expected",
    [
        (None, [10], None),
        (10, [10], ("good", "up to 10 instances, no fewer than now")),
        (10, [2, 5], ("good", "up to 10 instances, no fewer than now")),
        (10, [], ("good", "up to 10 instances, no fewer than now")),
        (2, [1, 10], ("risk", "a runs at most 2 instances; what serves now, up to 10")),
        (2, [1, None], ("risk", "a runs at most 2 instances; what serves now has no limit")),
    ],
)
def test_capacity(most: int | None, serving: list[int | None], expected: tuple[str, str] | None) -> None:
    left = [release(f"b{number}", max_instances=one) for number, one in enumerate(serving)]
    found = [(one.level, one.sentence) for one in fits(release(max_instances=most), left, "")]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    "needed, serving, expected",
    [
        ("7", ["7"], ("good", "needs database schema 7, as what serves now")),
        ("7", ["7", "7"], ("good", "needs database schema 7, as what serves now")),
        (
            "7",
            ["9"],
            (
                "risk",
                "needs database schema 7, what serves now 9: safe only if the migrations between only added things",
            ),
        ),
        (
            "7",
            ["9", "8"],
            (
                "risk",
                "needs database schema 7, what serves now 8, 9: safe only if the migrations between only added things",
            ),
        ),
        (None, ["9"], ("risk", "label schema is missing on a: which database schema is needed is not known")),
        ("7", [None], ("risk", "label schema is missing on b0: which database schema is needed is not known")),
        (
            None,
            ["9", None],
            ("risk", "label schema is missing on a and b1: which database schema is needed is not known"),
        ),
        ("7", [], None),
    ],
)
def test_schema(needed: str | None, serving: list[str | None], expected: tuple[str, str] | None) -> None:
    def labelled(name: str, label: str | None) -> Release:
        return release(name, labels={"schema": label} if label else {})

    left = [labelled(f"b{number}", label) for number, label in enumerate(serving)]
    found = [(one.level, one.sentence) for one in fits(labelled("a", needed), left, "schema")]
    assert found == ([expected] if expected else [])


def past(health: Health) -> Past:
    return Past(release="a", until=NOW, total=900, errors=0, health=health)


@pytest.mark.parametrize("health, level", [("good", "good"), ("few", "risk"), ("bad", "risk"), ("unknown", "risk")])
def test_how_it_served(health: Health, level: Literal["good", "risk"]) -> None:
    old = release(created_at=NOW - timedelta(days=400))
    assert list(served_well(past(health), old, NOW, DAYS_30)) == [
        Finding(level=level, subject="health", sentence=past(health).sentence(), unread=health in ("few", "unknown"))
    ]


@pytest.mark.parametrize(
    "days, more",
    [
        (30, []),
        (31, [("risk", "age", "it was deployed 31 days ago; what it talks to may have moved on")]),
    ],
)
def test_what_is_not_known_to_have_served(days: int, more: list[tuple[str, str, str]]) -> None:
    found = served_well(None, release(created_at=NOW - timedelta(days=days)), NOW, DAYS_30)
    assert said(found) == [("risk", "health", "a is not known to have served all traffic before"), *more]


def state(serving: dict[str, int]) -> ServiceState:
    return ServiceState(asked=serving, serving=serving, version="7", busy=False)


@pytest.mark.parametrize(
    "wanted, serving, looked_at",
    [
        ({"a": 100}, {"b": 100}, ["a"]),
        ({"a": 100}, {"a": 90, "b": 10}, ["a"]),
        ({"a": 50, "b": 50}, {"a": 100}, ["b"]),
        ({"a": 1, "b": 99}, {"b": 100}, ["a"]),
        ({"a": 20, "b": 80}, {"a": 10, "c": 90}, ["a", "b"]),
        ({"a": 100}, {"a": 100}, []),
        ({"a": 90, "b": 10}, {"a": 90, "b": 10}, []),
    ],
)
def test_only_what_gains_traffic_is_looked_at(
    wanted: dict[str, int], serving: dict[str, int], looked_at: list[str]
) -> None:
    releases = [release(name, image=f"gcr.io/p/{name}@{DIGEST}") for name in "abc"]
    registry = Registry()
    can_take(BACKEND, wanted, state(serving), releases, CATALOG, registry, Secrets())
    assert registry.asked == [f"gcr.io/p/{name}@{DIGEST}" for name in looked_at]


@pytest.mark.parametrize("target, subjects", [(BACKEND, ["image", "capacity", "schema"]), (WEB, ["image", "capacity"])])
def test_the_schema_matters_where_the_catalog_says_so(target: Target, subjects: list[str]) -> None:
    releases = [release("a", max_instances=4), release("b", max_instances=9)]
    found = can_take(target, {"a": 100}, state({"b": 100}), releases, CATALOG, Registry(), Secrets())
    assert [one.subject for one in found] == subjects
    assert found[1].sentence == "a runs at most 4 instances; what serves now, up to 9"


def test_only_what_serves_is_compared_with() -> None:
    releases = [release("a", max_instances=4), release("b", max_instances=4), release("idle", max_instances=99)]
    found = can_take(WEB, {"a": 100}, state({"b": 100}), releases, CATALOG, Registry(), Secrets())
    assert found[1].sentence == "up to 4 instances, no fewer than now"
