"""Times as people write them, read from where they are: a table, and what holds for any."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bot.core.clocktime import FIRST, Standpoint, examples, is_likely, is_written, read
from bot.core.errors import UserError
from bot.core.instants import in_zone

BERLIN, APIA = "Europe/Berlin", "Pacific/Apia"
NOON = "2026-11-20T12:00Z"  # 13:00 in Berlin
MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC",
    BERLIN,
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",  # clocks are changed at midnight
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # four times a year
    "Antarctica/Troll",  # by two hours
    APIA,  # skipped a day
)

PAST = [
    ("14:05", "2026-11-19T13:05Z"),
    ("12:59", "2026-11-20T11:59Z"),
    ("13:00", "2026-11-20T12:00Z"),  # now
    ("13:01", "2026-11-19T12:01Z"),
    ("9:30", "2026-11-20T08:30Z"),
    ("09:30:15", "2026-11-20T08:30:15Z"),
    ("00:00", "2026-11-19T23:00Z"),
    ("14:05 UTC", "2026-11-19T14:05Z"),
    ("11:05 utc", "2026-11-20T11:05Z"),
    ("11:05Z", "2026-11-20T11:05Z"),
    ("11:05+02:00", "2026-11-20T09:05Z"),
    ("11:05 -0330", "2026-11-19T14:35Z"),
    ("11:05 Asia/Tokyo", "2026-11-20T02:05Z"),
    ("07:05 America/Argentina/Buenos_Aires", "2026-11-20T10:05Z"),
    ("yesterday 14:05", "2026-11-19T13:05Z"),
    ("Yesterday 14:05 UTC", "2026-11-19T14:05Z"),
    ("today 08:00", "2026-11-20T07:00Z"),
    ("2026-11-20 08:00", "2026-11-20T07:00Z"),
    ("2026-11-20T08:00", "2026-11-20T07:00Z"),
    ("2026-11-20T08:00Z", "2026-11-20T08:00Z"),
    ("  2026-11-20   08:00  UTC ", "2026-11-20T08:00Z"),
    ("2026-07-01 08:00", "2026-07-01T06:00Z"),
    ("1970-01-01 01:00", "1970-01-01T00:00Z"),
    ("2h", "2026-11-20T10:00Z"),
    ("2H ago", "2026-11-20T10:00Z"),
    ("1h30m", "2026-11-20T10:30Z"),
    ("90s", "2026-11-20T11:58:30Z"),
    ("1w2d", "2026-11-11T12:00Z"),
    ("0m", "2026-11-20T12:00Z"),
]
AHEAD = [
    ("14:05", "2026-11-20T13:05Z"),
    ("13:00", "2026-11-21T12:00Z"),  # now is not to come
    ("12:59", "2026-11-21T11:59Z"),
    ("12:30 UTC", "2026-11-20T12:30Z"),
    ("tomorrow 08:00", "2026-11-21T07:00Z"),
    ("today 18:00", "2026-11-20T17:00Z"),
    ("2027-01-04 08:00", "2027-01-04T07:00Z"),
    ("2h", "2026-11-20T14:00Z"),
    ("in 2h", "2026-11-20T14:00Z"),
    ("3d", "2026-11-23T12:00Z"),
]
NO_TIME = ["", "soon", "yesterday", "14", "14:5", "24:00", "12:60", "12:00:61", "2026-02-30 10:00", "2026-11-20", "h2"]
NO_TIME += ["14:05 CET", "1405", "999999w", "0000-01-01 10:00", "\u0661\u0664:\u0660\u0665", "2 h", "-2h", "1.5h"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def here(now: str = NOON, zone: str = BERLIN) -> Standpoint:
    return Standpoint(zone, at(now))


def refusal(text: str, standpoint: Standpoint, *, ahead: bool = False) -> UserError:
    with pytest.raises(UserError) as caught:
        read(text, standpoint, ahead=ahead)
    return caught.value


@pytest.mark.parametrize("text, meant", PAST)
def test_the_latest_past_one(text: str, meant: str) -> None:
    found = read(text, here())
    assert (found, found.tzinfo) == (at(meant), UTC)


@pytest.mark.parametrize("text, meant", AHEAD)
def test_the_next_one(text: str, meant: str) -> None:
    assert read(text, here(), ahead=True) == at(meant)


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("text", NO_TIME)
def test_what_is_no_time_is_answered_with_how_to_write_one(text: str, ahead: bool) -> None:
    said = str(refusal(text, here(), ahead=ahead))
    assert said == f"`{' '.join(text.split())}` is no time that can be read. Write {examples(ahead=ahead)}."


@pytest.mark.parametrize("text, ahead", [("2h ago", True), ("in 2h", False)])
def test_a_word_that_says_the_other_way(text: str, ahead: bool) -> None:
    assert "is no time that can be read" in str(refusal(text, here(), ahead=ahead))


@pytest.mark.parametrize(
    "text, ahead, says",
    [
        (
            "today 18:00",
            False,
            "`today 18:00` means 2026-11-20 18:00 Europe/Berlin (17:00 UTC), which is in the future: it is 2026-11-20"
            " 13:00 Europe/Berlin (12:00 UTC). Write one that has passed.",
        ),
        ("2026-11-20 12:00:01 UTC", False, "which is in the future"),
        ("tomorrow 01:00", False, "which is in the future"),
        (
            "2026-11-20 08:00",
            True,
            "which is past: it is 2026-11-20 13:00 Europe/Berlin (12:00 UTC). Write one to come.",
        ),
        ("2026-11-20 12:00 UTC", True, "which is past"),
        ("0m", True, "which is past"),
        ("1969-12-31 23:59", False, "`1969-12-31 23:59` is before anything that is known here."),
        ("999999h", False, "is before anything that is known here"),
        ("11:05 Europe/Nowhere", False, "No time zone is called `Europe/Nowhere`. Write UTC, +01:00 or Europe/Berlin."),
        ("11:05 America/Argentina", False, "No time zone is called `America/Argentina`."),
        ("11:05 +99:00", False, "No time zone is called `+99:00`."),
    ],
)
def test_the_wrong_side_is_a_sentence(text: str, ahead: bool, says: str) -> None:
    error = refusal(text, here(), ahead=ahead)
    assert says in str(error) and not error.choices


# --- when clocks are changed: in Berlin on 2026-03-29 at 01:00 UTC to summer time, on 2026-10-25 at 01:00 UTC back

TWICE = ("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00")
NEVER = ("2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00")
CHANGES = [
    ("02:30", "2026-10-25T09:00Z", False, TWICE),
    ("2026-10-25 02:30", "2026-10-25T09:00Z", False, TWICE),
    ("02:30", "2026-10-24T09:00Z", True, TWICE),
    ("02:30", "2026-03-29T09:00Z", False, NEVER),
    ("2026-03-29 02:30", "2026-03-29T09:00Z", False, NEVER),
    ("02:30", "2026-03-28T09:00Z", True, NEVER),
    ("02:30", "2026-03-29T01:10Z", False, NEVER[:1]),  # the other one is to come
    ("02:30", "2026-03-29T00:40Z", True, NEVER[1:]),
]
ALONE = [
    ("02:30", "2026-10-25T00:45Z", False, "2026-10-25T00:30Z"),  # the first has passed, the second not
    ("02:30", "2026-10-25T00:45Z", True, "2026-10-25T01:30Z"),
    ("02:30", "2026-03-29T00:45Z", False, "2026-03-28T01:30Z"),  # clocks are not changed yet
    ("02:30", "2026-03-29T01:10Z", True, "2026-03-30T00:30Z"),
    ("02:00", "2026-03-29T09:00Z", False, ""),
    ("03:00", "2026-03-29T09:00Z", False, "2026-03-29T01:00Z"),
    ("03:00", "2026-10-25T09:00Z", False, "2026-10-25T02:00Z"),
    ("02:30 UTC", "2026-10-25T09:00Z", False, "2026-10-25T02:30Z"),
    ("02:30+02:00", "2026-10-25T09:00Z", False, "2026-10-25T00:30Z"),
]


@pytest.mark.parametrize("text, now, ahead, choices", CHANGES)
def test_what_the_clock_shows_twice_or_never_is_asked(
    text: str, now: str, ahead: bool, choices: tuple[str, ...]
) -> None:
    error = refusal(text, here(now), ahead=ahead)
    assert error.choices == choices
    assert all(f"`{choice}` ({at(choice).astimezone(UTC):%H:%M} UTC)" in str(error) for choice in choices)
    assert ("is there twice" in str(error)) == (choices == TWICE)
    assert [read(choice, here(now), ahead=ahead) for choice in choices] == [at(choice) for choice in choices]


def test_the_whole_question() -> None:
    assert str(refusal("02:30", here("2026-10-25T09:00Z"))) == (
        "`02:30` is there twice on 2026-10-25 in Europe/Berlin, where clocks are put back. Write"
        " `2026-10-25T02:30+02:00` (00:30 UTC) or `2026-10-25T02:30+01:00` (01:30 UTC)."
    )
    assert "is not there on 2026-03-29 in Europe/Berlin, where clocks are put forward" in str(
        refusal("02:30:20", here("2026-03-29T09:00Z"))
    )


def test_seconds_are_kept_in_what_is_asked() -> None:
    assert refusal("02:30:20", here("2026-10-25T09:00Z")).choices[0] == "2026-10-25T02:30:20+02:00"


@pytest.mark.parametrize("text, now, ahead, meant", ALONE)
def test_what_cannot_be_mistaken_is_not_asked(text: str, now: str, ahead: bool, meant: str) -> None:
    if meant:
        assert read(text, here(now), ahead=ahead) == at(meant)
    else:
        assert refusal(text, here(now), ahead=ahead).choices


def test_a_day_that_a_place_skipped() -> None:
    error = refusal("2011-12-30 12:00", here("2012-01-05T00:00Z", APIA))
    assert error.choices == ("2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00")


def test_somebody_whose_zone_is_unknown_is_in_utc() -> None:
    assert read("11:05", here(zone="Mars/Olympus")) == at("2026-11-20T11:05Z")


# --- what is a time at all

WRITTEN = ["14:05", "2h", "2h ago", "in 2h", "yesterday 14:05", "14:05 UTC", "14:05 Europe/Berlin", "99:99"]
LIKELY = [*WRITTEN, "yesterday", "2026-11-20", "14:05 CET", "2026-11-20 at noon", "yesterday at five"]
NAMES = ["backend-00042-bad", "shop-server:12", "42", "v2.14", "yesterdays", "h2", "", "2026", "release 14:05"]


@pytest.mark.parametrize("text", [*LIKELY, *NAMES])
def test_a_time_looks_like_one(text: str) -> None:
    assert is_written(text) == (text in WRITTEN)
    assert is_likely(text) == (text in LIKELY)


@pytest.mark.parametrize("text", ["14:05 shop/prod", "14:05 shop/prod/backend", "14:05 +99:00", "14:05 no"])
def test_what_follows_is_part_of_it_only_if_it_is_a_zone(text: str) -> None:
    assert not is_written(text)


# --- for any

NOWS = st.integers(0, 30 * 366 * 24 * 60).map(lambda minutes: at("2005-01-01T00:00Z") + minutes * MINUTE)
CLOCKS = st.times().map(lambda one: f"{one:%H:%M}")


def shown(instant: datetime, zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(zone)):%H:%M}"


def nearest(clock: str, standpoint: Standpoint, way: timedelta) -> datetime:
    """The same, minute by minute."""
    instant = standpoint.now if way < timedelta(0) else standpoint.now + way
    while shown(instant, standpoint.zone) != clock:
        instant += way
    return instant


def minutes_of(day: date, zone: str) -> list[datetime]:
    """Every minute of a day, and some around it that other zones have there."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    every = (begin + MINUTE * count for count in range(84 * 60))
    return [one for one in every if one.astimezone(ZoneInfo(zone)).date() == day]


