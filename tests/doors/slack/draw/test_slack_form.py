"""A form from an operation's model: every operation, every kind of parameter, the longest of everything."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from bot import operations
from bot.core import folder
from bot.core.answer import Answer
from bot.core.home import Choice
from bot.core.operation import Look, Operation, OperationRef, Risk, ServiceRef, param
from bot.core.parser import ordered
from bot.doors.slack.draw.form import block_id, form, key, loading, options
from bot.doors.slack.opened import FIELD, PICK, Opened, entries, picked
from bot.sandbox.slack.blockkit.surface import option_problems
from bot.sandbox.slack.interactions import values
from tests.doors.slack import validity

OPERATIONS: dict[str, type[Operation]] = {
    name.replace("_", " "): found for name, found in folder.every(operations).items()
}
SCHEMA = validity.Schema() if validity.MADE.exists() else None  # where `make schemas` was run
LONG = "x" * 63
NAMES = ("s/prod/api", "s/prod/web", "s/dev/api")
SERVICES = [Choice(value=name, text=name, group=name.rpartition("/")[0]) for name in NAMES]


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Every(Look, risk=Risk.READ):
    """Every kind of parameter."""

    service: ServiceRef = param("Service.", positional=True)
    release: str | None = param("Release.", default=None, completes="releases of service")
    operation: OperationRef | None = param("Operation.", default=None, completes="operations")
    size: Size = param("Size.", default=Size.SMALL)
    how: Literal["slow", "fast"] | None = param("How.", default=None)
    count: Annotated[int, Field(ge=1, le=9)] = param("How many.", default=3)
    more: Annotated[int, Field(gt=1, lt=9)] | None = param("How many more.", default=None)
    share: Annotated[float, Field(ge=0.00001, le=1)] = param("How much.", default=0.5)
    loud: bool = param("Loudly.", default=False)
    careful: bool = param("With care.", default=True)
    note: Annotated[str, Field(min_length=2, max_length=40)] = param("Why.")
    parts: tuple[str, ...] = param("Several.", default=())

    def answer(self) -> Answer:
        return Answer(title="")


Every.__module__ = "x.every"
COMMANDS: dict[str, type[Operation]] = {**OPERATIONS, "every": Every}


def drawn(operation: str = "every", *, services: Any = SERVICES, refused: str = "", **entered: Any) -> dict[str, Any]:
    """The form; Slack would take it."""
    opened = Opened(place={"channel": "C0AISQ"}, operation=operation, entered=entered)
    view = form(opened, COMMANDS, {"service": services}, refused)
    assert validity.view(view, SCHEMA) == []
    return view


def element(view: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (block for block in view["blocks"] if block.get("element", {}).get("action_id") == f"{FIELD}{name}")
    return {**found["element"], "optional": found["optional"], "hint": found["hint"]["text"]}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_form_with_all_its_parameters(name: str) -> None:
    view = drawn(name)
    fields = [block for block in view["blocks"] if block["type"] == "input"][1:]
    assert [block["element"]["action_id"].removeprefix(FIELD) for block in fields] == [
        field for field, _ in ordered(OPERATIONS[name])
    ]
    assert all(block["hint"]["text"] for block in fields)
    assert view["submit"]["text"] == {"answer": "Show", "plan": "Plan it", "act": "Do it"}[OPERATIONS[name].verb]
    assert [one["text"]["text"] for one in [picker(view)["initial_option"]]] == [name]


def picker(view: dict[str, Any]) -> dict[str, Any]:
    return next(block["element"] for block in view["blocks"] if block.get("block_id") == PICK)


def test_what_to_do_is_grouped_by_what_it_does() -> None:
    groups = picker(drawn(""))["option_groups"]
    found = {group["label"]["text"]: [one["value"] for one in group["options"]] for group in groups}
    assert list(found) == ["Look", "Change", "Control"]
    assert "status" in found["Look"] and "rollback" in found["Change"] and "approve" in found["Control"]
    assert sorted(name for names in found.values() for name in names) == sorted(COMMANDS)
    assert "initial_option" not in picker(drawn(""))


def test_the_first_view_says_what_to_do_if_it_stays() -> None:
    assert validity.view(loading(), SCHEMA) == []
    assert "aisq help" in str(loading())


ELEMENTS: dict[str, dict[str, Any]] = {
    "service": {"type": "static_select", "optional": False, "hint": "Service."},
    "release": {"type": "external_select", "min_query_length": 0, "optional": True},
    "operation": {"type": "external_select", "optional": True},
    "size": {"type": "static_select", "optional": True, "hint": "Size."},
    "count": {"type": "number_input", "min_value": "1", "max_value": "9", "initial_value": "3"},
    "more": {"type": "number_input", "min_value": "2", "max_value": "8", "is_decimal_allowed": False},
    "share": {"type": "number_input", "min_value": "0.00001", "max_value": "1", "is_decimal_allowed": True},
    "loud": {"type": "checkboxes", "optional": True, "hint": "Loudly."},
    "note": {"type": "plain_text_input", "max_length": 40, "min_length": 2, "optional": False},
    "parts": {"type": "plain_text_input", "optional": True},
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTS)
def test_each_kind_of_parameter_has_its_element(name: str) -> None:
    found = element(drawn(), name)
    assert {part: found.get(part) for part in ELEMENTS[name]} == ELEMENTS[name]


def test_what_is_usual_stands_there_already() -> None:
    view = drawn()
    assert element(view, "size")["initial_option"]["value"] == "small"
    assert element(view, "careful")["initial_options"]
    assert "initial_options" not in element(view, "loud")
    assert "initial_option" not in element(view, "how")
    assert "initial_value" not in element(view, "parts")


def test_what_was_entered_stays() -> None:
    view = drawn(
        service="s/dev/api",
        release="r-1",
        size="large",
        count="5",
        share="many",
        loud=True,
        careful=False,
        note="hello",
    )
    assert element(view, "service")["initial_option"]["value"] == "s/dev/api"
    assert element(view, "release")["initial_option"]["value"] == "r-1"
    assert element(view, "size")["initial_option"]["value"] == "large"
    assert element(view, "count")["initial_value"] == "5"
    assert "initial_value" not in element(view, "share"), "Slack would refuse the view"
    assert element(view, "loud")["initial_options"]
    assert "initial_options" not in element(view, "careful")
    assert element(view, "note")["initial_value"] == "hello"


@pytest.mark.parametrize("count", ["0", "10", "1.5", "-1", "many", "1e9", "NaN", ""])
def test_a_number_that_slack_would_not_let_stand_there_does_not(count: str) -> None:
    assert "initial_value" not in element(drawn(count=count), "count")


def test_what_is_chosen_from_too_many_is_searched() -> None:
    hundred = [Choice(value=f"s/prod/x{number}", group=f"s/e{number}") for number in range(100)]
    assert element(drawn(services=hundred), "service")["type"] == "static_select"
    more = [*hundred, Choice(value="s/prod/one-more", group="s/prod")]
    found = element(drawn(services=more, service="s/prod/x7"), "service")
    assert found["type"] == "external_select"
    assert found["initial_option"]["value"] == "s/prod/x7"
    assert "search" in found["hint"]


def test_the_longest_names_fit_and_stay_apart() -> None:
    places = [f"{LONG}/{LONG}/{LONG[:-1]}{end}" for end in "ab"]
    longest = [Choice(value=place, text=place, group=place.rpartition("/")[0]) for place in places]
    view = drawn(services=longest, service=places[1])
    first, second = element(view, "service")["options"]
    assert first["value"] != second["value"]
    assert element(view, "service")["initial_option"] == second
    assert second["text"]["text"].endswith("b") and second["value"] == key(places[1])


def test_a_group_of_many_and_a_description_that_is_long() -> None:
    choices = [
        Choice(value="x" * 140, text="y" * 200, about="z" * 200),
        Choice(value="a"),
        Choice(value="a"),
        Choice(value=""),
    ]
    assert [one["value"] for one in options(choices)] == ["x" * 140, "a"]
    assert not option_problems({"options": options(choices)})
    assert len(options([Choice(value=str(number)) for number in range(300)])) == 100


def test_a_refusal_stands_on_top_and_what_was_entered_below() -> None:
    view = drawn(refused="Nobody may do that " * 300, note="hello")
    assert "⛔ Nobody may do that" in str(view["blocks"][0])
    assert element(view, "note")["initial_value"] == "hello"


def test_a_block_is_another_where_something_else_is_asked() -> None:
    rollback, unpin = OPERATIONS["rollback"], OPERATIONS["unpin"]
    assert block_id(rollback, "to", {"service": "a"}) != block_id(rollback, "to", {"service": "b"})
    assert block_id(rollback, "reason", {"service": "a"}) == block_id(rollback, "reason", {"service": "b"})
    assert block_id(rollback, "to", {}) != block_id(unpin, "to", {})


def test_only_what_decides_something_is_told_at_once() -> None:
    blocks = {block["element"]["action_id"]: block for block in drawn()["blocks"] if block["type"] == "input"}
    assert sorted(name for name, block in blocks.items() if block.get("dispatch_action")) == [f"{FIELD}service", PICK]


def test_a_form_gives_back_what_stands_in_it() -> None:
    told = {"service": "s/dev/api", "release": "r-1", "note": "hello", "loud": True, "count": "4"}
    view = drawn(**told)
    sent = {**view, "state": {"values": values(view["blocks"])}}
    assert picked(sent) == "every"
    assert entries(sent) == {
        **told, "operation": "", "size": "small", "how": "", "more": "", "share": "0.5", "careful": True, "parts": "",
    }  # fmt: skip
    assert Opened.of(sent).place == {"channel": "C0AISQ"}


def test_too_much_for_a_view_to_remember_is_forgotten_from_the_end() -> None:
    opened = Opened(operation="every", entered={"service": "s/dev/api", "note": "é" * 900, "reason": "x" * 2900})
    kept = Opened.of({"private_metadata": opened.kept()})
    assert (len(opened.kept()) <= 3000, kept.entered["service"], "reason" in kept.entered) == (True, "s/dev/api", False)


@pytest.mark.parametrize("kept", ["", "{}", "not json", '{"place": 3}', None])
def test_a_view_of_another_version_is_an_empty_one(kept: str | None) -> None:
    assert Opened.of({"private_metadata": kept}) == Opened()
