"""Series: a chart of Slack's own where one fits, and always the same in words.

Up to six lines of up to twenty points, two charts a message (docs.slack.dev, "Data visualization block"; the points and
the two are what other libraries hold to). Each line needs a value for every label, and a label is plain text: it cannot
follow a reader's zone, so the axis names the zone that it is in.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

from bot.core.answer import Series
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.blocks import Block
from bot.doors.slack.draw.foreign import clean

MOST_CHARTS, MOST_LINES, MOST_POINTS = 2, 6, 20
TITLE, LABEL, AXIS = 50, 20, 50
FORMATS = ("%H:%M", "%m-%d %H:%M", "%m-%d %H:%M:%S")
DAY = timedelta(days=1)
Values = Sequence[float | None]


class _Points(NamedTuple):
    """What is drawn: instants, a value at each for every line, and what was left out, as sentences."""

    at: tuple[datetime, ...]
    lines: dict[str, tuple[float, ...]]
    said: tuple[str, ...]


def as_blocks(series: Series, zone: tzinfo, *, native: bool) -> Iterator[Block]:
    """The series under its title: as a chart where `native` and Slack's limits allow it, and always in words."""
    lines = {name: [one if _finite(one) else None for one in values] for name, values in series.lines.items()}
    points = _points(series.at, {name: values for name, values in lines.items() if any(map(_finite, values))})
    chart = _chart(series, points, zone) if points and native else None
    if chart is None or chart["title"] != series.title:  # a chart says its own title
        yield blocks.rich(blocks.words(series.title, bold=True))
    if chart:
        yield chart
    told = [_told(name, [one for one in values if one is not None], series.unit) for name, values in lines.items()]
    yield blocks.bullets([blocks.words(line) for line in told] or [blocks.words("no values")])
    if chart and points and points.said:
        yield blocks.rich(*map(blocks.sentence, points.said))


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _told(name: str, values: list[float], unit: str) -> str:
    if not values:
        return f"{name}: no values"
    numbers = (f"{value:.4g} {unit}".strip() for value in (values[-1], min(values), max(values)))
    return "{}: {} now, between {} and {}".format(name, *numbers)


def _points(at: Sequence[datetime], lines: dict[str, Values]) -> _Points | None:
    """At most twenty points; None where there is no honest chart of these lines."""
    ordered = all(one < after for one, after in pairwise(at))
    if not 1 <= len(lines) <= MOST_LINES or not ordered or any(len(values) != len(at) for values in lines.values()):
        return None
    size = math.ceil(len(at) / MOST_POINTS) or 1
    buckets = [slice(first, first + size) for first in range(0, len(at), size)]
    whole = [bucket for bucket in buckets if all(any(map(_finite, values[bucket])) for values in lines.values())]
    if len(whole) < 2:
        return None
    drawn = {name: _extremes(values, whole) for name, values in lines.items()}
    return _Points(tuple(at[bucket.start] for bucket in whole), drawn, tuple(_left_out(size, len(buckets), len(whole))))


def _extremes(values: Values, buckets: Sequence[slice]) -> tuple[float, ...]:
    """Of each bucket the value farthest from the average, so that no peak and no gap is smoothed away."""
    known = [one for one in values if one is not None]
    average = sum(one / len(known) for one in known)
    return tuple(
        max((one for one in values[bucket] if one is not None), key=lambda one: abs(one - average))
        for bucket in buckets
    )


def _left_out(size: int, buckets: int, whole: int) -> Iterator[str]:
    if size > 1:
        yield f"The chart shows one of every {size} values: the one that is farthest from its line's average."
    if missing := buckets - whole:
        yield f"The chart leaves out {missing} of {buckets} points, where a line has no value."


def _chart(series: Series, points: _Points, zone: tzinfo) -> Block | None:
    """The block; None where two names or two labels would be the same."""
    names = [_short(name) for name in points.lines]
    labels, zone_name = _labels(points.at, zone)
    if len(set(names)) < len(names) or not labels:
        return None
    axis = {"categories": labels, "x_label": zone_name, "y_label": clean(series.unit, AXIS)}
    drawn = [
        {"name": name, "data": [{"label": label, "value": one} for label, one in zip(labels, values, strict=True)]}
        for name, values in zip(names, points.lines.values(), strict=True)
    ]
    shown = {"type": "line", "series": drawn, "axis_config": {name: told for name, told in axis.items() if told}}
    return {"type": "data_visualization", "title": clean(series.title, TITLE) or blocks.EMPTY, "chart": shown}


def _short(name: str) -> str:
    """The end of a name that is too long: names of one system begin alike."""
    line = clean(name, 10 * LABEL)
    return (line if len(line) <= LABEL else clean(f"…{line[3 - LABEL :]}", LABEL)) or blocks.EMPTY


def _labels(at: Sequence[datetime], zone: tzinfo) -> tuple[list[str], str]:
    """A label for each instant, the shortest that tell them apart, and the zone that they are in; none if none do."""
    within_a_day = at[-1] - at[0] < DAY
    for where in (zone, UTC):  # clocks that are put back show an hour twice
        for form in FORMATS if within_a_day else FORMATS[1:]:
            labels = [f"{one.astimezone(where):{form}}" for one in at]
            if len(set(labels)) == len(labels):
                return labels, clean(f"{at[-1].astimezone(where):%Z}", AXIS)
    return [], ""
