"""Charts as SVG, drawn here: Slack's data_visualization, and the small curves of a service.

Colours and strokes are the stylesheet's, by class. Every chart has a name that says what it shows in words.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup

from bot.sandbox.page.html import element, join

Json = dict[str, Any]
WIDE, HIGH = 480, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 26
SPARK_WIDE, SPARK_HIGH = 480, 96
STEPS = (1, 2, 2.5, 5, 10)


def chart(block: Json) -> Markup:
    """A data_visualization with its title, its legend, and its numbers for who cannot see it."""
    said, title = block.get("chart") or {}, str(block.get("title", ""))
    draw = _CHARTS[said["type"]]
    names = [str(one.get("name", one.get("label", ""))) for one in said.get("series") or said.get("segments") or []]
    picture = draw(said, title)
    legend = element("ul", *(_entry(at, name) for at, name in enumerate(names)), class_="legend")
    across = str((said.get("axis_config") or {}).get("x_label") or "")  # of an axis over time, the zone
    caption = element("figcaption", title, element("small", across) if across else "")
    return element(
        "figure", caption, picture, legend if len(names) > 1 or said["type"] == "pie" else "", class_="chart"
    )


def is_known(block: Json) -> bool:
    """Whether a chart is of a kind that is drawn here, with something in it."""
    said = block.get("chart")
    return isinstance(said, dict) and said.get("type") in _CHARTS and bool(said.get("series") or said.get("segments"))


def spark(
    name: str, values: Sequence[float | None], form: Callable[[float], str], *, least: float, kind: str
) -> Markup:
    """A curve over time without axes: its scale begins at 0 and reaches at least `least`; gaps where there is None."""
    known = [value for value in values if value is not None]
    top = _ceiling(max([*known, least]))
    wide = SPARK_WIDE / max(1, len(values) - 1)

    def place(at: int, value: float) -> tuple[float, float]:
        return at * wide, SPARK_HIGH - 2 - value / top * (SPARK_HIGH - 16)

    runs = _runs(values)
    areas = [_area([place(at, value) for at, value in run], SPARK_HIGH) for run in runs]
    curves = [_line([place(at, value) for at, value in run]) for run in runs]
    grid = (_rule(y, 0, SPARK_WIDE) for y in (14, (SPARK_HIGH + 12) / 2, SPARK_HIGH - 2))
    said = f"{name}: {form(known[-1])} now, at most {form(max(known))}" if known else f"{name}: no requests"
    inside = join([*grid, *areas, *curves])
    picture = _svg(inside, said, SPARK_WIDE, SPARK_HIGH, class_=f"spark {kind}", preserveAspectRatio="none")
    return element("div", picture, element("span", form(top), class_="scale", aria_hidden="true"), class_="spark-box")


def _svg(inside: Markup, name: str, wide: int, high: int, **more: Any) -> Markup:
    return element("svg", inside, viewBox=f"0 0 {wide} {high}", role="img", aria_label=name, **more)


def _entry(at: int, name: str) -> Markup:
    swatch = element("svg", element("rect", width="10", height="10", rx="2"), class_=f"swatch series-{at + 1}",
                     viewBox="0 0 10 10", aria_hidden="true")  # fmt: skip
    return element("li", swatch, name)


def _xy(said: Json, title: str) -> Markup:
    """Lines, areas or bars over the same categories."""
    axis = said.get("axis_config") or {}
    labels = [str(one) for one in axis.get("categories") or []]
    series = [_values(one, labels) for one in said["series"]]
    every = [value for values in series for value in values if value is not None]
    low, high = min([0.0, *every]), max([0.0, *every])
    high = _ceiling(high if high > low else low + 1)
    low = -_ceiling(-low) if low < 0 else 0.0
    scale = _Scale(len(labels), low, high)
    draw = {"bar": _bars, "area": _areas, "line": _lines}[said["type"]]
    shapes = [draw(scale, at, len(series), values) for at, values in enumerate(series)]
    inside = join([scale.grid(), *shapes, scale.labels(labels, str(axis.get("y_label") or ""))])
    return _svg(inside, _words(title, said["series"], labels), WIDE, HIGH)


class _Scale:
    """From values to places in the picture."""

    def __init__(self, count: int, low: float, high: float) -> None:
        self.count, self.low, self.high = max(1, count), low, high

    @property
    def step(self) -> float:
        return (WIDE - LEFT - RIGHT) / self.count

    def x(self, at: int) -> float:
        """The middle of a category."""
        return LEFT + (at + 0.5) * self.step

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / (self.high - self.low) * (HIGH - TOP - BOTTOM)

    def grid(self) -> Markup:
        marks = [self.low + part * (self.high - self.low) / 4 for part in range(5)]
        return join([part for mark in marks for part in (_rule(self.y(mark), LEFT, WIDE - RIGHT), self._mark(mark))])

    def _mark(self, mark: float) -> Markup:
        return _text(short(mark), LEFT - 6, self.y(mark) + 4, "end")

    def labels(self, labels: Sequence[str], unit: str) -> Markup:
        every = math.ceil(len(labels) * 52 / (WIDE - LEFT)) or 1
        shown = [_text(label[:9], self.x(at), HIGH - 8, "middle") for at, label in enumerate(labels) if at % every == 0]
        return join([*shown, _text(unit, LEFT + 2, TOP - 2, "start")] if unit else shown)


def _lines(scale: _Scale, at: int, _: int, values: Sequence[float | None]) -> Markup:
    curves = (_line([(scale.x(x), scale.y(y)) for x, y in run]) for run in _runs(values))
    return element("g", *curves, class_=f"series-{at + 1}")


def _areas(scale: _Scale, at: int, count: int, values: Sequence[float | None]) -> Markup:
    areas = (_area([(scale.x(x), scale.y(y)) for x, y in run], scale.y(0)) for run in _runs(values))
    return join([element("g", *areas, class_=f"series-{at + 1}"), _lines(scale, at, count, values)])


def _bars(scale: _Scale, at: int, count: int, values: Sequence[float | None]) -> Markup:
    wide = scale.step * 0.7 / count
    bars = []
    for x, value in ((x, value) for x, value in enumerate(values) if value is not None):
        high, low = sorted((scale.y(value), scale.y(0)))
        left = scale.x(x) - scale.step * 0.35 + at * wide
        bars.append(element("rect", x=_n(left), y=_n(high), width=_n(wide * 0.92), height=_n(low - high), rx="1.5"))
    return element("g", *bars, class_=f"series-{at + 1}")


def _pie(said: Json, title: str) -> Markup:
    segments = said["segments"]
    total = sum(max(0.0, float(one["value"])) for one in segments) or 1.0
    begin, shapes = 0.0, []
    for at, one in enumerate(segments):
        end = begin + max(0.0, float(one["value"])) / total
        shapes.append(element("path", d=_slice(begin, min(end, begin + 0.99999)), class_=f"series-{at + 1}"))
        begin = end
    said_in_words = ", ".join(f"{one['label']} {short(float(one['value']))}" for one in segments)
    return _svg(join(shapes), f"{title}: {said_in_words}", HIGH, HIGH, class_="pie")


def _slice(begin: float, end: float) -> str:
    middle, radius = HIGH / 2, HIGH / 2 - 6
    points = [
        (middle + radius * math.sin(2 * math.pi * at), middle - radius * math.cos(2 * math.pi * at))
        for at in (begin, end)
    ]
    (x0, y0), (x1, y1) = points
    large = int(end - begin > 0.5)
    return f"M{middle:.1f} {middle:.1f}L{x0:.1f} {y0:.1f}A{radius:.1f} {radius:.1f} 0 {large} 1 {x1:.1f} {y1:.1f}Z"


def _values(series: Json, labels: Sequence[str]) -> list[float | None]:
    known = {str(point.get("label")): float(point["value"]) for point in series.get("data") or []}
    return [known.get(label) for label in labels]


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The values with their places, apart where there is none."""
    runs: list[list[tuple[int, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _line(points: Iterable[tuple[float, float]]) -> Markup:
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_="curve")


def _area(points: Sequence[tuple[float, float]], floor: float) -> Markup:
    around = [(points[0][0], floor), *points, (points[-1][0], floor)]
    return element("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in around), class_="area")


def _rule(y: float, left: float, right: float) -> Markup:
    return element("line", x1=_n(left), x2=_n(right), y1=_n(y), y2=_n(y), class_="grid")


def _text(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, x=_n(x), y=_n(y), text_anchor=anchor)


def _words(title: str, series: Sequence[Json], labels: Sequence[str]) -> str:
    """What a chart shows, said."""
    parts = []
    for one in series:
        values = [value for value in _values(one, labels) if value is not None]
        if values:
            low, high = short(min(values)), short(max(values))
            parts.append(f"{one.get('name', '')} {short(values[-1])} at the end, between {low} and {high}")
    return f"{title}: {'; '.join(parts)}"


def _ceiling(value: float) -> float:
    """The next round number."""
    if value <= 0:
        return 1.0
    size = 10 ** math.floor(math.log10(value))
    return float(next(step * size for step in STEPS if step * size >= value * 0.999))


def short(value: float) -> str:
    """A number in few characters."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 10:
            return f"{value / size:.3g}{sign}"
    return f"{value:.4g}"


def _n(value: float) -> str:
    return f"{value:.1f}"


_CHARTS: dict[str, Callable[[Json, str], Markup]] = {"line": _xy, "area": _xy, "bar": _xy, "pie": _pie}
