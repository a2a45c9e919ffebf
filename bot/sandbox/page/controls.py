"""What a person uses in blocks: buttons with their confirmation, menus, and the inputs of modals."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from bot.sandbox.page.html import element, join
from bot.sandbox.page.reader import link
from bot.sandbox.page.rich import folded, text_object
from bot.sandbox.page.surface import Place
from bot.sandbox.slack.inputs import options

Json = dict[str, Any]
Option = tuple[str, Any]  # its value, and what it says
DIALOG = "show-modal"


def control(place: Place) -> Markup:
    """An element that can be used, of any kind; JSON of one that is not known."""
    draw = CONTROLS.get(str(place.element.get("type")))
    return draw(place) if draw else folded(place.element)


def button(place: Place) -> Markup:
    """A button; with `confirm` it asks first, in a dialog of the browser's own kind."""
    one, reader = place.element, place.surface.reader
    said = text_object(one.get("text"), reader)
    style = one.get("style", "")
    look = {"id": place.id, "class_": f"button {style}".strip(), "aria_label": one.get("accessibility_label")}
    if url := one.get("url"):
        return element("span", link(str(url), said), class_=look["class_"])
    sends = {
        "name": "press",
        "value": place.press(one.get("value", "")),
        "formaction": "/do/click",
        "formnovalidate": True,
    }
    confirm = one.get("confirm")
    if not confirm:
        return element("button", said, **look, **sends)
    dialog = f"{place.id}-confirm"
    opens = element("button", said, **look, type="button", command=DIALOG, commandfor=dialog, aria_haspopup="dialog")
    return join([opens, _confirm(place, dialog, confirm, sends, confirm.get("style") or style)])


def _confirm(place: Place, dialog: str, confirm: Json, sends: Json, style: str) -> Markup:
    reader = place.surface.reader
    title = element("h2", text_object(confirm.get("title"), reader), id=f"{dialog}-title")
    text = element("div", text_object(confirm.get("text"), reader), class_="text")
    no = element("button", text_object(confirm.get("deny"), reader), type="button", class_="button", command="close",
                 commandfor=dialog)  # fmt: skip
    yes_is = f"button {style or 'primary'}"
    yes = element("button", text_object(confirm.get("confirm"), reader), class_=yes_is, autofocus=True, **sends)
    foot = element("div", no, yes, class_="foot")
    return element("dialog", title, text, foot, id=dialog, class_="confirm", aria_labelledby=f"{dialog}-title")


def _aria(place: Place) -> Json:
    """What ties a control to its label, its hint and its error."""
    told = [f"{place.id}-error"] * bool(place.error) + [f"{place.id}-hint"] * bool(place.block.get("hint"))
    is_input = place.block.get("type") == "input"
    return {
        "id": place.id,
        "name": place.name,
        "aria_describedby": " ".join(told) or None,
        "aria_invalid": "true" if place.error else None,
        "aria_required": "true" if is_input and not place.block.get("optional") else None,
        "aria_label": None if is_input else _said(place.element.get("placeholder")) or "Choose",
        "autofocus": bool(place.element.get("focus_on_load")),
    }


def _said(said: Any) -> str:
    return str(said.get("text", "")) if isinstance(said, dict) else ""


def _typed(kind: str) -> Callable[[Place], Markup]:
    def draw(place: Place) -> Markup:
        one, value = place.element, place.state.get("value")
        value = one.get("initial_value", "") if value is None else value
        about = {**_aria(place), "placeholder": _said(one.get("placeholder")) or None}
        if one.get("multiline"):
            return element("textarea", value, rows=4, **about)
        mode = {"inputmode": "decimal" if one.get("is_decimal_allowed") else "numeric"} if kind == "number" else {}
        type_ = "text" if kind == "number" else kind
        return join([element("input", type=type_, value=value, autocomplete="off", **about, **mode), _apply(place)])

    return draw


def _picker(kind: str, field: str) -> Callable[[Place], Markup]:
    """A date or a time."""

    def draw(place: Place) -> Markup:
        value = place.state.get(field) or ""
        return join([element("input", type=kind, value=value, **_aria(place)), _apply(place)])

    return draw


def _instant(place: Place) -> Markup:
    at = place.state.get("selected_date_time")
    zone = place.surface.reader.zone
    value = f"{datetime.fromtimestamp(int(at), zone):%Y-%m-%dT%H:%M}" if at else ""
    return join([element("input", type="datetime-local", value=value, **_aria(place)), _apply(place)])


def _static(place: Place) -> Markup:
    one = place.element
    chosen = (place.state.get("selected_option") or {}).get("value")
    groups = [
        (str(_said(group.get("label"))), _pairs(group.get("options", []))) for group in one.get("option_groups") or []
    ]
    return _select(place, [("", _pairs(one.get("options") or [])), *groups], {chosen})


def _of(field: str, kind: str) -> Callable[[Place], Markup]:
    """A menu of people or channels."""

    def draw(place: Place) -> Markup:
        known = place.surface.people if kind == "people" else place.surface.channels
        return _select(place, [("", list(known))], {place.state.get(field)})

    return draw


def _pairs(listed: Iterable[Json]) -> list[Option]:
    return [(str(option.get("value", "")), _said(option.get("text"))) for option in listed]


