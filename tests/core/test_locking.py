"""Locks and freezes: which stop something, and in words."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.locking import announced, own, spoken, stopping
from bot.core.locks import Lock
from bot.core.rules import Freeze

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE = Lock(target="shop", by="ben")
PLACE = Lock(target="shop/prod", by="ana", until=NOON + timedelta(hours=1))
PATTERN = Lock(target="shop/p*/web")
SERVICE = Lock(target="shop/prod/web", reason="incident", since=NOON, by="ana")
PASSED = Lock(target="shop/prod/web", until=NOON)
FROZEN = Lock(target="shop/prod", kind="freeze", reason="audit")
EVERY = (FROZEN, WHOLE, PLACE, SERVICE, PATTERN, PASSED)


def test_the_narrowest_comes_first() -> None:
    assert stopping(EVERY, "deploys", "shop/prod/web", NOON) == (PATTERN, SERVICE, PLACE, WHOLE)
    assert stopping(EVERY, "freeze", "shop/prod/web", NOON) == (FROZEN,)
    assert stopping(EVERY, "deploys", "shop/dev/api", NOON) == (WHOLE,)
    assert stopping(EVERY, "deploys", "blog/live/web", NOON) == ()


@pytest.mark.parametrize(
    "place, found",
    [("shop", WHOLE), ("shop/prod", PLACE), ("shop/p*/web", PATTERN), ("shop/prod/web", SERVICE), ("shop/dev", None)],
)
def test_the_one_of_this_very_place(place: str, found: Lock | None) -> None:
    assert own(EVERY, "deploys", place, NOON) == found


def test_one_whose_time_has_passed_is_none() -> None:
    assert own((PASSED,), "deploys", "shop/prod/web", NOON) is None


@pytest.mark.parametrize(
    "lock, of, said",
    [
        (WHOLE, "", "Locked for deploys by ben, until `unlock shop`."),
        (WHOLE, "shop/prod/web", "Locked for deploys with shop by ben, until `unlock shop`."),
        (PLACE, "", "Locked for deploys by ana, until 2026-11-20 13:00 UTC or `unlock shop/prod`."),
        (
            SERVICE,
            "shop/prod/web",
            "Locked for deploys by ana since 2026-11-20 12:00 UTC, until `unlock shop/prod/web` (incident).",
        ),
        (FROZEN, "shop/prod", "Frozen by somebody, until `unfreeze shop/prod` (audit)."),
    ],
)
def test_in_words(lock: Lock, of: str, said: str) -> None:
    assert spoken(lock, of=of) == said


def test_one_that_the_policies_announce() -> None:
    freeze = Freeze(name="sale", since=NOON, until=NOON + timedelta(days=1), targets=("shop", "blog/*"), reason="sale")
    assert announced(freeze) == "Frozen with shop, blog/* until 2026-11-21 12:00 UTC: sale (sale, in freezes.yaml)."