@given(NOWS, CLOCKS, st.sampled_from(ZONES), st.booleans())
@example(at("2026-10-25T09:00Z"), "02:30", BERLIN, False)
@example(at("2026-10-24T09:00Z"), "02:30", BERLIN, True)
@example(at("2026-03-29T01:10Z"), "02:30", BERLIN, False)
@example(at("2011-12-31T09:00Z"), "12:00", APIA, False)
@example(at("2026-11-01T12:00Z"), "00:30", "America/Havana", False)
@settings(max_examples=150, deadline=None)
def test_nothing_is_nearer(now: datetime, clock: str, zone: str, ahead: bool) -> None:
    """The answer is the one that a walk from now meets first; what is asked about is there twice that day, or never."""
    standpoint = Standpoint(zone, now)
    met = nearest(clock, standpoint, MINUTE if ahead else -MINUTE)
    try:
        assert read(clock, standpoint, ahead=ahead) == met
    except UserError as error:
        day = date.fromisoformat(re.findall(r"on (\S+) in", str(error))[0])
        times = [one for one in minutes_of(day, zone) if shown(one, zone) == clock]
        assert len(times) == (2 if "twice" in str(error) else 0)
        assert met in times or not times
        assert 1 <= len(error.choices) <= 2


@given(NOWS, st.sampled_from(ZONES), st.integers(0, 60 * 24 * 400), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_shown_reads_back(now: datetime, zone: str, minutes: int, ahead: bool) -> None:
    """Date and clock name one instant, or it is asked which; an offset always names one."""
    meant = now + (minutes + 1) * MINUTE if ahead else now - minutes * MINUTE
    assume(meant > FIRST)
    local, standpoint = meant.astimezone(ZoneInfo(zone)), Standpoint(zone, now)
    exact = local.isoformat(timespec="minutes")
    assert read(exact, standpoint, ahead=ahead) == meant
    try:
        assert read(f"{local:%Y-%m-%d %H:%M}", standpoint, ahead=ahead) == meant
    except UserError as error:
        assert exact in error.choices
    assert f"{meant:%H:%M} UTC" in in_zone(meant, zone)


@given(st.text(st.sampled_from("0129:- +hdsmTZ/abcUTC") | st.characters(), max_size=30), st.booleans())
@example("11:05 ../../etc/passwd", False)
@example("11:05 a/\x00", False)
@example("9999-12-31 23:59 -14:00", True)
@example("0001-01-01 00:00 +14:00", False)
@settings(deadline=None)
def test_any_text_is_a_time_or_a_sentence(text: str, ahead: bool) -> None:
    try:
        assert read(text, here(), ahead=ahead).tzinfo is UTC
        assert is_written(" ".join(text.split()))
    except UserError as error:
        assert str(error).endswith((".", ").")) and len(str(error)) < 400
    is_likely(text)
