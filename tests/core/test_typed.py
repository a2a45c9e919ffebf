"""A form says the same as the line that is kept of it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field

from bot import operations
from bot.core import folder
from bot.core.answer import Answer
from bot.core.clocktime import Standpoint
from bot.core.errors import UserError
from bot.core.operation import Look, Operation, Risk, param
from bot.core.parser import build, parse, split
from bot.core.request import Form, Target
from bot.core.text import LONGEST, exact_line, plain, words
from bot.core.typed import entered, typed
from bot.engine.registry import Registry

OPERATIONS = {name.replace("_", " "): found for name, found in folder.every(operations).items()}
ANYTHING = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
LIKE_A_LINE = st.text(st.sampled_from("ab-\u2013=, \"'`\\\u201c\u201d\u2018&;<>lt/\u200b\u00a0\u00e9\n"), max_size=30)
SAID = ANYTHING | LIKE_A_LINE
HERE = Standpoint("UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Every(Look, risk=Risk.READ):
    """Every kind of parameter."""

    first: str = param("First.", positional=True)
    second: str | None = param("Second.", positional=True, default=None)
    parts: tuple[str, ...] = param("Several.", default=())
    colour: Colour = param("Which.", default=Colour.RED)
    how: Literal["slow", "fast"] = param("How.", default="slow")
    count: Annotated[int, Field(ge=1, le=9)] = param("How many.", default=3)
    share: float = param("How much.", default=0.5)
    loud: bool = param("Loudly.", default=False)
    careful: bool = param("With care.", default=True)
    note: str = param("Why.", default="")
    rest: str = param("And the rest.", rest=True, default="")

    def answer(self) -> Answer:
        return Answer(title="")


class Several(Look, risk=Risk.READ):
    """Several words without a name."""

    first: str = param("First.", positional=True)
    parts: tuple[str, ...] = param("Several.", positional=True, default=())
    last: str = param("Last.", positional=True, default="")

    def answer(self) -> Answer:
        return Answer(title="")


Every.__module__ = "x.every"
Several.__module__ = "x.several"
OURS: dict[str, type[Operation]] = {"every": Every, "several": Several}


def by_name(text: str, kind: str) -> Any:
    """Everything is called what it is called."""
    if kind == "operation":
        return {"id": text, "operation": "rollback", "requester": "os:ana"}
    return Target(system="s", environment="e", name=text, kind="service", type="t", cloud="c")


def values(operation: type[Operation]) -> st.SearchStrategy[dict[str, str | bool]]:
    fields = {name: st.booleans() if info.annotation is bool else SAID for name, info in operation.model_fields.items()}
    return st.fixed_dictionaries({}, optional=fields)


def same(operation: type[Operation], commands: dict[str, type[Operation]], said: dict[str, str | bool]) -> None:
    """What the form makes, the line makes too; what the form refuses, it refuses in a sentence."""
    try:
        raw = entered(operation, said)
        text = typed(operation, raw, commands)
    except UserError as error:
        assert error.fields
        return
    try:
        made = build(operation, raw, by_name, HERE)
    except UserError:
        return
    found, rest = split(text, commands)
    assert found is operation
    assert build(found, parse(found, rest), by_name, HERE) == made, text


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_form_and_its_line_are_one(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from([*OURS.values(), *OPERATIONS.values()]))
    same(operation, OURS if operation in OURS.values() else OPERATIONS, data.draw(values(operation)))


FORMS: dict[str, tuple[type[Operation], dict[str, str | bool], str]] = {
    "nothing but what is needed": (Every, {"first": "a"}, "every a"),
    "a sentence": (Every, {"first": "a", "note": "5xx since 14:02"}, 'every a --note "5xx since 14:02"'),
    "quotes of a phone": (Every, {"first": "a", "note": "“all” of it"}, r'every a --note "\"all\" of it"'),
    "what is left as it was": (Every, {"first": "a", "count": "3", "careful": True, "note": " "}, "every a"),
    "yes and no": (Every, {"first": "a", "loud": True, "careful": False}, "every a --loud --careful=false"),
    "a value like an option": (Every, {"first": "--loud", "note": "--loud"}, "every --first=--loud --note=--loud"),
    "a value like a named one": (Every, {"first": "note=x"}, "every --first note=x"),
    "a later place alone": (Every, {"second": "b"}, "every --second b"),
    "the rest, last": (Every, {"first": "a", "second": "b", "rest": "x --y", "loud": True}, "every a b --loud x --y"),
    "the rest without the place before it": (Every, {"first": "a", "rest": "x y"}, 'every a --rest "x y"'),
    "the rest like an option": (Every, {"first": "a", "second": "b", "rest": "--loud"}, "every a b --rest=--loud"),
    "several": (Several, {"first": "a", "parts": "x y, z"}, "several a x y z"),
    "several like options": (Several, {"first": "a", "parts": "-x first=y"}, "several a --parts=-x first=y"),
    "after several": (Several, {"first": "a", "parts": "x", "last": "y"}, "several a x --last y"),
    "several without a name for the first": (Several, {"parts": "x"}, "several --parts=x"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_the_line_reads_as_people_would_type_it(name: str) -> None:
    operation, said, wanted = FORMS[name]
    raw = entered(operation, said)
    assert typed(operation, raw, OURS) == wanted
    assert parse(operation, words(wanted)[1:]) == {name: "false" if one is False else one for name, one in raw.items()}


def test_a_group_of_commands_takes_nothing_without_its_name() -> None:
    audit = OPERATIONS["audit"]
    assert typed(audit, {"operation": "verify"}, OPERATIONS) == "audit --operation verify"
    assert typed(audit, {"operation": "verify"}) == "audit verify", "which would be another command"


@given(SAID)
@example("\u2018")
@example("\u2012")
@example("\u2014to &amp; <https:")
@example("a\u200bb")
@settings(deadline=None)
def test_a_value_is_what_it_would_be_as_a_word(said: str) -> None:
    try:
        value = plain(said)
    except UserError:
        return
    assert words(exact_line([value])) == [value]


WRONG: dict[str, tuple[type[Operation], dict[str, str | bool], dict[str, str]]] = {
    "a control character": (Every, {"first": "a\x07b"}, {"first": "There is a control character (U+0007)"}),
    "an open quote": (Every, {"first": "a", "rest": 'say "x'}, {"rest": 'The quote " is not closed'}),
    "too long": (Every, {"first": "a", "note": "x" * (LONGEST + 1)}, {"note": "That is 4,001 characters"}),
    "too much in all": (Every, {"first": "a" * 3000, "note": "x" * 1500}, {"first": "Write less: that makes a"}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_no_line_could_say_is_refused_at_its_field(name: str) -> None:
    operation, said, wanted = WRONG[name]
    with pytest.raises(UserError) as refused:
        typed(operation, entered(operation, said))
    assert refused.value.fields.keys() == wanted.keys()
    for field, sentence in wanted.items():
        assert refused.value.fields[field].startswith(sentence)


def test_a_parameter_that_there_is_not() -> None:
    with pytest.raises(UserError, match="`every` has no parameter `colours`"):
        entered(Every, {"first": "a", "colours": "red"})


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(UserError) as refused:
        build(Every, {"count": "many", "colour": "green", "how": "x"})
    assert refused.value.fields == {
        "first": "this is needed: First.",
        "count": "write a whole number, not `many`.",
        "colour": "write red or blue, not `green`.",
        "how": "write slow or fast, not `x`.",
    }
    assert str(refused.value).startswith("`<first>` is missing")


def test_a_name_that_nobody_knows_is_wrong_at_its_field() -> None:
    def unknown(text: str, kind: str) -> Any:
        raise UserError(f"no {kind} `{text}`", choices=("backend",))

    registry = Registry(OPERATIONS)
    with pytest.raises(UserError) as refused:
        registry.fill(Form(operation="rollback", values={"service": "bakend"}), unknown, HERE)
    assert refused.value.fields == {"service": "no service|group|environment|system `bakend`"}
    assert refused.value.choices == ("backend",)


def test_a_form_of_a_command_that_there_is_not() -> None:
    with pytest.raises(UserError, match="I don't know `rolback`"):
        Registry(OPERATIONS).fill(Form(operation="rolback"), by_name, HERE)
