"""Which minutes are judged, and when: warm-up and lag are left out, each minute is handed out once."""

from datetime import timedelta

import pytest

from bot.core.canary.minutes import Minutes
from bot.core.canary.record import CanaryRecord, Minute, Reading, Shift, Tally
from bot.core.canary.rules import CanaryRules
from tests.core.canary.script import NOON

MINUTE = timedelta(minutes=1)
COUNTED = Tally(total=300, bad={"errors": 0})


def begun(*, since_s: int = 0, lag_s: int = 0, warm_up_s: int = 60) -> Minutes:
    shift = Shift(since=NOON + timedelta(seconds=since_s), weight_pct=50)
    rules = CanaryRules(warm_up_s=warm_up_s)
    minutes = Minutes(CanaryRecord(canary="b", stable="a", rules=rules, lag_s=lag_s, shifts=(shift,)))
    minutes.shift(shift)
    return minutes


def minute(number: int, counted: Tally = COUNTED) -> Minute:
    return Minute(until=NOON + MINUTE * number, canary=counted, stable=counted)


def handed_out(minutes: Minutes) -> list[int]:
    return [one.number - minute(0).number for one in minutes.settle()]


def look(minutes: Minutes, at_s: int, *numbers: int) -> list[int]:
    """The minutes that are handed out after a look so many seconds after noon that found these."""
    minutes.read(Reading(at=NOON + timedelta(seconds=at_s), minutes=tuple(minute(number) for number in numbers)))
    return handed_out(minutes)


@pytest.mark.parametrize(
    ("since_s", "warm_up_s", "first"),
    [(0, 0, 1), (0, 60, 2), (0, 61, 3), (0, 120, 3), (1, 0, 1), (1, 60, 3), (30, 30, 2), (59, 60, 3), (0, 90, 3)],
)
def test_no_minute_is_judged_in_which_the_canary_warmed_up(since_s: int, warm_up_s: int, first: int) -> None:
    minutes = begun(since_s=since_s, warm_up_s=warm_up_s)
    assert look(minutes, 300, 1, 2, 3, 4, 5) == list(range(first, 6))


@pytest.mark.parametrize(
    ("since_s", "warm_up_s", "parts"), [(0, 0, [0, 0]), (1, 0, [0.5, 0]), (59, 0, [0.5, 0]), (1, 60, [0, 0])]
)
def test_of_a_minute_with_a_shift_it_is_told(since_s: int, warm_up_s: int, parts: list[float]) -> None:
    minutes = begun(since_s=since_s, warm_up_s=warm_up_s)
    assert [minutes.least_part(minute(number).number) for number in (1, 2)] == parts


def test_of_two_shifts_in_a_minute_the_larger_counts() -> None:
    minutes = begun(since_s=10, warm_up_s=0)
    for weight in (80, 20):
        minutes.shift(Shift(since=NOON + timedelta(seconds=20), weight_pct=weight))
    assert minutes.least_part(minute(1).number) == 0.8
    assert look(minutes, 60, 1) == [1]


def test_what_was_before_the_canary_is_not_judged() -> None:
    assert look(begun(), 240, -3, -2, -1, 0, 1, 2, 3, 4) == [2, 3, 4]


def test_minutes_that_are_still_counted_wait() -> None:
    minutes = begun(lag_s=180)
    assert look(minutes, 300, 1, 2, 3, 4, 5) == [2]
    assert look(minutes, 359) == []
    assert look(minutes, 360) == [3]
    assert look(minutes, 480, 6, 7, 8) == [4, 5]


def test_a_step_warms_up_again_and_what_was_handed_out_stays() -> None:
    minutes = begun()
    assert look(minutes, 240, 2, 3, 4) == [2, 3, 4]
    minutes.shift(Shift(since=NOON + 4 * MINUTE, weight_pct=100))
    assert look(minutes, 420, 5, 6, 7) == [6, 7]


@pytest.mark.parametrize(("number", "afresh"), [(1, False), (2, True), (4, True), (5, False), (6, False), (7, False)])
def test_only_what_changes_a_minute_that_was_judged_begins_afresh(number: int, afresh: bool) -> None:
    minutes = begun()
    assert look(minutes, 300, 2, 3, 4) == [2, 3, 4]
    changed = minute(number, Tally(total=301, bad={"errors": 0}))
    assert minutes.read(Reading(at=NOON + 5 * MINUTE, minutes=(changed,))) is afresh
    assert handed_out(minutes) == ([2, 3, 4] if afresh else [5] * (number == 5))


def test_what_nobody_expects_yet_is_no_trouble() -> None:
    minutes = begun(lag_s=180)
    for at_s in (60, 180, 300, 359, 419):
        assert look(minutes, at_s) == []
        trouble = minutes.trouble()
        assert trouble and trouble.why == "no data"
    assert look(minutes, 420) == []
    trouble = minutes.trouble()
    assert trouble and trouble.why == "late"


def test_of_several_troubles_the_latest_is_told() -> None:
    minutes = begun()
    look(minutes, 300, 2, 3, 4, 5)
    for at_s, number, counted in ((300, 3, Tally(total=9)), (360, 6, Tally(total=5, bad={"errors": 6}))):
        minutes.read(Reading(at=NOON + timedelta(seconds=at_s), minutes=(minute(number, counted),)))
        minutes.settle()
    trouble = minutes.trouble()
    assert trouble and trouble.why == "contradictory"


def test_trouble_in_the_past_is_not_kept_for_ever() -> None:
    """However long a canary takes, what is remembered is that of the last minutes."""
    minutes = begun()
    for number in range(2, 600, 2):
        look(minutes, number * 60, number)
    assert len(minutes._absent) <= 10
