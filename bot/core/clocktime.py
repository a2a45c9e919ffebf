"""What people mean by a time: "14:05" on their own clock, a day with it, an offset or zone with it, or "2h".

A time without a day is the nearest one: the latest that has passed or, where a time ahead is wanted, the next. What
the clock shows twice, or skips, when clocks are changed is asked about. Rules of zones: the IANA database, by zoneinfo.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.core.errors import UserError
from bot.core.instants import in_zone, zone_of

SHOWN = 40  # characters of what was typed that an answer repeats
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
FIRST = datetime(1970, 1, 1, tzinfo=UTC)  # nothing that is operated is older
_CLOCK = r"(?P<hour>\d\d?):(?P<minute>\d\d)(:(?P<second>\d\d))?"
_DAY = r"(?P<day>yesterday|today|tomorrow|\d{4}-\d\d-\d\d)"
_ZONE = r"(?P<zone>Z|UTC|[+-]\d\d:?\d\d(:\d\d)?|[A-Z_]+(/[\w+-]+)+)"
_FACE = re.compile(rf"({_DAY}[ T])?{_CLOCK}( ?{_ZONE})?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(?P<ahead>in )?(?P<span>(\d{1,6}[smhdw])+)(?P<ago> ago)?", re.ASCII | re.IGNORECASE)
_LIKELY = re.compile(r"((yesterday|today|tomorrow)\b|\d\d?:\d\d\b|\d{4}-\d\d-\d\d\b).*", re.ASCII | re.IGNORECASE)


class Standpoint(NamedTuple):
    """Whose clock is meant: an IANA zone, and what time it is."""

    zone: str
    now: datetime


def is_written(text: str) -> bool:
    """Whether this is the whole of a time, in a zone that there is; it may still be no time of any day."""
    face = _FACE.fullmatch(text)
    return bool(_SPAN.fullmatch(text)) or bool(face and (not face["zone"] or _zone(face["zone"])))


def is_likely(text: str) -> bool:
    """Whether somebody who writes this means a time, and no name."""
    return is_written(text) or bool(_LIKELY.fullmatch(text))


def examples(*, ahead: bool) -> str:
    """How times are written, as a sentence goes on."""
    day, side = ("tomorrow", "from now") if ahead else ("yesterday", "ago")
    return f"14:05, 14:05 UTC, {day} 14:05, 2026-11-20 14:05, or 2h for two hours {side}"


def read(text: str, here: Standpoint, *, ahead: bool = False) -> datetime:
    """The instant, in UTC, that somebody at `here` means: one that has passed or, with `ahead`, one to come.

    Raises UserError that says what to write instead; `choices` are the two instants that may be meant.
    """
    said = " ".join(text.split())
    try:
        return _Reading(said, here, ahead).instant()
    except (ValueError, OverflowError):
        how = f"`{said[:SHOWN]}` is no time that can be read. Write {examples(ahead=ahead)}."
        raise UserError(how) from None


class _Reading:
    """One text, at one standpoint."""

    def __init__(self, said: str, here: Standpoint, ahead: bool) -> None:
        self._said, self._ahead = said, ahead
        self._now, self._own = here.now, here.zone

    def instant(self) -> datetime:
        """Raises UserError; and ValueError or OverflowError for what is no time."""
        if span := _SPAN.fullmatch(self._said):
            return self._right(self._now + _span(span, self._ahead))
        face = _FACE.fullmatch(self._said)
        if not face:
            raise ValueError(self._said)
        zone = _zone(face["zone"]) if face["zone"] else zone_of(self._own)
        if zone is None:
            raise UserError(f"No time zone is called `{face['zone'][:SHOWN]}`. Write UTC, +01:00 or Europe/Berlin.")
        clock = time(int(face["hour"]), int(face["minute"]), int(face["second"] or 0))
        if face["day"]:
            return self._right(self._on(_day(face["day"].lower(), self._now.astimezone(zone).date()), clock, zone))
        return self._nearest(clock, zone)

    def _on(self, day: date, clock: time, zone: tzinfo) -> datetime:
        """The instant at which a day's clock shows a time."""
        found = _instants(day, clock, zone)
        if len(found) == 1:
            return found[0]
        raise self._question(day, clock, zone)

    def _nearest(self, clock: time, zone: tzinfo) -> datetime:
        """The latest instant that has passed, or the next one, at which a clock shows a time."""
        local = self._now.astimezone(zone)
        way = timedelta(days=1 if self._ahead else -1)
        day = local.date() - way  # a day may begin again when clocks are put back
        while True:
            found = [one for one in _instants(day, clock, zone) if self._fits(one)]
            if len(found) == 1:
                return found[0]
            if found or self._is_skipped(day, clock, zone, local.replace(tzinfo=None)):
                raise self._question(day, clock, zone)
            day += way

    def _is_skipped(self, day: date, clock: time, zone: tzinfo, face: datetime) -> bool:
        """Whether the day's clock never shows the time, and by the `face` of the clock now it should be the nearest."""
        wanted = datetime.combine(day, clock)
        return not _instants(day, clock, zone) and (wanted > face if self._ahead else wanted < face)

    def _fits(self, at: datetime) -> bool:
        return at > self._now if self._ahead else at <= self._now

    def _right(self, at: datetime) -> datetime:
        """Raises UserError for an instant on the wrong side of now, or before any that matters."""
        if at < FIRST:
            raise UserError(f"`{self._said}` is before anything that is known here.")
        if self._fits(at):
            return at
        wrong, wanted = ("past", "one to come") if self._ahead else ("in the future", "one that has passed")
        meant, now = in_zone(at, self._own), in_zone(self._now, self._own)
        raise UserError(f"`{self._said}` means {meant}, which is {wrong}: it is {now}. Write {wanted}.")

    def _question(self, day: date, clock: time, zone: tzinfo) -> UserError:
        """Which of two is meant: the two that the clock shows, or what is as far from the change of clocks."""
        is_twice, both = bool(_instants(day, clock, zone)), _around(day, clock, zone)
        local = [one.astimezone(zone) for one in both if self._fits(one)] or [one.astimezone(zone) for one in both]
        choices = {one.isoformat(timespec="seconds" if one.second else "minutes"): one for one in local}
        written = " or ".join(f"`{word}` ({one.astimezone(UTC):%H:%M} UTC)" for word, one in choices.items())
        why = ("is there twice", "put back") if is_twice else ("is not there", "put forward")
        said = f"`{self._said}` {why[0]} on {day} in {zone}, where clocks are {why[1]}. Write {written}."
        return UserError(said, choices=tuple(choices))


