"""Rules between fields, which the schema cannot say: either-or, references, numbers that must agree."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bot.sandbox.slack.blockkit.problems import Pointer, Problems

Part = dict[str, Any]
Check = Callable[[Part, Pointer, Problems], None]


def _exactly_one(*names: str) -> Check:
    def run(part: Part, at: Pointer, problems: Problems) -> None:
        if sum(name in part for name in names) != 1:
            problems.add(f"must provide exactly one of {' or '.join(names)}", at, "exactly_one")

    return run


def _at_least_one(*names: str) -> Check:
    def run(part: Part, at: Pointer, problems: Problems) -> None:
        if not any(part.get(name) for name in names):
            problems.add(f"must provide at least one of {', '.join(names)}", at, "at_least_one")

    return run


def _choices(part: Part) -> list[Part]:
    grouped = [option for group in part.get("option_groups") or [] for option in group.get("options") or []]
    return [*(part.get("options") or []), *grouped]


def _initial_is_listed(part: Part, at: Pointer, problems: Problems) -> None:
    """An initial option must equal one of the options, text included."""
    chosen = [("initial_option", part["initial_option"])] if "initial_option" in part else []
    chosen += [("initial_options", option) for option in part.get("initial_options") or []]
    for name, option in chosen:
        if option not in _choices(part):
            problems.add(f"{name} must be one of the options", f"{at}/{name}", "reference")


def _static_select(part: Part, at: Pointer, problems: Problems) -> None:
    _exactly_one("options", "option_groups")(part, at, problems)
    _initial_is_listed(part, at, problems)


def _ordered(low: str, high: str) -> Check:
    def run(part: Part, at: Pointer, problems: Problems) -> None:
        if low in part and high in part and Decimal(str(part[low])) > Decimal(str(part[high])):
            problems.add(f"{low} cannot be greater than {high}", f"{at}/{low}", "range")

    return run


def _container(part: Part, at: Pointer, problems: Problems) -> None:
    _at_least_one("title", "rich_text_title")(part, at, problems)
    if part.get("default_collapsed") and not part.get("is_collapsible"):
        problems.add("default_collapsed requires is_collapsible", at, "dependency")


def _same_width(part: Part, at: Pointer, problems: Problems) -> None:
    widths = {len(row) for row in part["rows"]}
    if len(widths) > 1:
        problems.add("all rows must have the same number of cells", f"{at}/rows", "table_shape")


def _data_table(part: Part, at: Pointer, problems: Problems) -> None:
    _same_width(part, at, problems)
    for number, cell in enumerate(part["rows"][0]):
        if cell["type"] == "rich_text":
            problems.add("header cells cannot be rich_text", f"{at}/rows/0/{number}/type", "enum")


def _pie(part: Part, at: Pointer, problems: Problems) -> None:
    for number, segment in enumerate(part["segments"]):
        if segment["value"] <= 0:
            problems.add("must be greater than 0", f"{at}/segments/{number}/value", "range")


def _xy_chart(part: Part, at: Pointer, problems: Problems) -> None:
    """Series have names of their own, and one value for each category."""
    names = [series["name"] for series in part["series"]]
    if len(set(names)) < len(names):
        problems.add("series names must be unique", f"{at}/series", "unique")
    categories = part["axis_config"]["categories"]
    if len(set(categories)) < len(categories):
        problems.add("categories must be unique", f"{at}/axis_config/categories", "unique")
    for number, series in enumerate(part["series"]):
        if sorted(point["label"] for point in series["data"]) != sorted(categories):
            problems.add("data labels must match the categories", f"{at}/series/{number}/data", "reference")


MEANINGS: dict[str, Check] = {
    "section": _at_least_one("text", "fields"),
    "image": _exactly_one("image_url", "slack_file"),
    "static_select": _static_select,
    "multi_static_select": _static_select,
    "radio_buttons": _initial_is_listed,
    "checkboxes": _initial_is_listed,
    "number_input": _ordered("min_value", "max_value"),
    "plain_text_input": _ordered("min_length", "max_length"),
    "container": _container,
    "card": _at_least_one("hero_image", "title", "actions", "body"),
    "data_table": _data_table,
    "pie": _pie,
    "bar": _xy_chart,
    "area": _xy_chart,
    "line": _xy_chart,
}
