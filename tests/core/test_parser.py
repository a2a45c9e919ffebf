"""From a line to an operation's parameters: the shipped operations, and one that has every kind of parameter."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from bot import operations
from bot.core import folder, parser
from bot.core.answer import Answer
from bot.core.clocktime import Standpoint
from bot.core.errors import UserError
from bot.core.operation import Look, Operation, OperationRef, Risk, ServiceRef, param
from bot.core.request import Subject, Target

Raw = dict[str, Any]
HERE = Standpoint("UTC", datetime(2026, 11, 20, 12, tzinfo=UTC))
COMMANDS = {one.command(): one for one in folder.every(operations).values()}
KNOWN = {**COMMANDS, "ops": COMMANDS["ops list"]}
TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Everything(Look, risk=Risk.READ):
    """Has a parameter of every kind."""

    service: ServiceRef | None = param("Service.", positional=True, default=None)
    names: list[str] = param("Names.", positional=True, default=[])
    colour: Colour = param("Colour.", default=Colour.RED)
    size: Literal["s", "m"] | None = param("Size.", default=None)
    count: int | None = param("Count.", default=None)
    share: float = param("Share.", default=1.0)
    deep: bool = param("Deep.", default=False)
    within_s: int = param("Within.", default=5)
    about: OperationRef | None = param("Operation.", default=None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.count == 13:
            raise ValueError("13 of something is never right; write another count.")
        return self

    def answer(self) -> Answer:
        raise AssertionError("only read")


def resolve(text: str, kind: str) -> Target | Subject:
    if text == "nowhere":
        raise UserError("no service `nowhere`", choices=("backend",))
    return Subject(id=text, operation="rollback", requester="slack:U0ANA") if kind == "operation" else TARGET


def said(line: str) -> tuple[str, Raw]:
    operation, after = parser.split(line, KNOWN)
    return operation.command(), parser.parse(operation, after)


def refusal(act: Callable[[], Any]) -> UserError:
    with pytest.raises(UserError) as caught:
        act()
    return caught.value


READ = [
    ("rollback backend", "rollback", {"service": "backend"}),
    ("Rollback backend", "rollback", {"service": "backend"}),
    ("rollback", "rollback", {}),
    ("rollback backend --to x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback --to x backend", "rollback", {"service": "backend", "to": "x"}),
    ("rollback backend --to=x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback backend -to x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback backend \u2014to x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback backend --To x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback backend to=x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback service=backend TO=x", "rollback", {"service": "backend", "to": "x"}),
    ("rollback --service backend", "rollback", {"service": "backend"}),
    ('rollback backend --reason "a = b"', "rollback", {"service": "backend", "reason": "a = b"}),
    ('rollback backend --reason "--to was wrong"', "rollback", {"service": "backend", "reason": "--to was wrong"}),
    ("rollback backend --reason=--to", "rollback", {"service": "backend", "reason": "--to"}),
    ('rollback backend --reason ""', "rollback", {"service": "backend", "reason": ""}),
    ("rollback backend --reason -5", "rollback", {"service": "backend", "reason": "-5"}),
    ("rollback backend --dry-run", "rollback", {"service": "backend", "dry_run": True}),
    ("rollback backend --dry_run", "rollback", {"service": "backend", "dry_run": True}),
    ("rollback backend dry_run=yes", "rollback", {"service": "backend", "dry_run": "yes"}),
    ("rollback backend dry-run=no", "rollback", {"service": "backend", "dry_run": "no"}),
    (
        "rollback backend --break-glass \u201call down\u201d",
        "rollback",
        {"service": "backend", "break_glass": "all down"},
    ),
    ("traffic backend A=90 B=10", "traffic", {"service": "backend", "split": ["A=90", "B=10"]}),
    ("traffic backend A=90,B=10", "traffic", {"service": "backend", "split": ["A=90", "B=10"]}),
    ("traffic backend A=90 --rest B=5", "traffic", {"service": "backend", "split": ["A=90", "B=5"], "rest": True}),
    ("traffic backend --split A=90 B=10", "traffic", {"service": "backend", "split": ["A=90", "B=10"]}),
    ("traffic backend reason=9", "traffic", {"service": "backend", "split": ["reason=9"]}),
    ("why rollback backend --to x", "why", {"wanted": "rollback backend --to x"}),
    ('why deny 7k3q --reason "wait for ben"', "why", {"wanted": 'deny 7k3q --reason "wait for ben"'}),
    (r'why deny 7k3q --reason "say \"hi\""', "why", {"wanted": r'deny 7k3q --reason "say \"hi\""'}),
    ("help ops show", "help", {"topic": "ops show"}),
    ("help", "help", {}),
    ("ops", "ops list", {}),
    ("OPS List", "ops list", {}),
    ("ops --open", "ops list", {"open": True}),
    ("ops show 7k3q", "ops show", {"operation": "7k3q"}),
    ("audit 7k3q", "audit", {"operation": "7k3q"}),
    ("audit verify --head 9f2c", "audit verify", {"head": "9f2c"}),
    ("approve 7k3q --digest ab12", "approve", {"operation": "7k3q", "digest": "ab12"}),
]


@pytest.mark.parametrize("line, command, raw", READ, ids=[ascii(line) for line, *_ in READ])
def test_lines_that_are_understood(line: str, command: str, raw: Raw) -> None:
    assert said(line) == (command, raw)


ROLLBACK = "Usage: `rollback <service> [--to RELEASE|TIME] [--reason REASON] [--break-glass REASON] [--dry-run]`"
UNKNOWN = "`help` lists what there is."
REFUSED = [
    ("", "Say what to do; `help` lists what there is."),
    ("  \u200b ", "Say what to do; `help` lists what there is."),
    ("rolback backend", f"I don't know `rolback`. Did you mean `rollback`? {UNKNOWN}"),
    ("rollbak", f"I don't know `rollbak`. Did you mean `rollback`? {UNKNOWN}"),
    ("statsu backend", f"I don't know `statsu`. Did you mean `status`? {UNKNOWN}"),
    ("undo 7k3q", f"I don't know `undo`. Did you mean `ops undo` or `unlock`? {UNKNOWN}"),
    ("list ops", f"I don't know `list`. Did you mean `ops list`? {UNKNOWN}"),
    ("opslist", f"I don't know `opslist`. Did you mean `ops list`? {UNKNOWN}"),
    ("ops shw 7k3q", f"I don't know `ops shw`. Did you mean `ops show`? {UNKNOWN}"),
    ("ops undoo", f"I don't know `ops undoo`. Did you mean `ops undo`? {UNKNOWN}"),
    ("audit verfy", f"I don't know `audit verfy`. Did you mean `audit verify`? {UNKNOWN}"),
    ("make coffee", f"I don't know `make`. {UNKNOWN}"),
    ("x" * 3000, f"I don't know `{'x' * 40}…`. {UNKNOWN}"),
    ("rollback backend --too x", f"`rollback` has no option `--too`. Did you mean `--to`? {ROLLBACK}"),
    ("rollback backend -t x", f"`rollback` has no option `-t`. Did you mean `--to`? {ROLLBACK}"),
    ("rollback backend --zzz", f"`rollback` has no option `--zzz`. {ROLLBACK}"),
    (f"rollback --{'z' * 3000}", f"`rollback` has no option `--{'z' * 38}…`. {ROLLBACK}"),
    ("rollback backend --to a --to b", f"`--to` is given twice. {ROLLBACK}"),
    ("rollback backend --dry-run --dry-run", f"`--dry-run` is given twice. {ROLLBACK}"),
    ("rollback backend service=other", f"`<service>` is given twice. {ROLLBACK}"),
    ("rollback backend --to", f"`--to` needs a value. {ROLLBACK}"),
    ("rollback backend --to --reason x", f"`--to` needs a value. {ROLLBACK}"),
    ("rollback backend --reason --too=x", f"`--reason` needs a value. {ROLLBACK}"),
    ("rollback backend to x", f"`to` is one word too many; did you mean `--to`? {ROLLBACK}"),
    ("rollback backend -- to x", f"`--` is one word too many; did you mean `--to`, in one? {ROLLBACK}"),
    (
        "rollback backend --reason 5xx spike",
        f"`spike` is one word too many; put a text with spaces in quotes. {ROLLBACK}",
    ),
    (
        f"rollback backend {'y' * 3000}",
        f"`{'y' * 40}…` is one word too many; put a text with spaces in quotes. {ROLLBACK}",
    ),
    ("ops list everything", "`everything` is one word too many; put a text with spaces in quotes."
     " Usage: `ops list [--service SERVICE] [--open] [--limit LIMIT]`"),
]  # fmt: skip


@pytest.mark.parametrize("line, says", REFUSED, ids=[ascii(line[:40]) for line, _ in REFUSED])
def test_lines_that_are_not(line: str, says: str) -> None:
    assert str(refusal(lambda: said(line))) == says


@pytest.mark.parametrize("line", ["rolback backend", "ops shw", "undo", "statsu"])
def test_choices_are_commands(line: str) -> None:
    choices = refusal(lambda: said(line)).choices
    assert choices and all(choice in KNOWN for choice in choices)


BUILT = [
    ({"service": "backend"}, {"service": TARGET}),
    ({"service": TARGET.model_dump()}, {"service": TARGET}),
    ({"names": ["a", "b"], "colour": "blue", "size": "m"}, {"names": ["a", "b"], "colour": Colour.BLUE, "size": "m"}),
    ({"count": "7", "share": "0.5", "deep": "yes"}, {"count": 7, "share": 0.5, "deep": True}),
    ({"about": "7k3q"}, {"about": Subject(id="7k3q", operation="rollback", requester="slack:U0ANA")}),
]
SIZES = (
    "`test parser` has no parameter `wrong`. Usage: `test parser [<service>] [<names>] [--colour red|blue]"
    " [--size s|m] [--count COUNT] [--share SHARE] [--deep] [--within-s WITHIN_S] [--about ABOUT]`"
)
MISBUILT = [
    ({"count": "many"}, "`--count`: write a whole number, not `many`."),
    ({"count": "1.5"}, "`--count`: write a whole number, not `1.5`."),
    ({"within_s": "soon"}, "`--within-s`: write a whole number, not `soon`."),
    ({"count": "9" * 4301}, f"`--count`: write a smaller number, not `{'9' * 40}…`."),
    ({"share": "half"}, "`--share`: write a number, not `half`."),
    ({"deep": "maybe"}, "`--deep`: write true or false, not `maybe`."),
    ({"colour": "green"}, "`--colour`: write red or blue, not `green`."),
    ({"size": "xl"}, "`--size`: write s or m, not `xl`."),
    ({"names": 5}, "`<names>`: Input should be a valid list."),
    ({"count": "13"}, "13 of something is never right; write another count."),
    ({"wrong": "x"}, SIZES),
    ({"service": "nowhere"}, "no service `nowhere`"),
]


@pytest.mark.parametrize("raw, expected", BUILT)
def test_what_can_be_built(raw: Raw, expected: Raw) -> None:
    built = parser.build(Everything, raw, resolve)
    assert {name: getattr(built, name) for name in expected} == expected


@pytest.mark.parametrize("raw, says", MISBUILT, ids=[says[:40] for _, says in MISBUILT])
def test_what_cannot(raw: Raw, says: str) -> None:
    assert str(refusal(lambda: parser.build(Everything, raw, resolve))) == says


class Bounded(Look, risk=Risk.READ):
    """Has parameters with bounds."""

    percent: Annotated[int, Field(ge=1, le=50)] = param("Percent.", default=5)
    share: Annotated[float, Field(gt=0, lt=1)] = param("Share.", default=0.5)

    def answer(self) -> Answer:
        raise AssertionError("only read")


@pytest.mark.parametrize(
    "raw, says",
    [
        ({"percent": "0"}, "`--percent`: write 1 or more, not `0`."),
        ({"percent": "51"}, "`--percent`: write 50 or less, not `51`."),
        ({"percent": "{gt}"}, "`--percent`: write a whole number, not `{gt}`."),
        ({"share": "0"}, "`--share`: write more than 0.0, not `0`."),
        ({"share": "1"}, "`--share`: write less than 1.0, not `1`."),
    ],
)
def test_a_number_out_of_bounds_says_the_bound(raw: Raw, says: str) -> None:
    assert str(refusal(lambda: parser.build(Bounded, raw))) == says


def test_choices_of_a_name_survive() -> None:
    assert refusal(lambda: parser.build(Everything, {"service": "nowhere"}, resolve)).choices == ("backend",)


@pytest.mark.parametrize(
    "command, raw, says",
    [
        ("rollback", {}, f"`<service>` is missing: Service to roll back, or a group or a system. {ROLLBACK}"),
        ("approve", {}, "`<operation>` is missing: Operation, as `ops` lists it."
         " Usage: `approve <operation> [--digest DIGEST]`"),
        ("traffic", {"service": "b", "split": ["A"]},
         "`<split>`: write RELEASE=PERCENT in whole percents, such as A=90 B=10, not `A`."),
    ],
)  # fmt: skip
def test_shipped_operations_say_what_is_missing(command: str, raw: Raw, says: str) -> None:
    assert str(refusal(lambda: parser.build(COMMANDS[command], raw, resolve))) == says


def test_without_a_resolver_targets_must_be_whole() -> None:
    stored = {"service": TARGET.model_dump(mode="json"), "to": "x"}
    assert parser.build(COMMANDS["rollback"], stored).target == TARGET
    assert "`<service>`" in str(refusal(lambda: parser.build(COMMANDS["rollback"], {"service": "backend"})))


def test_usage_shows_every_parameter() -> None:
    assert parser.usage(COMMANDS["rollback"]) == ROLLBACK.removeprefix("Usage: ").strip("`")
    assert parser.usage(COMMANDS["traffic"]).startswith("traffic <service> <split> [--rest] [--reason")
    assert parser.usage(COMMANDS["whoami"]) == "whoami"
    assert "[--weights PERCENTS] [--bake DURATION]" in parser.usage(COMMANDS["deploy"])
    assert "[--source ENVIRONMENT] [--image DIGEST]" in parser.usage(COMMANDS["promote"])
    assert SIZES.endswith(f"`{parser.usage(Everything)}`")


@pytest.mark.parametrize(
    "name, values",
    [("colour", ("red", "blue")), ("size", ("s", "m")), ("count", ()), ("names", ()), ("service", ())],
)
def test_values_that_a_type_lists(name: str, values: tuple[str, ...]) -> None:
    field = Everything.model_fields[name]
    assert (parser.listed(field), parser.is_many(field)) == (values, name == "names")


def test_help_says_each_parameter_in_a_sentence() -> None:
    assert parser.help_rows(Everything) == (
        ("<service>", "Service. Written [system/[environment/]]name."),
        ("<names>", "Names."),
        ("--colour", "Colour. One of red|blue."),
        ("--size", "Size. One of s|m."),
        ("--count", "Count."),
        ("--share", "Share."),
        ("--deep", "Deep."),
        ("--within-s", "Within."),
        ("--about", "Operation."),
    )


@pytest.mark.parametrize("operation", COMMANDS.values(), ids=COMMANDS)
def test_every_shipped_parameter_has_a_sentence(operation: type[Operation]) -> None:
    assert all(meaning.endswith(".") and meaning[0].isupper() for _, meaning in parser.help_rows(operation))


@pytest.mark.parametrize("operation", COMMANDS.values(), ids=COMMANDS)
def test_every_example_is_understood(operation: type[Operation]) -> None:
    for example_line in operation.examples:
        found, after = parser.split(example_line, KNOWN)
        assert found is operation
        assert isinstance(parser.build(found, parser.parse(found, after), resolve, HERE), operation)


@pytest.mark.parametrize(
    "word, known, expected",
    [
        ("backnd", ["backend", "frontend"], ("backend",)),
        ("end", ["backend", "frontend", "lb"], ("backend", "frontend")),
        ("lb", ["lb2", "albatross"], ("lb2",)),
        ("backend-0004", ["backend-00042", "backend-00041", "backend-00040", "backend-00039"],
         ("backend-00042", "backend-00041", "backend-00040")),
        ("zzz", ["backend"], ()),
        ("x", [], ()),
    ],
)  # fmt: skip
def test_near(word: str, known: list[str], expected: tuple[str, ...]) -> None:
    assert parser.near(word, known) == expected


def test_near_gives_no_more_than_asked_for() -> None:
    assert parser.near("backend", ["backend1", "backend2"], most=1) == ("backend2",)


@pytest.mark.parametrize(
    "names, says", [((), ""), (("a",), " Did you mean `a`?"), (("a", "b"), " Did you mean `a` or `b`?")]
)
def test_did_you_mean(names: tuple[str, ...], says: str) -> None:
    assert parser.did_you_mean(names) == says


pieces = st.sampled_from(
    [*KNOWN, "backend", "--to", "\u2014to", "A=90", "--reason", "=", '"', "'", "-", "\x00", "x=1,y=2"]
)
lines = st.lists(pieces | st.text(st.characters(codec=None), max_size=12), max_size=9).map(" ".join)


@given(lines | st.text(st.characters(codec=None), max_size=80))
@example("why " + "x" * 3990)
@example("x " * 2000)
@example("traffic b " + ",".join(["A=1"] * 900))
@example("\u0130" * 50)
@example("x" * 20_000)
def test_any_line_is_an_operation_or_a_sentence(line: str) -> None:
    try:
        operation, after = parser.split(line, KNOWN)
        parser.build(operation, parser.parse(operation, after), resolve, HERE)
    except UserError as error:
        assert 0 < len(str(error)) < 600
