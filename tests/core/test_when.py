"""Fields that take a time: how they are written, read, kept and explained."""

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import pytest
from pydantic import AwareDatetime, ValidationError

from bot.core.answer import Answer
from bot.core.clocktime import Standpoint
from bot.core.errors import UserError
from bot.core.operation import Look, Operation, Risk, param
from bot.core.pages import page
from bot.core.parser import build, help_rows, parse, usage
from bot.core.request import Target
from bot.core.text import words
from bot.core.typed import entered, typed
from bot.core.when import Ahead, Past, ReleaseOrPast, When, when_of

HERE = Standpoint("Europe/Berlin", datetime(2026, 11, 20, 12, tzinfo=UTC))
TARGET = Target(system="shop", environment="prod", name="backend", kind="service", type="cloud_run", cloud="gcp")


class Timed(Look, risk=Risk.READ):
    """Take every kind of time."""

    since: Past | None = param("Since when.", default=None)
    until: Ahead | None = param("Until when.", default=None)
    to: ReleaseOrPast | None = param("Where to.", default=None)
    ending: Annotated[AwareDatetime | Literal["never"], When(ahead=True, word="never")] = param(
        "When it ends.", default="never"
    )
    limit: int = param("How many.", default=5)
    find: str = param("What to find.", rest=True, default="")

    def answer(self) -> Answer:
        raise AssertionError("only read")


class Needed(Look, risk=Risk.READ):
    """Need a time."""

    until: Ahead = param("Until when.")
    to: ReleaseOrPast = param("Where to.")

    def answer(self) -> Answer:
        raise AssertionError("only read")


Timed.__module__, Needed.__module__ = "x.timed", "x.needed"


def resolve(text: str, kind: str) -> Target:
    raise AssertionError("nothing is named")


def made(operation: type[Operation], line: str) -> Operation:
    return build(operation, parse(operation, words(line)), resolve, HERE)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+00:00")


READ = [
    ("--since 11:05", {"since": utc("20T10:05")}),
    ("--since 11:05 UTC", {"since": utc("20T11:05")}),
    ("--since yesterday 11:05 UTC --limit 3", {"since": utc("19T11:05"), "limit": 3}),
    ("--since yesterday 11:05 Asia/Tokyo timeout", {"since": utc("19T02:05"), "find": "timeout"}),
    ("--since 2026-11-20 11:05 timeout", {"since": utc("20T10:05"), "find": "timeout"}),
    ("--since 2h ago ago", {"since": utc("20T10:00"), "find": "ago"}),
    ('--since "yesterday 11:05"', {"since": utc("19T10:05")}),
    ("--since=11:05 UTC", {"since": utc("20T10:05"), "find": "UTC"}),
    ("--since 11:05 shop/prod/backend", {"since": utc("20T10:05"), "find": "shop/prod/backend"}),
    ("--until 18:00", {"until": utc("20T17:00")}),
    ("--until tomorrow 08:00", {"until": utc("21T07:00")}),
    ("--until in 2h", {"until": utc("20T14:00")}),
    ("--to backend-00042-bad 11:05", {"to": "backend-00042-bad", "find": "11:05"}),
    ("--to 11:05", {"to": utc("20T10:05")}),
    ("--to yesterday 11:05", {"to": utc("19T10:05")}),
    ("--to 42", {"to": "42"}),
    ("--ending never", {}),
    ("--ending 2h", {"ending": utc("20T14:00")}),
    ("", {}),
]
REFUSED = [
    ("--since tomorrow 11:05", "since", "which is in the future"),
    ("--since soon", "since", "`soon` is no time that can be read. Write 14:05, 14:05 UTC, yesterday 14:05"),
    ("--until yesterday 11:05", "until", "which is past"),
    ("--until 2h ago", "until", "Write 14:05, 14:05 UTC, tomorrow 14:05"),
    ("--to 25:00", "to", "`25:00` is no time that can be read."),
    ("--to 2027-01-01 00:00", "to", "which is in the future"),
    ("--ending Never", "ending", "`Never` is no time that can be read."),
    ("--since", "", "`--since` needs a value."),
]


@pytest.mark.parametrize("line, wanted", READ)
def test_read(line: str, wanted: dict[str, object]) -> None:
    found = made(Timed, line)
    assert found.model_dump(exclude_defaults=True) == wanted


@pytest.mark.parametrize("line, wanted", READ)
def test_what_is_kept_means_the_same_for_ever(line: str, wanted: dict[str, object]) -> None:
    found = made(Timed, line)
    kept = json.loads(json.dumps(found.model_dump(mode="json", exclude_defaults=True)))
    assert build(Timed, kept) == found


@pytest.mark.parametrize("line, field, says", REFUSED)
def test_refused_beside_its_field(line: str, field: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        made(Timed, line)
    assert says in str(caught.value)
    assert caught.value.fields == ({field: str(caught.value)} if field else {})


def test_an_instant_is_one_already() -> None:
    assert build(Needed, {"until": utc("20T10:05"), "to": utc("20T10:05")}).model_dump() == {
        "until": utc("20T10:05"),
        "to": utc("20T10:05"),
    }


def test_what_was_kept_is_not_read_again() -> None:
    with pytest.raises(ValidationError):
        Needed.model_validate({"until": "18:00", "to": "x"})


@pytest.mark.parametrize("find", ["UTC", "Asia/Tokyo is late", "timeout", ""])
@pytest.mark.parametrize("since", ["11:05", "yesterday 11:05", "2h", "2026-11-20 11:05"])
def test_a_form_and_its_line_are_one(since: str, find: str) -> None:
    raw = entered(Timed, {"since": since, "find": find})
    line = typed(Timed, raw)
    assert made(Timed, line.removeprefix("timed")) == build(Timed, raw, resolve, HERE)
    assert find != "timeout" or line.endswith(" timeout")


def test_usage_and_help_say_how() -> None:
    written = usage(Timed)
    assert written.startswith("timed [<find>] [--since TIME] [--until TIME] [--to RELEASE|TIME] [--ending TIME|never]")
    assert usage(Needed) == "needed --until TIME --to RELEASE|TIME"
    rows = dict(help_rows(Timed))
    assert rows["--since"] == (
        "Since when. A time is written 14:05, 14:05 UTC, yesterday 14:05, 2026-11-20 14:05, or 2h for two hours ago; by"
        " your own clock unless it names a zone."
    )
    assert "tomorrow 14:05" in rows["--until"] and "from now" in rows["--until"]
    assert len(page(Timed).parts) == 3


def test_the_mark_is_found() -> None:
    marks = {name: when_of(field) for name, field in Timed.model_fields.items()}
    assert marks["since"] == When() and marks["until"] == When(ahead=True) and marks["limit"] is None
    assert marks["to"] == When(names="release") and marks["ending"] == When(ahead=True, word="never")
    assert when_of(Needed.model_fields["until"]) == When(ahead=True)
    assert Timed.model_json_schema()["properties"]["since"]["anyOf"][0] == {"type": "string"}
