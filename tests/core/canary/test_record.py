"""What is kept of a canary: whole minutes, only what changed, as small and as exact as JSON."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally, instant_of, number_of
from tests.core.canary.script import NOON, played

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def minute(number: int, total: int = 60, errors: int = 0) -> Minute:
    arm = Tally(total=total, bad={"errors": errors})
    return Minute(until=NOON + MINUTE * number, canary=arm, stable=arm)


def record(**more: Any) -> CanaryRecord:
    return CanaryRecord(canary="b", stable="a", **{"shifts": (Shift(since=NOON, weight_pct=10),), **more})


@pytest.mark.parametrize("until", [NOON + SECOND, NOON + timedelta(microseconds=1)])
def test_a_minute_is_one_of_the_clock(until: datetime) -> None:
    with pytest.raises(ValidationError, match=r"is within a minute: ask monitoring for whole minutes of the clock"):
        Minute(until=until)


@pytest.mark.parametrize("wrong", [{"until": NOON.replace(tzinfo=None)}, {"until": NOON, "canary": {"total": -1}}])
def test_instants_have_a_zone_and_counts_no_sign(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Minute(**wrong)
    with pytest.raises(ValidationError):
        Tally(total=3, bad={"errors": -1})


@pytest.mark.parametrize(
    ("tally", "tells"),
    [
        (Tally(total=10, bad={"errors": 0}), True),
        (Tally(total=10, bad={"errors": 10}), True),
        (Tally(total=10, bad={"errors": 11}), False),
        (Tally(total=10, bad={"slow": 1}), False),
        (Tally(), True),
        (Tally(bad={"errors": 1}), False),
    ],
)
def test_what_a_tally_tells(tally: Tally, tells: bool) -> None:
    assert tally.tells("errors") is tells


def test_minutes_have_numbers() -> None:
    assert number_of(NOON + 59 * SECOND) == number_of(NOON) == minute(0).number == minute(1).number - 1
    assert instant_of(number_of(NOON)) == NOON
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert Minute(until=elsewhere).number == minute(0).number


def test_shifts_are_in_order() -> None:
    shifts = (Shift(since=NOON, weight_pct=10), Shift(since=NOON - SECOND, weight_pct=25))
    with pytest.raises(ValidationError, match="the shifts are not in the order of time: write the oldest first"):
        record(shifts=shifts)
    with pytest.raises(ValidationError):
        record(shifts=())


def test_a_shift_is_added_and_never_before_the_last() -> None:
    shifted = record().shifted(NOON + MINUTE, 25).shifted(NOON, 50)
    assert [(shift.since - NOON, shift.weight_pct) for shift in shifted.shifts] == [
        (timedelta(0), 10),
        (MINUTE, 25),
        (MINUTE, 50),
    ]
    assert CanaryRecord.model_validate(shifted.model_dump()) == shifted


def test_a_reading_keeps_what_is_new() -> None:
    first = record().read(NOON + 2 * MINUTE, (minute(1), minute(2)))
    again = first.read(NOON + 3 * MINUTE, (minute(3), minute(2), minute(1)))
    assert first.readings == (Reading(at=NOON + 2 * MINUTE, minutes=(minute(1), minute(2))),)
    assert again.readings[1] == Reading(at=NOON + 3 * MINUTE, minutes=(minute(3),))


def test_a_reading_keeps_what_changed_and_what_is_gone() -> None:
    first = record().read(NOON + 2 * MINUTE, (minute(1), minute(2)))
    second = first.read(NOON + 3 * MINUTE, (minute(2, errors=3),))
    assert second.readings[1].minutes == (Minute(until=NOON + MINUTE), minute(2, errors=3))
    third = second.read(NOON + 4 * MINUTE, (minute(2, errors=3),))
    assert third.readings[2].minutes == ()


def test_four_hours_take_little_room() -> None:
    kept = played([{"minutes": 240, "canary": [60, 1, 3], "stable": [540, 5, 27]}], edge_ms=300, lag_s=180)
    text = kept.model_dump_json()
    assert CanaryRecord.model_validate_json(text) == kept
    assert len(text) < 60_000


def test_instants_come_back_in_their_order_whatever_the_zone() -> None:
    kept = record(shifts=(Shift(since=NOON.astimezone(timezone(-timedelta(hours=8))), weight_pct=10),))
    again = CanaryRecord.model_validate_json(kept.model_dump_json())
    assert again.shifts[0].since == NOON and again.shifts[0].since.astimezone(UTC).hour == 12
