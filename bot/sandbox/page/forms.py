"""What a form of the page sends, as Slack's own state of the elements that it was made of."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from starlette.datastructures import FormData

from bot.sandbox.page.surface import field_name
from bot.sandbox.slack.elements import Element, interactive
from bot.sandbox.slack.inputs import FIELDS, options

Json = dict[str, Any]
SEVERAL = frozenset({"selected_options", "selected_users", "selected_channels", "selected_conversations"})


def entries(blocks: Sequence[Json], form: FormData, zone: tzinfo) -> dict[str, Json]:
    """By block_id, as the fake takes it: {action_id: {field: what was entered}}. What was not sent is empty."""
    found: dict[str, Json] = {}
    for one in interactive(list(blocks)):
        if one.kind in FIELDS and one.kind not in ("overflow", "file_input"):
            found[one.block_id] = {one.action_id: entry(one, form, zone)}
    return found


def entry(one: Element, form: FormData, zone: tzinfo) -> Json:
    """The state of one element."""
    name, field = FIELDS[one.kind], field_name(one.block_id, one.action_id)
    texts = [text for text in form.getlist(field) if isinstance(text, str)]
    if name in SEVERAL:
        return {name: [_option(one, text) for text in texts] if name == "selected_options" else texts}
    return {name: _value(one, name, texts[-1] if texts else "", zone)}


def _value(one: Element, name: str, text: str, zone: tzinfo) -> Any:
    if name == "value":
        return text.replace("\r\n", "\n") or None
    if name == "selected_option":
        return _option(one, text) if text else None
    if name == "selected_date_time":
        return _instant(text, zone)
    if name == "rich_text_value":
        return _rich(text) if text else None
    return text or None


def _option(one: Element, text: str) -> Json:
    """The option with a value; of a menu whose options the app delivers the script sends the option itself."""
    if one.kind.endswith("external_select"):
        try:
            given = json.loads(text)
        except ValueError:
            given = None
        return given if isinstance(given, dict) else _made(text)
    return next((option for option in options(one.body) if option.get("value") == text), _made(text))


def _made(text: str) -> Json:
    return {"text": {"type": "plain_text", "text": text}, "value": text}


def _instant(text: str, zone: tzinfo) -> int | None:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())
    except ValueError:
        return None


def _rich(text: str) -> Json:
    inside = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}]
    return {"type": "rich_text", "elements": inside}


def pressed(form: FormData) -> Json:
    """Which element was used: {action, block, value}, the value only if the button carries it."""
    try:
        said = json.loads(str(form.get("press", "")))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def chosen(blocks: Sequence[Json], press: Mapping[str, Any], form: FormData, zone: tzinfo) -> Any:
    """What a menu that was used says: option values, an id, a text."""
    for one in interactive(list(blocks)):
        if (one.action_id, one.block_id) == (press.get("action"), press.get("block")) and one.kind in FIELDS:
            value = next(iter(entry(one, form, zone).values()))
            several = value if isinstance(value, list) else None
            return value if several is None else [one["value"] if isinstance(one, dict) else one for one in several]
    return None
