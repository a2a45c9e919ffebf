"""What holds for every operation and every port, whoever adds the next one."""

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest

from bot import operations
from bot.core import folder, ports, system
from bot.core.answer import Answer
from bot.core.catalog import Catalog
from bot.core.clocktime import Standpoint
from bot.core.commands import claimed
from bot.core.deploying import DEPLOYING
from bot.core.operation import Change, Control, Look, Operation, Risk, marks, needs, param, reference_of
from bot.core.pages import page, sentence
from bot.core.parser import build, parse, split, usage
from bot.core.plan import Checked, Moment, Plan
from bot.core.ports import PORTS, SUBJECTS, Effect
from bot.core.request import Actor, Request, Subject, Target
from bot.core.rules import Freezes, acts
from bot.doors.cli.administration import COMMANDS, SANDBOX
from bot.engine.policy.schema import schema
from bot.sandbox.story import stories

OPERATIONS: dict[str, type[Operation]] = {name: folder.load(operations, name) for name in folder.names(operations)}
CHANGES = {name: one for name, one in OPERATIONS.items() if issubclass(one, Change)}
KINDS: tuple[type[Operation], ...] = (Look, Change, Control)
COLUMNS = 100
HERE = Standpoint("UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))
TARGET = Target(system="shop", environment="prod", name="till", kind="service", type="paper_cloud", cloud="paper")
READS = [port for port in PORTS.values() if port.__name__.endswith("Reads")]
RECORDS = [one for name, one in vars(system).items() if name.endswith("Reads")]
# What an operation may be handed: looks at platforms, looks at our records, and what the engine knows of the request.
OFFERED = {*READS, *RECORDS, system.Directory, Catalog, Freezes, Actor, Moment, Request}
ACTING = {system.Desk, system.Manual}  # these ask policy themselves

every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
every_change = pytest.mark.parametrize("operation", CHANGES.values(), ids=CHANGES)


def test_only_what_brings_out_a_release_is_judged() -> None:
    """A check is of the operation that plans it, so no rollback, no undo and no shift of traffic waits for a judge."""
    assert {name for name, one in OPERATIONS.items() if hasattr(one, "check_judged")} == set(DEPLOYING)


def test_whoever_changes_something_is_killed_at_every_boundary() -> None:
    told = {name.partition(",")[0] for name in stories()}
    assert told == {name.replace("_", " ") for name in CHANGES}, "tell its story in bot/sandbox/stories.yaml"


def resolve(_: str, kind: str) -> Target | Subject:
    return Subject(id="7k3q", operation="x", requester="os:ana", target=TARGET) if kind == "operation" else TARGET


def kind_of(operation: type[Operation]) -> type[Operation]:
    """Which of the three it is."""
    (kind,) = (kind for kind in KINDS if issubclass(operation, kind))
    return kind


def own(operation: type[Operation]) -> dict[str, Any]:
    """The parameters that not every operation of its kind has."""
    return {
        name: field for name, field in operation.model_fields.items() if name not in kind_of(operation).model_fields
    }


# --- operations


@every_operation
def test_it_is_of_one_kind_with_a_risk_that_fits(operation: type[Operation]) -> None:
    reads, controls = operation.risk is Risk.READ, operation.risk is Risk.CONTROL
    assert kind_of(operation) is (Look if reads else Control if controls else Change)


@every_operation
def test_its_sentence_is_one_and_fits_a_line(operation: type[Operation]) -> None:
    said = sentence(operation)
    assert said.endswith(".") and said[0].isupper() and "\n" not in said
    assert len(said) <= COLUMNS and ". " not in said


@every_operation
def test_it_has_examples_if_anything_can_be_said(operation: type[Operation]) -> None:
    assert bool(operation.examples) == bool(operation.model_fields)
    words = claimed({one.command(): one for one in OPERATIONS.values()})
    for example in operation.examples:
        found, said = split(example, words)
        assert found is operation
        assert isinstance(build(found, parse(found, said), resolve, HERE), operation)


@every_operation
def test_its_usage_fits_three_lines_of_a_terminal(operation: type[Operation]) -> None:
    """Its own part of it: what every change has comes last, and is the same everywhere."""
    whole = usage(operation)
    mine = whole.partition(" [--reason REASON] [--break-glass")[0]
    assert len(mine) <= 3 * 80
    assert whole.startswith(operation.command())


@every_operation
def test_its_page_shows_every_parameter(operation: type[Operation]) -> None:
    (table,) = (part for part in page(operation).parts if part.is_ == "table")
    assert len(table.rows) == len(operation.model_fields)


@every_operation
def test_it_has_a_schema_for_machines(operation: type[Operation]) -> None:
    made = operation.model_json_schema()
    assert json.loads(json.dumps(made)) == made
    assert made["additionalProperties"] is False
    assert set(made["properties"]) == set(operation.model_fields)
    assert all(field["description"].endswith(".") for field in made["properties"].values())


@every_operation
def test_no_parameter_hides_one_that_all_have(operation: type[Operation]) -> None:
    kind = kind_of(operation)
    for base in operation.__mro__[: operation.__mro__.index(kind)]:
        assert not set(inspect.get_annotations(base)) & set(kind.model_fields), base
    assert not set(operation.model_fields) & {"json", "here", "no_wait", "as", "channel", "help"}, "the terminal's own"


@every_operation
def test_words_without_names_come_in_an_order(operation: type[Operation]) -> None:
    """Who takes all that is left, or many, is the last one; who may be left out stands behind who may not."""
    free = [field for field in operation.model_fields.values() if marks(field).get("positional")]
    assert [field.is_required() for field in free] == sorted((field.is_required() for field in free), reverse=True)
    assert not any(marks(field).get("rest") for field in free[:-1])


@every_operation
def test_its_verb_asks_only_for_what_is_offered(operation: type[Operation]) -> None:
    asked = set(needs(operation).values())
    assert asked <= (OFFERED if issubclass(operation, Change) else OFFERED | ACTING)


@every_change
def test_planning_can_only_read(operation: type[Operation]) -> None:
    asked = needs(operation)
    assert asked, "a plan is made from what is seen"
    for kind in asked.values():
        assert kind.__name__.endswith("Reads") or kind in (Catalog, Freezes, Actor, Moment, Request)
    assert get_type_hints(operation.plan)["return"] is Plan  # type: ignore[attr-defined]


@every_change
def test_its_looks_can_only_read_too(operation: type[Operation]) -> None:
    looks = [name for name in dir(operation) if name.startswith(("check_", "judge_"))]
    for name in looks:
        hints = get_type_hints(getattr(operation, name))
        assert hints.pop("return") is Checked
        assert not {kind for kind in hints.values() if kind in PORTS.values()} - set(READS)


@every_change
def test_it_names_a_target_first(operation: type[Operation]) -> None:
    """Policy, the mutex and every message are about it."""
    first = next(iter(own(operation).values()))
    assert reference_of(first) is not None and first.is_required() and marks(first)["positional"]


@every_operation
def test_what_it_answers_is_an_answer(operation: type[Operation]) -> None:
    wanted = Plan if issubclass(operation, Change) else Answer
    assert get_type_hints(getattr(operation, operation.verb))["return"] is wanted


def test_policy_knows_every_command() -> None:
    known = {one.command(): one for one in OPERATIONS.values()}
    text = schema(acts(known))
    for command, one in known.items():
        assert f'action {json.dumps(command)} in ["{one.risk}"]' in text


def test_no_command_is_the_terminals_own() -> None:
    assert claimed({one.command(): one for one in OPERATIONS.values()}, taken=(*COMMANDS, SANDBOX))


# --- ports


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every method of every port, where it is declared."""
    for port in PORTS.values():
        for name, method in vars(port).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                yield f"{port.__name__}.{name}", method


METHODS = dict(methods())
every_method = pytest.mark.parametrize("name, method", METHODS.items(), ids=METHODS)


def test_the_list_of_ports_is_whole() -> None:
    protocols = {
        name
        for name, one in vars(ports).items()
        if getattr(one, "_is_protocol", False) and one.__module__ == ports.__name__
    }
    assert protocols == set(PORTS) == {port.__name__ for port in SUBJECTS}
    assert len(set(SUBJECTS.values())) == len(SUBJECTS)


@every_method
def test_a_method_names_its_target(name: str, method: Callable[..., Any]) -> None:
    assert list(get_type_hints(method).values()).count(Target) == 1
    assert get_type_hints(method)["target"] is Target


@every_method
def test_a_write_takes_its_effect_first_and_by_place(name: str, method: Callable[..., Any]) -> None:
    """`step()` names a write by all that follows; a read takes none."""
    hints, parameters = get_type_hints(method), list(inspect.signature(method).parameters.values())
    writes = not name.partition(".")[0].endswith("Reads") and not name.startswith("Effects.")
    assert (Effect in hints.values()) == writes
    if writes:
        assert parameters[1].kind is inspect.Parameter.POSITIONAL_ONLY and hints[parameters[1].name] is Effect
        assert hints["return"] is str, "the cloud's operation id"


@every_method
def test_no_two_ports_share_a_method(name: str, method: Callable[..., Any]) -> None:
    """A provider is picked by the method alone."""
    short = name.partition(".")[2]
    assert [one for one in METHODS if one.partition(".")[2] == short] == [name]


# --- the rules see what they are for


def test_a_rule_that_is_broken_is_seen() -> None:
    class Greedy(Change, risk=Risk.OPERATE):
        """Ask for more than is good. Really."""

        reason: int = param("Not the reason that all have.", default=5)

        def plan(self, compute: ports.Compute) -> Plan:
            raise AssertionError("never called")

    broken = (
        test_its_sentence_is_one_and_fits_a_line,
        test_it_has_examples_if_anything_can_be_said,
        test_no_parameter_hides_one_that_all_have,
        test_its_verb_asks_only_for_what_is_offered,
        test_planning_can_only_read,
    )
    for rule in broken:
        with pytest.raises(AssertionError):
            rule(Greedy)
    with pytest.raises(StopIteration):
        test_it_names_a_target_first(Greedy)
