"""Instants: each reader's own zone where Slack can, UTC where it cannot, and nothing that only looks like one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.times import LATEST_S, element, in_utc, marked, markup, parts
from bot.sandbox.slack.blockkit.surface import message_problems
from tests.doors.slack.harness import NOON, plan, record

SECONDS = int(NOON.timestamp())
DATE = {
    "type": "date",
    "timestamp": SECONDS,
    "format": "{date_short_pretty} {time}",
    "fallback": "2026-11-20 12:00 UTC",
}
MARKUP = f"<!date^{SECONDS}^{{date_short_pretty}} {{time}}|2026-11-20 12:00 UTC>"


def test_both_forms_say_utc_where_nothing_else_can_be_shown() -> None:
    assert (element(NOON), markup(NOON)) == (DATE, MARKUP)


def test_another_zone_is_the_same_instant() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert (element(elsewhere), markup(elsewhere), in_utc(elsewhere)) == (DATE, MARKUP, "2026-11-20 12:00 UTC")


@pytest.mark.parametrize("at", [datetime(1969, 12, 31, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)])
def test_what_no_slack_is_known_to_take_is_text(at: datetime) -> None:
    assert element(at) == {"type": "text", "text": in_utc(at)}
    assert markup(at) == in_utc(at)


PARTS = {
    "none": ("nothing at all", ["nothing at all"]),
    "one": ("held until 2026-11-20 12:00 UTC.", ["held until ", NOON, "."]),
    "two": ("2026-11-20 12:00 UTC to 2026-11-20 12:00 UTC", [NOON, " to ", NOON]),
    "no such day": ("since 2026-02-30 12:00 UTC", ["since ", "2026-02-30 12:00 UTC"]),
    "no such hour": ("2026-11-20 25:00 UTC", ["2026-11-20 25:00 UTC"]),
    "without a zone": ("2026-11-20 12:00", ["2026-11-20 12:00"]),
    "another zone": ("2026-11-20 12:00 CET", ["2026-11-20 12:00 CET"]),
    "within a longer number": ("12026-11-20 12:00 UTC", ["12026-11-20 12:00 UTC"]),
    "digits of another script": ("٢٠٢٦-11-20 12:00 UTC", ["٢٠٢٦-11-20 12:00 UTC"]),
    "nothing to say": ("", []),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts(name: str) -> None:
    text, wanted = PARTS[name]
    assert list(parts(text)) == wanted


def test_a_sentence_keeps_its_words_spaces_and_code() -> None:
    line = blocks.sentence("Held since 2026-11-20 12:00 UTC (`unpin backend 2026-11-20 12:00 UTC`)")
    assert line == (
        {"type": "text", "text": "Held since "},
        DATE,
        {"type": "text", "text": " ("},
        {"type": "text", "text": "unpin backend 2026-11-20 12:00 UTC", "style": {"code": True}},
        {"type": "text", "text": ")"},
    )


def test_what_operations_spell_out_becomes_one_on_the_card() -> None:
    shown = card(record(plan=plan(notes=("Served until 2026-11-20 12:00 UTC.",))))
    assert DATE in [part for block in shown.blocks for part in _inside(block)]
    assert f"Served until {MARKUP}." in shown.text


def _inside(part: object) -> list[object]:
    if isinstance(part, dict):
        return [part, *(one for value in part.values() for one in _inside(value))]
    return [one for item in part for one in _inside(item)] if isinstance(part, list | tuple) else []


def test_marked_leaves_what_is_no_instant() -> None:
    assert marked("at 2026-11-20 12:00 UTC or 2026-13-40 12:00 UTC") == f"at {MARKUP} or 2026-13-40 12:00 UTC"


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_is_taken_by_slack_and_read_back(at: datetime) -> None:
    assert message_problems([blocks.rich((element(at),))]) == []
    minute = at.replace(second=0, microsecond=0)
    assert list(parts(in_utc(at))) == [minute] or at.year < 1000
    assert 0 <= minute.timestamp() <= LATEST_S or markup(at) == in_utc(at)


@given(st.text())
def test_parts_lose_nothing(text: str) -> None:
    assert "".join(one if isinstance(one, str) else in_utc(one) for one in parts(text)) == text
