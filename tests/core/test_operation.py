"""What an operation is, and what is refused when a class breaks its rules."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from bot.core.answer import Answer
from bot.core.operation import (
    Change,
    Control,
    Look,
    OperationRef,
    Reference,
    Risk,
    ServiceRef,
    marks,
    needs,
    param,
    reference_of,
)
from bot.core.plan import Checked, Plan
from bot.core.ports import ComputeReads
from bot.core.request import Actor, Subject, Target

TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")
SUBJECT = Subject(id="7k3q", operation="rollback", requester="slack:U0ANA", target=TARGET)


class Shift(Change, risk=Risk.ROLLOUT, examples=("shift backend",)):
    """Shifts."""

    service: ServiceRef = param("Service.", positional=True)
    other: ServiceRef | None = param("Other service.", default=None, completes="services")

    def plan(self, compute: ComputeReads, actor: Actor) -> Plan:
        raise AssertionError("not planned here")

    def check_serving(self, compute: ComputeReads, traffic: dict[str, int]) -> Checked:
        raise AssertionError("not checked here")


class Stop(Control, risk=Risk.CONTROL, aliases=("halt",)):
    """Stops."""

    def act(self) -> Answer:
        raise AssertionError("not done here")


class Peek(Look, risk=Risk.READ):
    """Peeks."""

    about: OperationRef | None = param("Operation.", default=None)
    words: str = param("Words.", rest=True, default="")

    def answer(self) -> Answer:
        raise AssertionError("not answered here")


def test_the_class_says_what_it_is() -> None:
    assert (Shift.risk, Shift.verb, Shift.examples, Shift.aliases) == (Risk.ROLLOUT, "plan", ("shift backend",), ())
    assert (Stop.risk, Stop.verb, Stop.aliases) == (Risk.CONTROL, "act", ("halt",))
    assert (Peek.risk, Peek.verb) == (Risk.READ, "answer")


def test_the_command_is_the_name_of_the_file() -> None:
    assert Shift.command() == "test operation"


def test_every_change_has_a_reason_an_emergency_and_a_dry_run() -> None:
    made = Shift(service=TARGET)
    assert (made.reason, made.break_glass, made.dry_run) == ("", "", False)


def test_an_operation_is_frozen_and_takes_nothing_else() -> None:
    made = Shift(service=TARGET)
    with pytest.raises(ValidationError, match="frozen"):
        made.reason = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Shift.model_validate({"service": TARGET, "more": 1})


@pytest.mark.parametrize(
    "operation, target",
    [
        (Shift(service=TARGET), TARGET),
        (Shift(service=TARGET, other=TARGET.model_copy(update={"name": "b"})), TARGET),
        (Stop(operation=SUBJECT), TARGET),
        (Stop(operation=SUBJECT.model_copy(update={"target": None})), None),
        (Peek(about=SUBJECT), TARGET),
        (Peek(), None),
    ],
)
def test_what_an_operation_is_about(operation: Any, target: Target | None) -> None:
    assert operation.target == target


def test_a_name_is_looked_up_by_its_kind() -> None:
    asked: list[tuple[str, str]] = []

    def resolve(text: str, kind: str) -> Target | Subject:
        asked.append((text, kind))
        return TARGET if kind == "service" else SUBJECT

    context = {"resolve": resolve}
    assert Shift.model_validate({"service": "backend", "other": "b"}, context=context).other == TARGET
    assert Stop.model_validate({"operation": "7k"}, context=context).operation == SUBJECT
    assert asked == [("backend", "service"), ("b", "service"), ("7k", "operation")]


@pytest.mark.parametrize("context", [None, {}, {"resolve": lambda text, kind: pytest.fail("it was looked up")}])
def test_what_is_whole_is_not_looked_up(context: dict[str, Any] | None) -> None:
    stored = {"service": TARGET.model_dump(mode="json")}
    assert Shift.model_validate(stored, context=context).service == TARGET


def test_a_reference_is_a_text_to_whoever_fills_in_a_form() -> None:
    assert Shift.model_json_schema()["properties"]["service"]["type"] == "string"


@pytest.mark.parametrize(
    "operation, name, kind",
    [(Shift, "service", "service"), (Shift, "other", "service"), (Stop, "operation", "operation"),
     (Peek, "about", "operation"), (Peek, "words", None), (Shift, "dry_run", None)],
)  # fmt: skip
def test_references(operation: Any, name: str, kind: str | None) -> None:
    assert reference_of(operation.model_fields[name]) == (Reference(kind) if kind else None)


@pytest.mark.parametrize(
    "operation, name, expected",
    [
        (Shift, "service", {"positional": True, "rest": False, "completes": "", "value": ""}),
        (Shift, "other", {"positional": False, "rest": False, "completes": "services", "value": ""}),
        (Peek, "words", {"positional": True, "rest": True, "completes": "", "value": ""}),
    ],
)
def test_marks(operation: Any, name: str, expected: dict[str, Any]) -> None:
    assert marks(operation.model_fields[name]) == expected


def test_a_field_that_is_no_parameter_has_no_marks() -> None:
    class Other(BaseModel):
        plain: str = ""
        noted: str = Field("", json_schema_extra={"aisq": "no"})

    assert [marks(field) for field in Other.model_fields.values()] == [{}, {}]


def test_needs_are_the_types_of_a_method() -> None:
    assert needs(Shift) == {"compute": ComputeReads, "actor": Actor}
    assert needs(Shift, "check_serving") == {"compute": ComputeReads, "traffic": dict[str, int]}
    assert needs(Peek) == {}


def test_what_has_no_verb_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Mute has no plan\(\)"):

        class Mute(Change, risk=Risk.READ):
            """Says nothing."""


@pytest.mark.parametrize("doc", [None, "", "No full stop"])
def test_what_has_no_sentence_is_refused(doc: str | None) -> None:
    with pytest.raises(TypeError, match="Dumb needs a docstring: the sentence that its help shows"):
        type(Look)("Dumb", (Look,), {"__doc__": doc, "__module__": __name__, "answer": Peek.answer}, risk=Risk.READ)


def test_a_target_is_named_in_full() -> None:
    assert (str(TARGET), TARGET.full_name) == ("shop/prod/backend", "shop/prod/backend")
