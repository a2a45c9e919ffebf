"""Locks: what they stop, where, and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.locks import Kind, Lock
from bot.core.stages import Stage, StageRecord

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BACKEND = "shop/prod/backend"


@pytest.mark.parametrize(
    "lock, kind, stops",
    [
        (Lock(target=BACKEND), "deploys", True),
        (Lock(target=BACKEND), "freeze", False),
        (Lock(target="shop/prod/worker"), "deploys", False),
        (Lock(target="shop/prod"), "deploys", True),
        (Lock(target="shop", kind="freeze"), "freeze", True),
        (Lock(target="shop", kind="freeze"), "deploys", False),
        (Lock(target="shop/prod*", kind="freeze"), "freeze", True),
        (Lock(target="*/staging", kind="freeze"), "freeze", False),
        (Lock(target=BACKEND, until=NOON + timedelta(seconds=1)), "deploys", True),
        (Lock(target=BACKEND, until=NOON), "deploys", False),
    ],
)
def test_what_a_lock_stops(lock: Lock, kind: Kind, stops: bool) -> None:
    assert lock.stops(kind, BACKEND, NOON) is stops


def test_a_target_and_a_freeze_of_it_have_names_of_their_own() -> None:
    assert Lock(target=BACKEND).name == BACKEND
    assert Lock(target=BACKEND, kind="freeze").name == f"freeze {BACKEND}"


@pytest.mark.parametrize("state, left", [("baking", False), ("held", False), ("passed", True), ("broken", True)])
def test_a_stage_is_left_when_it_passed_or_broke(state: str, left: bool) -> None:
    record = StageRecord.model_validate({"operation": "7k3q", "position": 1, "started_at": NOON, "state": state})
    assert record.is_left is left
    assert Stage(weight_pct=10, bake_s=600).max_hold_s == 0
