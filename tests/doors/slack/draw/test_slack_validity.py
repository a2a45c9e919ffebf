"""The checks themselves: what each of them knows, shown by breaking one valid card in many ways."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bot.doors.slack.draw.blocks import Card
from tests.doors.slack import validity
from tests.doors.slack.validity import MADE, Schema

PLAIN = {"type": "plain_text", "text": "a", "emoji": False}
DATE = {"type": "date", "timestamp": 1, "format": "{date}", "fallback": "1970"}
CELL = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [DATE]}]}
TASK = {"type": "task_card", "task_id": "1", "title": "a", "status": "pending"}
CHART = {
    "type": "data_visualization",
    "title": "a",
    "chart": {
        "type": "line",
        "series": [{"name": "a", "data": [{"label": "a", "value": 1}]}],
        "axis_config": {"categories": ["a"]},
    },
}
BLOCKS: list[dict[str, Any]] = [
    {"type": "header", "text": PLAIN},
    {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}, DATE]}],
    },
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [CELL]], "column_settings": [{"align": "left"}]},
    {"type": "plan", "title": "a", "tasks": [TASK]},
    CHART,
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}]},
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "a", "text": PLAIN, "value": "a", "style": "danger"}],
    },
]
HEADER, RICH, TABLE, PLAN, GRAPH, CONTEXT, ACTIONS = range(7)
Break = Callable[[list[dict[str, Any]]], object]
MUTANTS: dict[str, tuple[str, Break]] = {  # who finds it at least, and what is done
    "markup in a header": ("schema", lambda b: b[HEADER].update(text={"type": "mrkdwn", "text": "a"})),
    "an unknown style": ("schema", lambda b: b[ACTIONS]["elements"][0].update(style="warning")),
    "a plan without a title": ("schema", lambda b: b[PLAN].pop("title")),
    "a typo in a field": ("schema", lambda b: b[ACTIONS]["elements"][0].update(actionid="a")),
    "a date in words": ("schema", lambda b: b[RICH]["elements"][0]["elements"][1].update(timestamp="1")),
    "an unknown block": ("schema", lambda b: b.append({"type": "chart"})),
    "a table cell without its type": ("schema", lambda b: b[TABLE]["rows"][0][0].pop("type")),
    "a button of 76 characters": ("sdk", lambda b: b[ACTIONS]["elements"][0]["text"].update(text="x" * 76)),
    "a header of 151 characters": ("sdk", lambda b: b[HEADER]["text"].update(text="x" * 151)),
    "26 buttons": ("sdk", lambda b: b[ACTIONS].update(elements=[
        {**b[ACTIONS]["elements"][0], "action_id": str(at)} for at in range(26)])),
    "eleven lines of small print": ("sdk", lambda b: b[CONTEXT].update(elements=b[CONTEXT]["elements"] * 11)),
    "a status that Slack does not have": ("count", lambda b: b[PLAN]["tasks"][0].update(status="done")),
    "two tasks of one id": ("count", lambda b: b[PLAN].update(tasks=b[PLAN]["tasks"] * 2)),
    "51 blocks": ("count", lambda b: b.extend({"type": "divider"} for _ in range(44))),
    "101 rows": ("count", lambda b: b[TABLE].update(rows=[b[TABLE]["rows"][0]] * 101)),
    "21 columns": ("count", lambda b: b[TABLE].update(rows=[b[TABLE]["rows"][0] * 21])),
    "two tables": ("count", lambda b: b.append(copy.deepcopy(b[TABLE]))),
    "three charts": ("count", lambda b: b.extend([CHART, CHART])),
    "a block id twice": ("count", lambda b: (b[HEADER].update(block_id="a"), b[PLAN].update(block_id="a"))),
    "too much for one message": ("count", lambda b: b[RICH]["elements"][0]["elements"][0].update(text="x" * 10_001)),
    "a chart of 21 points": ("rules", lambda b: b[GRAPH]["chart"]["axis_config"].update(
        categories=[str(at) for at in range(21)])),
    "a chart whose labels differ": ("rules", lambda b: b[GRAPH]["chart"]["axis_config"].update(categories=["b"])),
    "an alert, which is for modals": ("rules", lambda b: b.append({"type": "alert", "text": PLAIN})),
    "somebody who is mentioned": ("rules", lambda b: b[CONTEXT]["elements"][0].update(text="<@U0BEN>")),
}  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> Schema:
    if not MADE.exists():
        pytest.skip("build/schemas/slack.json is not there: `make schemas` makes it, by npm")
    return Schema()


def test_the_valid_card_is_valid(schema: Schema) -> None:
    assert validity.message(Card(text="a", blocks=tuple(BLOCKS)), schema) == []


@pytest.mark.parametrize("name", MUTANTS)
def test_what_is_broken_is_found(name: str) -> None:
    finder, broken = MUTANTS[name]
    blocks = copy.deepcopy(BLOCKS)
    broken(blocks)
    found = validity.message(Card(text="a", blocks=tuple(blocks)), None)
    if finder == "sdk":
        assert validity.by_sdk(blocks)
    if finder == "count":
        assert validity.by_count(blocks)
    assert found or finder == "schema", name


@pytest.mark.parametrize("name", [name for name, (finder, _) in MUTANTS.items() if finder == "schema"])
def test_slacks_own_types_find_what_is_of_a_wrong_type(name: str, schema: Schema) -> None:
    blocks = copy.deepcopy(BLOCKS)
    MUTANTS[name][1](blocks)
    assert schema.of_message(blocks)


def test_what_is_too_new_for_slacks_types_is_known_by_name(schema: Schema) -> None:
    """When they know it, it can be taken off the list."""
    assert set(schema.blocks) & validity.NEW == set()


MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "a",
    "title": {**PLAIN, "text": "x" * 24},
    "submit": PLAIN,
    "blocks": [{"type": "input", "label": PLAIN, "element": {"type": "plain_text_input", "action_id": "a"}}],
}
WRONG_VIEWS: dict[str, dict[str, Any]] = {
    "a long title": {"title": {**PLAIN, "text": "x" * 25}},
    "a home with a title": {"type": "home"},
    "no submit": {"submit": None},
    "101 blocks": {"blocks": [{"type": "divider"}] * 101},
    "a field that is none": {"tittle": PLAIN},
}


def test_a_valid_view_is_valid(schema: Schema) -> None:
    assert validity.view(MODAL, schema) == []
    assert validity.view({"type": "home", "blocks": BLOCKS[:1]}, schema) == []


@pytest.mark.parametrize("name", WRONG_VIEWS)
def test_a_wrong_view_is_found(name: str, schema: Schema) -> None:
    body = {field: value for field, value in {**MODAL, **WRONG_VIEWS[name]}.items() if value is not None}
    assert validity.view(body, schema)


@pytest.mark.parametrize("text", ["", "x" * 4001, "<!here>"])
def test_a_text_that_slack_or_people_would_not_want(text: str) -> None:
    assert validity.message(Card(text=text, blocks=tuple(BLOCKS)), None)


def test_halves_of_characters_cannot_be_sent() -> None:
    card = Card(text="a", blocks=({"type": "header", "text": {**PLAIN, "text": "\ud800"}},))
    with pytest.raises(UnicodeEncodeError):
        validity.message(card, None)
