"""Block Kit: a table of blocks with Slack's verdict, whole surfaces, and limits held against slack_sdk's own."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from slack_sdk.models import blocks as sdk

from bot.sandbox.slack.blockkit.schema import SCHEMA
from bot.sandbox.slack.blockkit.surface import message_problems, option_problems, view_problems

CASES = YAML(typ="safe").load(Path(__file__).with_name("blocks.yaml").read_text(encoding="utf-8"))
DIVIDER = {"type": "divider"}


def written_out(value: Any) -> Any:
    if isinstance(value, list):
        return [written_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"repeat", "times"}:
        return written_out(value["repeat"]) * value["times"]
    return {name: written_out(item) for name, item in value.items()}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(action_id: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain("go")}


def lines(problems: Any) -> list[str]:
    return [problem.line() for problem in problems]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_verdict(case: dict[str, Any]) -> None:
    assert lines(message_problems([written_out(case["block"])])) == [f"[ERROR] {line}" for line in case["is"]]


def test_every_case_has_its_own_name() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_every_block_of_a_message_is_accepted_once_and_refused_once() -> None:
    """No block can lose its checks unnoticed."""
    offered = {SCHEMA.kind(name) for name in SCHEMA.menus["message_blocks"]}
    accepted = {case["block"]["type"] for case in CASES if not case["is"]}
    refused = {case["block"].get("type") for case in CASES if case["is"] and isinstance(case["block"], dict)}
    assert accepted == offered
    assert refused >= offered - {"context_actions"}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([DIVIDER] * 50, []),
        ([DIVIDER] * 51, ["no more than 50 items allowed [json-pointer:/blocks]"]),
        (DIVIDER, ["must provide an array [json-pointer:/blocks]"]),
        (
            [{**DIVIDER, "block_id": "a"}, {**DIVIDER, "block_id": "a"}],
            ["`block_id` 'a' already exists [json-pointer:/blocks/1/block_id]"],
        ),
        ([{"type": "actions", "elements": [button("go")]}, {"type": "actions", "elements": [button("go")]}], []),
        (
            [{"type": "markdown", "text": "x" * 6_000}, {"type": "markdown", "text": "x" * 6_001}],
            ["markdown must be less than 12001 characters in all [json-pointer:/blocks]"],
        ),
        (
            [
                {
                    "type": "data_visualization",
                    "title": "a",
                    "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
                }
            ]
            * 3,
            ["no more than 2 data_visualization blocks allowed [json-pointer:/blocks]"],
        ),
        ([{"type": "alert", "text": plain("a")}], ["unsupported type: alert [json-pointer:/blocks/0/type]"]),
    ],
    ids=["50", "51", "no list", "block_id twice", "action_id in two blocks", "markdown in all", "3 charts", "alert"],
)
def test_message(blocks: Any, expected: list[str]) -> None:
    assert lines(message_problems(blocks)) == [f"[ERROR] {line}" for line in expected]


INPUT = {"type": "input", "label": plain("a"), "element": {"type": "plain_text_input"}}


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ({"type": "modal", "title": plain("a"), "blocks": [DIVIDER] * 100}, []),
        ({"type": "modal", "title": plain("a"), "blocks": [{"type": "alert", "text": plain("a")}]}, []),
        ({"type": "modal", "title": plain("a"), "submit": plain("b"), "blocks": [INPUT]}, []),
        ({"type": "home", "blocks": [DIVIDER], "private_metadata": ""}, []),
        ([], ["must provide an object [json-pointer:/view]"]),
        ({"type": "page"}, ["unsupported type: page [json-pointer:/view/type]"]),
        (
            {"type": "modal"},
            [
                "missing required field: title [json-pointer:/view]",
                "missing required field: blocks [json-pointer:/view]",
            ],
        ),
        (
            {"type": "modal", "title": plain("a" * 25), "blocks": []},
            ["must be less than 25 characters [json-pointer:/view/title/text]"],
        ),
        (
            {"type": "modal", "title": plain("a"), "blocks": [DIVIDER] * 101},
            ["no more than 100 items allowed [json-pointer:/view/blocks]"],
        ),
        (
            {"type": "modal", "title": plain("a"), "blocks": [INPUT]},
            ["missing required field: submit [json-pointer:/view]"],
        ),
        (
            {"type": "home", "title": plain("a"), "blocks": []},
            ["invalid additional property: title [json-pointer:/view]"],
        ),
        (
            {"type": "home", "blocks": [], "hash": "1.2"},
            ["invalid additional property: hash [json-pointer:/view]"],
        ),
        (
            {"type": "home", "blocks": [], "private_metadata": "x" * 3_001},
            ["must be less than 3001 characters [json-pointer:/view/private_metadata]"],
        ),
        (
            {"type": "home", "blocks": [{"type": "plan", "title": "a"}]},
            ["unsupported type: plan [json-pointer:/view/blocks/0/type]"],
        ),
        (
            {"type": "modal", "title": plain("a"), "blocks": [{**DIVIDER, "block_id": "a"}] * 2},
            ["`block_id` 'a' already exists [json-pointer:/view/blocks/1/block_id]"],
        ),
    ],
)
def test_view(view: Any, expected: list[str]) -> None:
    assert lines(view_problems(view)) == [f"[ERROR] {line}" for line in expected]


def test_options_of_an_external_menu() -> None:
    option = {"text": plain("a"), "value": "a"}
    assert option_problems({"options": [option] * 100}) == option_problems({"options": []}) == []
    assert option_problems({"option_groups": [{"label": plain("a"), "options": [option]}]}) == []
    told = [
        ({"options": [option] * 101}, "no more than 100 items allowed [json-pointer:/options]"),
        ({"options": "a"}, "must provide an array [json-pointer:/options]"),
        ({}, "must provide exactly one of options or option_groups [json-pointer:]"),
        ({"options": [], "option_groups": []}, "must provide exactly one of options or option_groups [json-pointer:]"),
        ([option], "must provide an object [json-pointer:]"),
    ]
    for answer, line in told:
        assert lines(option_problems(answer)) == [f"[ERROR] {line}"]


def test_a_problem_is_told_in_two_forms() -> None:
    problem = message_problems([{"type": "section", "text": {"type": "invalid", "text": "a"}}], "")[1]
    assert problem.line() == "[ERROR] unsupported type: invalid [json-pointer:/0/text/type]"
    assert problem.entry() == {
        "code": "failed_constraint",
        "message": "unsupported type: invalid",
        "pointer": "/0/text/type",
        "constraint": {"type": "enum", "expected": ["plain_text", "mrkdwn"]},
    }


def limit(part: str, field: str) -> int:
    """The greatest length or count that the schema allows in a field."""
    rule = (SCHEMA.typed.get(part) or SCHEMA.objects[part])[field][0]
    bound = rule["max"] if "list" in rule else next(iter(rule.values()))
    return int(bound[1] if isinstance(bound, list) else bound)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("section", "fields"), sdk.SectionBlock.fields_max_length),
        (("actions", "elements"), sdk.ActionsBlock.elements_max_length),
        (("context", "elements"), sdk.ContextBlock.elements_max_length),
        (("context_actions", "elements"), sdk.ContextActionsBlock.elements_max_length),
        (("header", "text"), sdk.HeaderBlock.text_max_length),
        (("input", "label"), sdk.InputBlock.label_max_length),
        (("input", "hint"), sdk.InputBlock.hint_max_length),
        (("image_block", "alt_text"), sdk.ImageBlock.alt_text_max_length),
        (("image_block", "title"), sdk.ImageBlock.title_max_length),
        (("image_block", "image_url"), sdk.ImageBlock.image_url_max_length),
        (("container", "title"), sdk.ContainerBlock.title_max_length),
        (("container", "subtitle"), sdk.ContainerBlock.subtitle_max_length),
        (("container", "child_blocks"), sdk.ContainerBlock.child_blocks_max_length),
        (("card", "title"), sdk.CardBlock.title_max_length),
        (("card", "body"), sdk.CardBlock.body_max_length),
        (("button", "text"), sdk.ButtonElement.text_max_length),
        (("button", "url"), sdk.ButtonElement.url_max_length),
        (("button", "value"), sdk.ButtonElement.value_max_length),
        (("static_select", "options"), sdk.StaticSelectElement.options_max_length),
        (("static_select", "option_groups"), sdk.StaticSelectElement.option_groups_max_length),
        (("static_select", "placeholder"), sdk.InputInteractiveElement.placeholder_max_length),
        (("overflow", "options"), sdk.OverflowMenuElement.options_max_length),
        (("plain_option", "text"), sdk.Option.label_max_length),
        (("plain_option", "value"), sdk.Option.value_max_length),
        (("option_group", "label"), sdk.OptionGroup.label_max_length),
        (("option_group", "options"), sdk.OptionGroup.options_max_length),
        (("confirm", "title"), sdk.ConfirmObject.title_max_length),
        (("confirm", "text"), sdk.ConfirmObject.text_max_length),
        (("confirm", "confirm"), sdk.ConfirmObject.confirm_max_length),
        (("confirm", "deny"), sdk.ConfirmObject.deny_max_length),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else str(value),
)
def test_limits_agree_with_slack_sdk(ours: tuple[str, str], theirs: int) -> None:
    assert limit(*ours) == theirs


def test_the_schema_names_only_what_it_defines() -> None:
    def named(rule: Any) -> set[str]:
        if "list" in rule:
            return named(rule["list"])
        found = set(rule.get("one_of", [])) | ({rule["part"]} if "part" in rule else set())
        return found | set(SCHEMA.menus[rule["menu"]] if "menu" in rule else [])

    everything = [*SCHEMA.typed.values(), *SCHEMA.objects.values(), *SCHEMA.views.values()]
    used = {name for fields in everything for rule, _ in fields.values() for name in named(rule)}
    defined = SCHEMA.typed.keys() | SCHEMA.objects.keys()
    assert used <= defined
    assert SCHEMA.interactive <= SCHEMA.typed.keys()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(sorted(SCHEMA.typed)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "elements", "blocks", "rows", "options", "chart", "title", "element", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_gets_a_verdict(value: Any) -> None:
    for problems in (message_problems(value), message_problems([value]), view_problems(value), option_problems(value)):
        assert all(
            problem.line().startswith("[ERROR] ") and problem.entry()["pointer"] is not None for problem in problems
        )