def _select(place: Place, groups: Sequence[tuple[str, Sequence[Option]]], chosen: set[Any]) -> Markup:
    said = _said(place.element.get("placeholder")) or "Choose an option"
    made = [element("option", said, value="")]
    for label, listed in groups:
        shown = [element("option", text, value=value, selected=value in chosen) for value, text in listed]
        made.append(element("optgroup", *shown, label=label) if label else join(shown))
    return join([element("select", *made, **_aria(place), data_apply=_dispatches(place)), _apply(place)])


def _dispatches(place: Place) -> bool:
    return place.block.get("type") != "input" or bool(place.block.get("dispatch_action"))


def _apply(place: Place) -> Markup:
    """Tells the app what was chosen; the script presses it, and without the script it is there to press."""
    if not _dispatches(place):
        return Markup("")
    sends = {"name": "press", "value": place.press(), "formaction": "/do/click", "formnovalidate": True}
    return element("button", "Choose", class_="button apply", id=f"{place.id}-apply", **sends)


def _boxes(kind: str, field: str, several: bool) -> Callable[[Place], Markup]:
    """Boxes to tick, or radio buttons."""

    def draw(place: Place) -> Markup:
        state = place.state.get(field)
        entries = state if several else [state]
        chosen = {one.get("value") if isinstance(one, dict) else one for one in entries or []}
        reader = place.surface.reader
        every = options(place.element)
        listed = [(str(one.get("value", "")), text_object(one.get("text"), reader), one) for one in every]
        if not listed:
            known = place.surface.people if "user" in field else place.surface.channels
            listed = [(value, escape(name), {}) for value, name in known]
        made = [_box(place, kind, at, one, chosen) for at, one in enumerate(listed)]
        about = {
            "aria_labelledby": f"{place.id}-label",
            "aria_describedby": f"{place.id}-error" if place.error else None,
        }
        group = element("div", *made, role="radiogroup" if kind == "radio" else "group", class_="boxes", **about)
        return join([group, _apply(place)])

    return draw


def _box(place: Place, kind: str, at: int, one: tuple[str, Markup, Json], chosen: set[Any]) -> Markup:
    value, text, option = one
    about = option.get("description")
    more = element("small", text_object(about, place.surface.reader)) if about else ""
    ticks = {"data_apply": _dispatches(place)}
    box = element(
        "input", type=kind, id=f"{place.id}-{at}", name=place.name, value=value, checked=value in chosen, **ticks
    )
    return element("label", box, element("span", text, more))


def _external(place: Place) -> Markup:
    """A menu whose options the app delivers while one types: the script asks, and keeps the option that was chosen."""
    one, chosen = place.element, place.state.get("selected_option")
    held_as = json.dumps(chosen) if chosen else ""
    held = element("input", type="hidden", name=place.name, value=held_as, id=f"{place.id}-value")
    about = {
        **_aria(place),
        "name": None,
        "role": "combobox",
        "aria_expanded": "false",
        "aria_autocomplete": "list",
        "aria_controls": f"{place.id}-list",
        "placeholder": _said(one.get("placeholder")) or "Type to search",
        "data_suggest": one.get("action_id", ""),
        "data_least": one.get("min_query_length", 3),
    }
    typed = element("input", type="text", autocomplete="off", value=_said((chosen or {}).get("text")), **about)
    listed = element("ul", id=f"{place.id}-list", role="listbox", aria_label="Options", class_="listbox", hidden=True)
    return element("div", typed, held, listed, _apply(place), class_="combo")


def _overflow(place: Place) -> Markup:
    sends = {"class_": "button", "name": "press", "formaction": "/do/click", "formnovalidate": True}
    every = options(place.element)
    made = [element("button", _said(one.get("text")), value=place.press(one.get("value")), **sends) for one in every]
    summary = element("summary", "⋯", aria_label="More")
    return element("details", summary, element("div", *made), class_="overflow", id=place.id)


def _file(_: Place) -> Markup:
    return element("p", "Files cannot be chosen in this sandbox.", class_="hint")


CONTROLS: dict[str, Callable[[Place], Markup]] = {
    "button": button,
    "plain_text_input": _typed("text"),
    "number_input": _typed("number"),
    "email_text_input": _typed("email"),
    "url_text_input": _typed("url"),
    "rich_text_input": _typed("text"),
    "static_select": _static,
    "external_select": _external,
    "users_select": _of("selected_user", "people"),
    "channels_select": _of("selected_channel", "channels"),
    "conversations_select": _of("selected_conversation", "channels"),
    "multi_static_select": _boxes("checkbox", "selected_options", True),
    "multi_users_select": _boxes("checkbox", "selected_users", True),
    "multi_channels_select": _boxes("checkbox", "selected_channels", True),
    "multi_conversations_select": _boxes("checkbox", "selected_conversations", True),
    "checkboxes": _boxes("checkbox", "selected_options", True),
    "radio_buttons": _boxes("radio", "selected_option", False),
    "overflow": _overflow,
    "datepicker": _picker("date", "selected_date"),
    "timepicker": _picker("time", "selected_time"),
    "datetimepicker": _instant,
    "file_input": _file,
}
