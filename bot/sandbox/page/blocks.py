"""Block Kit as HTML: pure functions of blocks and of who reads them. What is not known is folded JSON, not an error."""

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from bot.sandbox.page import charts
from bot.sandbox.page.controls import control
from bot.sandbox.page.html import element, join
from bot.sandbox.page.mrkdwn import markdown
from bot.sandbox.page.rich import folded, rich_text, text_object
from bot.sandbox.page.surface import Place, Surface

Json = dict[str, Any]
BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError)  # what a malformed block ends in
TASKS = {"pending": "to do", "in_progress": "in progress", "complete": "done", "error": "failed"}


def blocks(listed: Sequence[Json], surface: Surface) -> Markup:
    """All blocks of a surface, top to bottom."""
    return join(block(one, at, surface) for at, one in enumerate(listed))


def block(one: Any, at: int, surface: Surface) -> Markup:
    """One block; one that is not known, or not well formed, is folded JSON."""
    draw = BLOCKS.get(str(one.get("type"))) if isinstance(one, dict) else None
    if draw is None:
        return folded(one)
    try:
        return element("div", draw(one, at, surface), class_=f"block {one['type']}")
    except BROKEN:
        return folded(one)


def _header(one: Json, _: int, surface: Surface) -> Markup:
    return element("h3", text_object(one["text"], surface.reader))


def _section(one: Json, at: int, surface: Surface) -> Markup:
    text = element("div", text_object(one["text"], surface.reader), class_="text") if one.get("text") else ""
    fields = [element("div", text_object(field, surface.reader)) for field in one.get("fields") or []]
    listed = element("div", *fields, class_="fields") if fields else ""
    beside = one.get("accessory")
    used = element("div", _accessory(one, beside, at, surface), class_="accessory") if beside else ""
    return join([element("div", text, listed, class_="said"), used])


def _accessory(one: Json, beside: Json, at: int, surface: Surface) -> Markup:
    return _image(beside, at, surface) if beside.get("type") == "image" else control(Place(surface, at, one, beside))


def _context(one: Json, at: int, surface: Surface) -> Markup:
    shown = (_image(part, at, surface) if part.get("type") == "image" else text_object(part, surface.reader)
             for part in one["elements"])  # fmt: skip
    return join(element("span", part) for part in shown)


def _actions(one: Json, at: int, surface: Surface) -> Markup:
    return join(control(Place(surface, at, one, part)) for part in one["elements"])


def _divider(*_: Any) -> Markup:
    return element("hr")


def _image(one: Json, _: int, __: Surface) -> Markup:
    """Only its description: the page loads nothing from outside."""
    return element("span", "🖼 ", one.get("alt_text", "an image"), class_="picture")


def _table(one: Json, at: int, surface: Surface) -> Markup:
    settings = one.get("column_settings") or []
    aligned = [(setting or {}).get("align") or "left" for setting in settings] + ["left"] * len(one["rows"][0])
    rows = [[(_cell(cell, surface), align) for cell, align in zip(row, aligned, strict=False)] for row in one["rows"]]
    head = element("tr", *(element("th", said, class_=align, scope="col") for said, align in rows[0]))
    body = (element("tr", *(element("td", said, class_=align) for said, align in row)) for row in rows[1:])
    made = element("table", element("thead", head), element("tbody", *body))
    return element("div", made, class_="scroll", tabindex="0", role="region", aria_label=one.get("caption") or "Table")


def _cell(cell: Json, surface: Surface) -> Markup:
    if cell.get("type") == "rich_text":
        return rich_text(cell, surface.reader)
    return Markup("{}").format(cell.get("text", cell.get("value", "")))


def _plan(one: Json, at: int, surface: Surface) -> Markup:
    tasks = element("ol", *(element("li", _task(task, at, surface)) for task in one.get("tasks") or []))
    return join([element("p", one["title"], class_="title"), tasks])


def _task(one: Json, _: int, surface: Surface) -> Markup:
    status = one.get("status") if one.get("status") in TASKS else "pending"
    mark = element("span", element("span", TASKS[str(status)], class_="unseen"), class_=f"mark {status}")
    more = [rich_text(one[name], surface.reader) for name in ("details", "output") if one.get(name)]
    said = element("div", element("span", one["title"], class_="name"), *more, class_="task-said")
    return element("div", mark, said, class_="task")


def _chart(one: Json, _: int, __: Surface) -> Markup:
    return charts.chart(one) if charts.is_known(one) else folded(one)


def _alert(one: Json, _: int, surface: Surface) -> Markup:
    return element("div", text_object(one["text"], surface.reader), class_=f"level-{one.get('level', 'default')}")


def _input(one: Json, at: int, surface: Surface) -> Markup:
    place = Place(surface, at, one, one["element"])
    optional = element("span", " (optional)", class_="optional") if one.get("optional") else ""
    inside = (text_object(one["label"], surface.reader), optional)
    grouped = str(one["element"].get("type")) in ("checkboxes", "radio_buttons") or "multi_" in str(
        one["element"].get("type")
    )
    label = element("span", *inside, id=f"{place.id}-label", class_="label") if grouped else element(
        "label", *inside, for_=place.id, class_="label")  # fmt: skip
    hint = (
        element("p", text_object(one["hint"], surface.reader), class_="hint", id=f"{place.id}-hint")
        if one.get("hint")
        else ""
    )
    error = element("p", place.error, class_="error", id=f"{place.id}-error") if place.error else ""
    return join([label, control(place), error, hint])


def _container(one: Json, _: int, surface: Surface) -> Markup:
    inside = Surface(f"{surface.key}-in", surface.reader, surface.entered, surface.errors)
    title = text_object(one.get("title"), surface.reader) or rich_text(one.get("rich_text_title") or {}, surface.reader)
    body = blocks(one["child_blocks"], inside)
    if not one.get("is_collapsible"):
        return join([element("p", title, class_="title"), body])
    return element("details", element("summary", title), body, open=not one.get("default_collapsed"))


BLOCKS: dict[str, Callable[[Json, int, Surface], Markup]] = {
    "header": _header,
    "section": _section,
    "rich_text": lambda one, _, surface: rich_text(one, surface.reader),
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
    "markdown": lambda one, _, __: markdown(str(one["text"])),
    "table": _table,
    "data_table": _table,
    "plan": _plan,
    "task_card": _task,
    "data_visualization": _chart,
    "alert": _alert,
    "input": _input,
    "container": _container,
}
