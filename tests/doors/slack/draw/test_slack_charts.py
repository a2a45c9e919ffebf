"""Charts: Slack's own within its limits, the same in words always, and what is left out is said."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer, Series
from bot.doors.slack.draw.answers import answer
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.charts import as_blocks
from tests.doors.slack.draw.test_slack_cards import WORDS, of_type, read, valid
from tests.doors.slack.harness import ANA, NOON, record, request

LOOK = record("answered", request=request(verb="answer", operation="status", text="status backend"), plan=None)


def minutes(count: int, step: int = 1) -> tuple[datetime, ...]:
    return tuple(NOON + timedelta(minutes=step * number) for number in range(count))


def series(lines: dict[str, Any], **changed: Any) -> Series:
    count = max((len(values) for values in lines.values()), default=0)
    told: dict[str, Any] = {"title": "p99", "unit": "ms", "at": minutes(count), "lines": lines}
    return Series(**{**told, **changed})


def shown(*parts: Series) -> Card:
    made = answer(Answer(title="Status", parts=parts), LOOK)
    valid(made)
    return made


def chart(part: Series) -> Block | None:
    """The chart of a series, without the block around it."""
    return next((block["chart"] for block in of_type(shown(part), "data_visualization")), None)


def values(part: Series) -> dict[str, list[float]]:
    made = chart(part)
    assert made is not None
    return {line["name"]: [point["value"] for point in line["data"]] for line in made["series"]}


def test_a_series_is_a_chart_and_the_same_in_words() -> None:
    made = shown(series({"backend": (120.0, 300.0, 480.5), "frontend": (80.0, 90.0, 70.0)}))
    (block,) = of_type(made, "data_visualization")
    assert block == {
        "type": "data_visualization",
        "title": "p99",
        "chart": {
            "type": "line",
            "series": [
                {
                    "name": "backend",
                    "data": [
                        {"label": "13:00", "value": 120.0},
                        {"label": "13:01", "value": 300.0},
                        {"label": "13:02", "value": 480.5},
                    ],
                },
                {
                    "name": "frontend",
                    "data": [
                        {"label": "13:00", "value": 80.0},
                        {"label": "13:01", "value": 90.0},
                        {"label": "13:02", "value": 70.0},
                    ],
                },
            ],
            "axis_config": {"categories": ["13:00", "13:01", "13:02"], "x_label": "CET", "y_label": "ms"},
        },
    }
    assert "backend: 480.5 ms now, between 120 ms and 480.5 ms" in read(made)
    assert "Chart: p99 (ms · CET)\nbackend: 13:00 120, 13:01 300, 13:02 480.5\nfrontend: 13:00 80" in made.text


class TestLeftOut:
    def test_points_where_a_line_has_no_value(self) -> None:
        part = series({"a": (1.0, None, 3.0, 4.0), "b": (1.0, 2.0, math.nan, 4.0)})
        assert values(part) == {"a": [1.0, 4.0], "b": [1.0, 4.0]}
        assert "The chart leaves out 2 of 4 points, where a line has no value." in read(shown(part))

    def test_a_line_without_values_is_told_in_words_alone(self) -> None:
        part = series({"a": (1.0, 2.0), "b": (None, math.inf)})
        assert values(part) == {"a": [1.0, 2.0]}
        assert "b: no values" in read(shown(part))
        assert "leaves out" not in read(shown(part))

    @pytest.mark.parametrize(("count", "points"), [(20, 20), (21, 11), (40, 20), (400, 20), (399, 20), (1000, 20)])
    def test_no_more_than_twenty_points(self, count: int, points: int) -> None:
        part = series({"a": tuple(float(number) for number in range(count))})
        assert len(values(part)["a"]) == points
        size = math.ceil(count / 20)
        assert (f"one of every {size} values" in read(shown(part))) is (count > 20)

    def test_no_spike_and_no_gap_is_smoothed_away(self) -> None:
        calm = [10.0] * 200
        calm[37], calm[144] = 900.0, 0.0
        drawn = values(series({"a": tuple(calm)}))["a"]
        assert (max(drawn), min(drawn), len(drawn)) == (900.0, 0.0, 20)

    def test_labels_are_where_the_values_of_a_point_begin(self) -> None:
        made = chart(series({"a": (1.0,) * 60}))
        assert made is not None
        assert made["axis_config"]["categories"][:3] == ["13:00", "13:03", "13:06"]


NOT_DRAWN = {
    "no lines": series({}),
    "no values": series({"a": (None, None)}),
    "one point": series({"a": (1.0,)}),
    "one point that all have": series({"a": (1.0, None, 3.0), "b": (None, 2.0, 3.0)}),
    "seven lines": series({f"line {number}": (1.0, 2.0) for number in range(7)}),
    "values without instants": series({"a": (1.0, 2.0, 3.0)}, at=minutes(2)),
    "the same instant twice": series({"a": (1.0, 2.0)}, at=(NOON, NOON)),
    "backwards": series({"a": (1.0, 2.0)}, at=minutes(2)[::-1]),
    "names that end alike": series({f"{a}/{'x' * 30}": (1.0, 2.0) for a in "ab"}),
    "names of nothing": series({"": (1.0, 2.0), " ": (1.0, 2.0)}),
}


@pytest.mark.parametrize("name", NOT_DRAWN)
def test_what_makes_no_honest_chart_is_told_in_words_alone(name: str) -> None:
    part = NOT_DRAWN[name]
    assert chart(part) is None
    said = read(shown(part))
    assert all(line in said for line in part.lines if line.strip()) and "The chart" not in said
    assert part.lines or "no values" in said


def test_no_more_than_two_charts_a_message() -> None:
    made = shown(*(series({f"line {number}": (1.0, 2.0)}) for number in range(4)))
    assert len(of_type(made, "data_visualization")) == 2
    assert all(f"line {number}: 2 ms now" in read(made) for number in range(4))


def test_a_long_name_keeps_its_end_and_a_long_title_its_beginning() -> None:
    part = series({"ai-square/prod/backend": (1.0, 2.0), "ai-square/prod/frontend": (1.0, 2.0)}, title="t" * 60)
    assert list(values(part)) == ["…uare/prod/backend", "…are/prod/frontend"]
    (block,) = of_type(shown(part), "data_visualization")
    assert block["title"] == "t" * 49 + "…"


LABELS = {
    "minutes": (minutes(3), "Europe/Berlin", ["13:00", "13:01", "13:02"], "CET"),
    "days": (minutes(3, 24 * 60), "UTC", ["11-20 12:00", "11-21 12:00", "11-22 12:00"], "UTC"),
    "seconds": (
        tuple(NOON + timedelta(seconds=number) for number in range(2)),
        "UTC",
        ["11-20 12:00:00", "11-20 12:00:01"],
        "UTC",
    ),
    "the hour that is there twice": (
        tuple(datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in range(2)),
        "Europe/Berlin",
        ["00:30", "01:30"],
        "UTC",
    ),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_tell_instants_apart(name: str) -> None:
    at, zone, labels, said = LABELS[name]
    part = series({"a": (1.0,) * len(at)}, at=at)
    made = next(b for b in as_blocks(part, ZoneInfo(zone), native=True) if b["type"] == "data_visualization")
    axis = made["chart"]["axis_config"]
    assert (axis["categories"], axis["x_label"]) == (labels, said)


def test_instants_that_no_label_tells_apart_are_told_in_words() -> None:
    at = (NOON, NOON + timedelta(microseconds=5))
    assert chart(series({"a": (1.0, 2.0)}, at=at)) is None


@pytest.mark.parametrize("word", WORDS)
def test_strange_names_are_taken_by_slack(word: str) -> None:
    text = WORDS[word]
    shown(*(series({text: (1.0, 2.0), "b": (3.0, 4.0)}, title=text, unit=text) for _ in range(3)))


@given(
    lines=st.dictionaries(st.text(max_size=30), st.lists(st.none() | st.floats(), max_size=90), max_size=8),
    step_s=st.integers(1, 10**6),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
)
@settings(max_examples=100, deadline=None)
def test_any_series_is_taken_by_slack(lines: dict[str, list[float | None]], step_s: int, zone: str) -> None:
    count = max((len(values) for values in lines.values()), default=0)
    at = tuple(NOON + timedelta(seconds=step_s * number) for number in range(count))
    part = Series(title="p99", unit="ms", at=at, lines={name: tuple(values) for name, values in lines.items()})
    of = record("answered", request=request(actor=ANA.model_copy(update={"zone": zone})), plan=None)
    made = answer(Answer(title="Status", parts=(part,)), of)
    valid(made)
    assert "nan" not in made.text.lower().split()
