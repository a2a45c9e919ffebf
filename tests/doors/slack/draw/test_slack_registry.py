"""Every message that the bot can send, for each operation that there is: Slack would take it.

The messages are real: what each case of tests/operations plans, answers or refuses. Then everything in them that comes
from outside is replaced by words as long and as strange as people, clouds and alerts could make them, and their tables
and task lists are emptied and filled a thousandfold.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from pydantic import BaseModel

from bot.core.answer import Answer, Code, Part, Series, Table, Task, Tasks
from bot.core.deploying import DEPLOYING
from bot.core.operation import Change
from bot.core.pages import overview, page
from bot.core.plan import Plan
from bot.core.request import STATES, Actor, State
from bot.core.system import OperationRecord
from bot.doors.slack.draw.answers import said, whisper
from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.details import details
from bot.doors.slack.draw.reminder import reminder
from bot.doors.slack.draw.undecided import undecided
from tests.doors.slack import validity
from tests.doors.slack.draw.test_slack_cards import WORDS
from tests.doors.slack.harness import ANA, BACKEND, NOON, plan, record, request
from tests.doors.slack.validity import MADE, Schema
from tests.operations.runner import COMMANDS, Run, cases
from tests.rollouts import counted, stage

CASES = cases()
KEPT = {"is_", "kind", "level", "mood", "state", "if_broken", "verb", "digest"}  # words that are not ours to change
Told = tuple[list[Plan], list[Answer], list[str]]


def seldom(every: Iterable[str | None], always: str | None) -> list[ParameterSet]:
    """All of them in `make test-all`, and one in every run."""
    return [pytest.param(one, marks=() if one == always else pytest.mark.slow) for one in every]


@pytest.fixture(scope="module")
def schema() -> Schema:
    if not MADE.exists():
        pytest.skip("build/schemas/slack.json is not there: `make schemas` makes it, by npm")
    return Schema()


@functools.cache
def told(command: str) -> Told:
    """What an operation plans, answers and says in its cases, each once."""
    plans, answers, sentences = [], [], []
    for case in CASES.values():
        if case["operation"] != command:
            continue
        run = Run(case)
        outcome = run.outcome()
        if "answer" in outcome:
            made = run.made()
            answers.append(getattr(made, made.verb)(**run.arguments(made)))
        elif sentence := next((outcome[name] for name in ("says", "denied", "fails") if name in outcome), ""):
            sentences.append(sentence)
        else:
            plans.append(run.plan())
    return plans, answers, sentences


def of(command: str, state: State, **changed: Any) -> OperationRecord:
    """A row of an operation in some state."""
    operation = COMMANDS[command]
    text = operation.examples[0] if operation.examples else command
    asked = request(operation=command, verb=operation.verb, text=text, target=BACKEND)
    return record(state, request=asked, **changed)


def rescuing(made: Plan) -> Plan:
    """The same, which stops others first, one of which began since."""
    return made.model_copy(update={"preempts": ("7k3qaaaaaa",), "stops": ("7k3qbbbbbb",)})


def stretched(thing: Any, word: Callable[[str], str]) -> Any:
    """The same, with every text that could come from outside replaced."""
    if isinstance(thing, BaseModel):
        fields = {name: getattr(thing, name) for name in type(thing).model_fields}
        return thing.model_copy(
            update={name: value if name in KEPT else stretched(value, word) for name, value in fields.items()}
        )
    if isinstance(thing, dict):
        return {word(str(name)): stretched(value, word) for name, value in thing.items()}
    if isinstance(thing, tuple):
        return tuple(stretched(one, word) for one in thing)
    return word(thing) if isinstance(thing, str) else thing


def filled(answer: Answer, times: int) -> Answer:
    """The same, with so many times the rows, tasks, lines and points; none for 0."""

    def more(part: Part) -> Part:
        if isinstance(part, Table):
            rows = part.rows or ((("x",) * len(part.columns)),)
            return part.model_copy(update={"rows": (rows * times)[:times]})
        if isinstance(part, Code):
            return part.model_copy(update={"lines": (part.lines * times)[:times]})
        return part

    return answer.model_copy(update={"parts": tuple(map(more, answer.parts))})


def rows_of(command: str) -> Iterator[OperationRecord]:
    """A row for everything that an operation can come to: each plan as it waits, one in every state."""
    plans, answers, sentences = told(command)
    yield from (of(command, "waiting", plan=one, detail=one.summary or one.why) for one in plans[1:])
    for state in STATES:
        yield from (of(command, state, plan=one, detail=one.summary or one.why) for one in plans[:1])
        yield from (of(command, state, plan=rescuing(one), detail=one.summary) for one in plans[:1])
        yield of(command, state, plan=None, digest="", detail="")
    yield from (of(command, "rejected", plan=None, digest="", detail=one) for one in sentences)
    yield from (of(command, "answered", plan=None, digest="", answer=one) for one in answers)


def messages(row: OperationRecord) -> Iterator[Card]:
    """What the gateway makes of a row, for everybody and for the asker alone."""
    yield whisper(row)
    if row.request.verb == "plan" and row.plan is None:
        yield card(row)


def test_every_operation_has_something_to_show() -> None:
    for command, operation in COMMANDS.items():
        plans, answers, _ = told(command)
        assert plans if issubclass(operation, Change) else answers, command


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_real_messages(command: str, schema: Schema) -> None:
    for row in rows_of(command):
        for shown in messages(row):
            assert validity.message(shown, schema) == []


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("command", seldom(sorted(COMMANDS), "rollback"))
def test_messages_of_strange_words(command: str, word: str, schema: Schema) -> None:
    """One row of each kind and state: the words are what matters here."""
    plans, answers, sentences = told(command)
    strange = Actor(id=ANA.id, name=WORDS[word], zone=WORDS[word])
    told_rows = [of(command, state, plan=one, judged="broken", judgement="x", cancel_by="x")
                 for state in ("waiting", "running", "applied", "uncertain") for one in plans[:1]]  # fmt: skip
    told_rows += [of(command, "answered", plan=None, digest="", answer=one) for one in answers[:1]]
    told_rows += [of(command, "rejected", plan=None, digest="", detail=one) for one in sentences[:1]]
    for row in told_rows:
        long = stretched(row, lambda text: f"{text[:20]} {WORDS[word]}").model_copy(update={"request": row.request})
        asked = row.request.model_copy(
            update={"actor": strange, "text": WORDS[word], "params": {"reason": WORDS[word]}}
        )
        for shown in messages(long.model_copy(update={"request": asked})):
            assert validity.message(shown, schema) == []


@pytest.mark.parametrize("times", [0, 1, 1000])
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_answers_of_any_size(command: str, times: int, schema: Schema) -> None:
    _, answers, _ = told(command)
    for one in (*answers[:3], page(COMMANDS[command])):
        row = of(command, "answered", plan=None, digest="", answer=filled(one, times))
        assert validity.message(whisper(row), schema) == []


POINTS = tuple(NOON.replace(hour=at // 60 % 24, minute=at % 60) for at in range(720))
EVERY_KIND = {  # of part, beside those that operations answer with today
    "no tasks": Tasks(title="Drill", tasks=()),
    "a thousand tasks": Tasks(title="Drill", tasks=(Task(title="one", state="running", detail="x"),) * 1000),
    "a series of nothing": Series(title="p99", unit="ms", at=(), lines={}),
    "a series of two points": Series(title="p99", unit="ms", at=POINTS[:2], lines={"a": (1.0, 2.0)}),
    "a series of 720 points": Series(
        title="p99", unit="ms", at=POINTS[1:], lines={"a": (1.0,) * 719, "b": (None,) * 719}
    ),
    "no rows": Table(title="Writes", columns=("step",), rows=(), empty="no writes"),
    "no columns": Table(title="Writes", columns=(), rows=()),
}


@pytest.mark.parametrize("word", [None, *WORDS])
@pytest.mark.parametrize("name", EVERY_KIND)
def test_parts_of_every_kind(name: str, word: str | None, schema: Schema) -> None:
    made = Answer(title="Drill", parts=(EVERY_KIND[name],) * 3)
    changed = stretched(made, lambda text: WORDS[word]) if word else made
    row = of("status", "answered", plan=None, digest="", answer=changed)
    assert validity.message(whisper(row), schema) == []


@pytest.mark.parametrize("word", seldom([None, "20 kB", "right to left", "emoji", "control"], None))
@pytest.mark.parametrize("command", sorted(name for name, one in COMMANDS.items() if issubclass(one, Change)))
def test_what_stands_in_the_thread(command: str, word: str | None, schema: Schema) -> None:
    """Details and reminders."""
    for row in rows_of(command):
        strange = stretched(row, lambda text: f"{text[:20]} {WORDS[word]}") if word else row
        shown = [details(strange.model_copy(update={"request": row.request}), ())]
        shown += [reminder(row)] if row.state == "waiting" else []
        assert [problem for one in shown for problem in validity.message(one, schema)] == []


def rollouts_of(command: str, word: str | None) -> Iterator[Card]:
    """The card of a plan of an operation with each number of stages: one of them begun, two, and all; and what is said
    in its thread."""
    said = WORDS[word] if word else "Hold: 0.2 % errors in 604 requests."
    for one in {len(made.asking): made for made in told(command)[0]}.values():
        for count in {1, 2, len(one.asking)} if one.asking else ():
            begun = [stage(1, "passed", position=position) for position in one.asking[:count]]
            for state in ("baking", "held", "passed", "broken"):
                evidence = counted(new=f"{said}n", old=said)
                last = begun[-1].model_copy(update={"state": state, "sentence": said, "evidence": evidence})
                row = of(command, "running", plan=one, detail=one.summary, doing=count)
                stages = (*begun[:-1], last.model_copy(update={"steered": "hold", "steered_by": said}))
                yield from (card(row, stages), details(row, (), stages), undecided(row, stages))


@pytest.mark.parametrize("word", [None, "20 kB", "right to left", "control"])
@pytest.mark.parametrize("command", sorted(name for name, one in COMMANDS.items() if issubclass(one, Change)))
def test_rollouts_at_every_stage(command: str, word: str | None, schema: Schema) -> None:
    shown = list(rollouts_of(command, word))
    assert shown or command not in DEPLOYING
    for one in shown:
        assert validity.message(one, schema) == []


def test_the_list_of_all_commands(schema: Schema) -> None:
    row = of("help", "answered", plan=None, digest="", answer=overview(COMMANDS.values()))
    assert validity.message(whisper(row), schema) == []


@pytest.mark.parametrize("word", WORDS)
def test_sentences_of_ours(word: str, schema: Schema) -> None:
    assert validity.message(said(f"I don't know `{WORDS[word]}`, {WORDS[word]}."), schema) == []


@pytest.mark.parametrize("state", STATES)
def test_a_plan_of_a_thousand_steps(state: State, schema: Schema) -> None:
    step = plan().steps[0]
    long = plan(steps=(step,) * 1000, afterwards=(step,) * 1000, notes=("x",) * 1000, by_hand=("x",) * 1000)
    assert validity.message(card(record(state, plan=long)), schema) == []
