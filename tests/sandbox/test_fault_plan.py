"""Which fault strikes which call."""

import pytest
from pydantic import ValidationError

from bot.sandbox.faults import CALLS, ROLLOUTS, Fault, Faults

FULL = "projects/p/locations/l/services/web"


def strikes(faults: Faults, calls: int = 5, service: str = FULL, method: str = "UpdateService") -> list[bool]:
    return [bool(faults.strike(CALLS, service, method)) for _ in range(calls)]


@pytest.mark.parametrize(
    ("nth", "times", "struck"),
    [
        (1, 1, [True, False, False, False, False]),
        (3, 1, [False, False, True, False, False]),
        (2, 2, [False, True, True, False, False]),
        (1, 0, [True, True, True, True, True]),
        (4, 0, [False, False, False, True, True]),
    ],
)
def test_nth_and_times(nth: int, times: int, struck: list[bool]) -> None:
    faults = Faults()
    faults.add(Fault(kind="error", nth=nth, times=times))
    assert strikes(faults) == struck


@pytest.mark.parametrize(
    ("service", "method", "struck"),
    [
        ("*", "*", True),
        ("web", "*", True),
        (FULL, "UpdateService", True),
        ("*", "GetService", False),
        ("we", "*", False),
        ("projects/q/locations/l/services/web", "*", False),
    ],
)
def test_service_and_method(service: str, method: str, struck: bool) -> None:
    faults = Faults()
    faults.add(Fault(kind="error", service=service, method=method))
    assert strikes(faults, 1) == [struck]


def test_a_call_without_a_service_is_struck_by_stars_only() -> None:
    faults = Faults()
    faults.add(Fault(kind="error", service="web"))
    faults.add(Fault(kind="hold", method="GetTag"))
    assert list(faults.strike(CALLS, "", "GetTag")) == ["hold"]


def test_of_one_kind_one_strikes_at_a_time_and_the_others_keep_their_count() -> None:
    faults = Faults()
    for code in ("INTERNAL", "ABORTED"):
        faults.add(Fault(kind="error", code=code))
    faults.add(Fault(kind="error", code="UNAVAILABLE", nth=4))
    codes = [faults.strike(CALLS, FULL, "GetService").get("error") for _ in range(5)]
    assert [fault and fault.code for fault in codes] == ["INTERNAL", "ABORTED", None, "UNAVAILABLE", None]


def test_different_kinds_strike_together() -> None:
    faults = Faults()
    faults.add(Fault(kind="hold", seconds=1))
    faults.add(Fault(kind="lose_answer"))
    assert set(faults.strike(CALLS, FULL, "UpdateService")) == {"hold", "lose_answer"}


def test_kinds_that_are_not_asked_for_are_not_counted() -> None:
    faults = Faults()
    faults.add(Fault(kind="stuck_rollout", nth=2))
    strikes(faults)
    assert not faults.strike(ROLLOUTS, FULL, "UpdateService")
    assert faults.strike(ROLLOUTS, FULL, "UpdateService")


def test_what_waits_can_be_seen_and_cleared() -> None:
    faults = Faults()
    assert [faults.add(Fault(kind="error")), faults.add(Fault(kind="hold", nth=2))] == [1, 2]
    faults.strike(CALLS, FULL, "GetService")
    assert [(waiting.id, waiting.seen, waiting.struck) for waiting in faults] == [(2, 1, 0)]
    faults.clear()
    assert strikes(faults, 3) == [False, False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "error", "nth": 0},
        {"kind": "error", "times": -1},
        {"kind": "error", "x": 1},
        {"kind": "error", "code": "OOPS"},
        {"kind": "kill"},
    ],
)
def test_what_is_no_fault(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(wrong)
