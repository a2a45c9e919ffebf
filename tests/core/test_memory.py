"""Where back to: from what we saw, else from what monitoring counted; and what is said when nobody knows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.catalog import Catalog
from bot.core.counts import Counts
from bot.core.errors import Transient, UserError
from bot.core.estate import System
from bot.core.memory import Memory, bar_of
from bot.core.ports import LATEST, Release, Requests, ServiceState
from bot.core.request import Target
from bot.core.system import Serving

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP = {
    "system": "shop",
    "title": "Shop",
    "owner": "us",
    "slo": {"objective_pct": 99.5},
    "rollback": {"min_requests": 500, "max_age": "30d"},
    "environments": {
        "prod": {"stage": "prod", "services": {"web": {"type": "cloud_run", "instances": {"min": 1, "max": 10}}}}
    },
}
CATALOG = Catalog(systems={"shop": System.model_validate(SHOP)})
WEB = CATALOG.target("shop", "prod", "web")
NONE = "No other release is known to have served all traffic well in the last 30 days."

Counted = Mapping[str, tuple[int, int]]  # release to requests and errors, one hour each, the first one is the newest


class History:
    """What we saw ourselves."""

    def __init__(self, counted: Counted) -> None:
        self.counted = counted

    def served(self, target: Target) -> tuple[Serving, ...]:
        return tuple(
            Serving(
                split={release: 100},
                version="7",
                since=NOON - timedelta(hours=hour + 1),
                until=NOON - timedelta(hours=hour),
                total=total,
                errors=errors,
                counted_until=NOON if total else None,
            )
            for hour, (release, (total, errors)) in enumerate(self.counted.items())
        )


class Metrics:
    """What monitoring counted; None: it is away."""

    def __init__(self, counted: Counted | None) -> None:
        self.counted, self.asked = counted, 0

    def lag_s(self, target: Target) -> int:
        return 180

    def requests(self, target: Target, since: datetime, until: datetime, step_s: int) -> tuple[Requests, ...]:
        self.asked += 1
        if self.counted is None:
            raise Transient("503.")
        found = [
            Requests(release=release, until=NOON - timedelta(hours=hour), total=total, errors=errors)
            for hour, (release, (total, errors)) in enumerate(self.counted.items())
        ]
        return tuple(one for one in found if since < one.until <= until)


def release(name: str) -> Release:
    """A name that ends in ! is not ready."""
    return Release(name=name.rstrip("!"), created_at=NOON, ready=not name.endswith("!"))


def memory(
    *,
    own: Counted | None = None,
    counted: Counted | None = None,
    releases: str = "c b a",
    metrics: Metrics | None = None,
    **now: Any,
) -> Memory:
    asked = now.pop("asked", {"c": 100})
    whole = {"serving": asked, "version": "7", "busy": False, "latest_ready": "c", **now}
    state, all_releases = ServiceState(asked=asked, **whole), [release(name) for name in releases.split()]
    counts = Counts(metrics or Metrics(counted), WEB, NOON)
    return Memory(WEB, state, all_releases, bar_of(WEB, CATALOG, NOON), History(own or {}), counts)


GOOD, BAD, FEW, UNSEEN = (1000, 0), (1000, 100), (12, 0), (0, 0)
BAD_B = "Not b: it had 10 % errors, where 0.5 % are allowed."


def test_the_bar_is_the_catalogs() -> None:
    bar = bar_of(WEB, CATALOG, NOON)
    assert (bar.now, bar.max_age, bar.min_requests, bar.error_ratio) == (NOON, timedelta(days=30), 500, 0.005)


@pytest.mark.parametrize(
    "world, expected",
    [
        ({"own": {"c": BAD, "b": GOOD, "a": GOOD}}, "b"),
        ({"own": {"c": BAD, "b": BAD, "a": GOOD}}, "a"),
        ({"own": {"b": GOOD, "c": BAD, "a": GOOD}}, "b"),
        # our own history does not tell: monitoring does
        ({"own": {"c": BAD}, "counted": {"c": BAD, "b": GOOD}}, "b"),
        ({"own": {"c": BAD, "b": FEW}, "counted": {"c": BAD, "b": GOOD}}, "b"),
        ({"own": {"c": BAD, "b": UNSEEN}, "counted": {"c": BAD, "b": BAD, "a": GOOD}}, "a"),
        ({"own": {"c": BAD, "b": BAD, "a": UNSEEN}, "counted": {"a": GOOD}}, "a"),
        ({"own": {"c": BAD, "x": GOOD, "a": UNSEEN}, "counted": {"a": GOOD}}, "a"),
        # monitoring is away: what is not known to be bad
        ({"own": {"c": BAD, "b": FEW, "a": GOOD}}, "b"),
        ({"own": {"c": BAD, "b": UNSEEN, "a": GOOD}}, "b"),
        ({"own": {"c": BAD, "b": BAD, "a": UNSEEN}}, "a"),
        # splits: their members are candidates, too
        ({"asked": {"c": 10, "b": 90}, "own": {"b": GOOD, "a": GOOD}}, "b"),
        ({"asked": {"c": 50, "b": 50}, "own": {"c": GOOD, "b": GOOD}}, "c"),
        ({"asked": {LATEST: 10, "b": 90}, "serving": {"c": 10, "b": 90}, "own": {"b": GOOD}}, "b"),
        # what gets all traffic is no candidate, whether by name or as the newest
        ({"asked": {LATEST: 100}, "serving": {"c": 100}, "own": {"c": GOOD, "b": GOOD}}, "b"),
        # a rollout that has not arrived yet: what still serves is a candidate
        ({"asked": {"c": 100}, "serving": {"b": 100}, "busy": True, "own": {"b": GOOD, "a": GOOD}}, "b"),
        (
            {"asked": {LATEST: 100}, "serving": {"b": 100}, "latest_ready": "b", "busy": True,
             "own": {"b": GOOD, "a": GOOD}},
            "b",
        ),
        (
            {"asked": {LATEST: 100}, "serving": {"b": 100}, "latest_ready": "b", "own": {"b": GOOD, "a": GOOD}},
            "a",
        ),
        # previews, seen by their tag only, take nothing from what served
        ({"own": {"c": BAD}, "counted": {"p": GOOD, "b": GOOD}, "tags": {"try": "p"}, "releases": "p c b"}, "b"),
        ({"own": {"c": BAD}, "counted": {"c": BAD, "b": GOOD}, "tags": {"try": "c"}}, "b"),
    ],
)  # fmt: skip
def test_the_last_good_release(world: dict[str, Any], expected: str) -> None:
    assert memory(**world).last_good().name == expected


@pytest.mark.parametrize(
    "world, says",
    [
        ({"releases": "c"}, "shop/prod/web has no other release to go back to."),
        ({"releases": "", "asked": {}, "latest_ready": ""}, "shop/prod/web has no other release to go back to."),
        (
            {"counted": {}},
            f"{NONE} If you know one that is good, say so: `rollback shop/prod/web --to b`. Newest first: b, a.",
        ),
        (
            {"own": {"c": BAD, "b": BAD}, "counted": {}},
            f"{NONE} {BAD_B} If you know one that is good, say so: `rollback shop/prod/web --to a`."
            " Newest first: b, a.",
        ),
        (
            {"own": {"b": UNSEEN}, "counted": {}, "releases": "c b! a"},
            f"{NONE} Not b: it answered no request, and 500 are needed to tell. If you know one that is good, say so:"
            " `rollback shop/prod/web --to a`. Newest first: b, a.",
        ),
        (
            {},
            f"{NONE} Monitoring cannot be read: 503. If you know one that is good, say so:"
            " `rollback shop/prod/web --to b`. Newest first: b, a.",
        ),
        (
            {"counted": {"b": GOOD}, "tags": {"try": "b", "next": "a"}},
            f"{NONE} What releases with a preview tag answered does not count (a, b). If you know one that is good,"
            " say so: `rollback shop/prod/web --to b`. Newest first: b, a.",
        ),
        (
            {"counted": {"x": GOOD}},
            f"{NONE} x served before, but was deleted since. If you know one that is good, say so:"
            " `rollback shop/prod/web --to b`. Newest first: b, a.",
        ),
        (
            {"counted": {}, "asked": {"c": 10, "b": 90}, "releases": "c b a z y x"},
            f"{NONE} If you know one that is good, say so: `rollback shop/prod/web --to c`."
            " Newest first: c, b, a, z, y.",
        ),
    ],
)
def test_what_to_type_when_nobody_knows(world: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as caught:
        memory(**world).last_good()
    assert str(caught.value) == says


@pytest.mark.parametrize(
    "own, asked", [({"c": BAD, "b": GOOD}, 0), ({"c": BAD, "b": BAD, "a": GOOD}, 0), ({"b": FEW}, 2), ({}, 2)]
)
def test_monitoring_is_asked_only_when_our_own_history_does_not_tell(own: Counted, asked: int) -> None:
    metrics = Metrics({"a": GOOD})
    memory(own=own, metrics=metrics).last_good()
    assert metrics.asked == asked


def test_how_one_release_did_does_not_ask_monitoring() -> None:
    metrics = Metrics({"b": GOOD})
    known = memory(own={"b": FEW}, metrics=metrics)
    past = known.of("b")
    assert (past and past.health, known.of("a"), metrics.asked) == ("few", None, 0)


@pytest.mark.parametrize(
    "world, good, left",
    [
        ({}, "a", ("c",)),
        ({"asked": {"c": 10, "b": 90}}, "b", ("c",)),
        ({"asked": {"c": 10, "b": 90}}, "a", ("c", "b")),
        ({"asked": {LATEST: 100}, "serving": {"b": 100}, "latest_ready": "b", "busy": True}, "b", ("c",)),
        ({"asked": {LATEST: 100}, "serving": {"c": 100}}, "c", ()),
        ({"asked": {"gone": 100}}, "a", ()),
    ],
)
def test_what_is_left_behind(world: dict[str, Any], good: str, left: tuple[str, ...]) -> None:
    assert memory(**world).left_behind(good) == left


def notes(good: str, **world: Any) -> list[str]:
    known = memory(**world)
    assert known.last_good().name == good
    return list(known.notes(good))


def test_notes() -> None:
    assert notes("b", own={"c": BAD, "b": GOOD}) == []
    assert notes("a", own={"c": BAD, "b": BAD, "a": GOOD}) == [BAD_B]
    assert notes("b", own={"c": BAD, "b": FEW}) == ["Monitoring cannot be read: 503."]
    assert notes("b", own={"c": (120_000, 120), "b": GOOD}) == [
        "c answered 120,000 requests with 0.1 % errors while it served all traffic: it may not be the cause."
    ]