def _span(span: re.Match[str], ahead: bool) -> timedelta:
    """How far from now. Raises ValueError for a word that says the other way."""
    if span["ago" if ahead else "ahead"]:
        raise ValueError(span[0])
    seconds = sum(int(number) * SECONDS[unit.lower()] for number, unit in re.findall(r"(\d+)(\D)", span["span"]))
    return timedelta(seconds=seconds if ahead else -seconds)


def _day(said: str, today: date) -> date:
    return today + timedelta(days=DAYS[said]) if said in DAYS else date.fromisoformat(said)


def _zone(name: str) -> tzinfo | None:
    """Of "Z", "UTC", "+01:00" or an IANA name; None when there is none."""
    if name.upper() in ("Z", "UTC"):
        return UTC
    try:
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo if name[0] in "+-" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _instants(day: date, clock: time, zone: tzinfo) -> list[datetime]:
    """Every instant at which the clock there shows this, in order: one, two when clocks are put back, or none."""
    wanted = datetime.combine(day, clock)
    return [at for at in _around(day, clock, zone) if at.astimezone(zone).replace(tzinfo=None, fold=0) == wanted]


def _around(day: date, clock: time, zone: tzinfo) -> list[datetime]:
    """The same by the offset before and by the one after a change of clocks, whether or not the clock shows it."""
    return sorted({datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)})
