"""What a person enters: the `state` that Slack builds of it, and what Slack's own client refuses before sending."""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.sandbox.slack.state import Json

# Element type -> the field of `state.values` that carries what was entered.
FIELDS = {
    "plain_text_input": "value",
    "number_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "file_input": "files",
}
INITIAL = {
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}
EMPTY: tuple[Any, ...] = (None, "", [])


def entered(element: Json, value: Any = None) -> Json:
    """The element's entry in `state.values`: `value` (text, or option values) or else its initial value."""
    kind = str(element["type"])
    name = FIELDS[kind]
    if value is None:
        return {"type": kind, name: element.get(INITIAL.get(name, ""))}
    if name == "selected_option":
        return {"type": kind, name: _option(element, value)}
    if name == "selected_options":
        return {"type": kind, name: [_option(element, item) for item in value]}
    return {"type": kind, name: value if name != "value" else str(value)}


def options(element: Json) -> list[Json]:
    """The options of a menu, those in groups included."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def _option(element: Json, value: Any) -> Json:
    """The option with a value; a menu whose options the app delivers takes any."""
    if isinstance(value, dict):
        return value
    found = next((option for option in options(element) if option.get("value") == value), None)
    return found or {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)}


def complaint(element: Json, entry: Json, is_optional: bool) -> str:
    """Why Slack's client would not send this form, "" if it would."""
    value = entry[FIELDS[str(element["type"])]]
    if value in EMPTY:
        return "" if is_optional else "Please complete this required field."
    check = CHECKS.get(str(element["type"]))
    return check(element, value) if check else ""


def _text(element: Json, value: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3_000)
    if len(value) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter no more than {most} characters." if len(value) > most else ""


def _number(element: Json, value: str) -> str:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and number != number.to_integral_value():
        return "Please enter a whole number."
    if "min_value" in element and number < Decimal(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > Decimal(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""


def _email(element: Json, value: str) -> str:
    return "" if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) else "Please enter a valid email address."


def _url(element: Json, value: str) -> str:
    return "" if re.fullmatch(r"https?://\S+", value) else "Please enter a valid URL."


def _listed(element: Json, value: Json) -> str:
    return "" if value in options(element) else "Please choose one of the options."


CHECKS: dict[str, Callable[[Json, Any], str]] = {
    "plain_text_input": _text,
    "number_input": _number,
    "email_text_input": _email,
    "url_text_input": _url,
    "static_select": _listed,
    "radio_buttons": _listed,
}
