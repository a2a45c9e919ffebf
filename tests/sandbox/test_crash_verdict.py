"""The verdict of the crash matrix: a deploy that is right, and everything that may not be let pass."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.sandbox.books import PENDING
from bot.sandbox.crash_verdict import Seen, wrong
from bot.sandbox.story import stories

ID, GOOD = "7k3qaaaaaa", "backend-00041-kex"
NEW = f"backend-{ID}"
STORY = stories()["deploy"].named(good=GOOD, bad="", before="", number="")
MOVES = [{GOOD: 100}, {GOOD: 50, NEW: 50}, {NEW: 100}, {"LATEST": 100}]
EVENTS = ["asked", "waiting", "approved", "queued", "running", *["writing", "written"] * 4, "applied"]


def update(traffic: dict[str, int], **more: Any) -> dict[str, Any]:
    return {"traffic": traffic, "committed": True, "fate": "committed", "code": "OK", **more}


def message(text: str, operation: str = ID) -> dict[str, Any]:
    return {"text": text, "blocks": [], "metadata": {"event_payload": {"operation": operation}}}


TOLD = message("Done: deploy ai-square/prod/backend, canary 50, 100 %")
RIGHT = Seen({NEW: 100}, [update(one) for one in MOVES], [TOLD])


@dataclass(frozen=True)
class Told:
    """Books that say what they are told to."""

    state: str = "applied"
    again: tuple[str, ...] = ()  # states of a second request
    endings: list[str] = field(default_factory=lambda: ["succeeded"] * 4)
    rows: dict[str, list[Any]] = field(default_factory=dict)  # by a part of the query
    is_whole: bool = True
    left: tuple[Any, ...] = ()
    events: tuple[str, ...] = tuple(EVENTS)

    def changes(self) -> list[tuple[str, str, str]]:
        return [(ID, self.state, ""), *(("7k3qbbbbbb", state, "") for state in self.again)]

    def running(self) -> list[Any]:
        return list(self.left)

    def is_chain_whole(self) -> bool:
        return self.is_whole

    def ours(self, query: str, **values: str) -> list[Any]:
        if "from effects" in query:
            return [(one,) for one in self.endings] if values["id"] == ID else []
        if "from audit" in query:
            return [(one,) for one in self.events]
        if "select judgement" in query:
            return [("",)]
        return next((rows for part, rows in self.rows.items() if part in query), [])


def found(seen: Seen = RIGHT, books: Told | None = None) -> str:
    return "; ".join(wrong(seen, books or Told(), STORY))  # type: ignore[arg-type]


@pytest.mark.parametrize("again", [(), ("waiting",), ("rejected",), ("nothing_to_do",)])
def test_a_deploy_that_is_right(again: tuple[str, ...]) -> None:
    """Also for somebody who was not acknowledged and asked again."""
    seen = replace(RIGHT, messages=[TOLD, message("Waiting: deploy", "7k3qbbbbbb")])
    assert found(seen, Told(again=again)) == ""


def test_stages_are_told_of_as_often_as_there_is_news() -> None:
    events = [*EVENTS[:8], "stage begun", "stage found", "stage found", *EVENTS[8:]]
    assert found(books=Told(events=tuple(events))) == ""


@pytest.mark.parametrize("fate", ["killed before", "etag"])
def test_what_was_refused_by_its_etag_or_never_arrived_did_nothing(fate: str) -> None:
    lost = update({GOOD: 100}, committed=False, fate=fate, code="ABORTED")
    assert found(replace(RIGHT, updates=[lost, *RIGHT.updates])) == ""


UPDATES = RIGHT.updates
IN_THE_CLOUD: dict[str, tuple[Seen, str]] = {
    "a write twice": (replace(RIGHT, updates=[*UPDATES[:2], *UPDATES[1:]]), "moved 5 times"),
    "a write left out": (replace(RIGHT, updates=UPDATES[:3]), "moved 3 times"),
    "writes in another order": (replace(RIGHT, updates=UPDATES[::-1]), "moved 4 times"),
    "traffic on two releases": (replace(RIGHT, serving={GOOD: 50, NEW: 50}), "serving {"),
    "traffic on the one before": (replace(RIGHT, serving={GOOD: 100}), "serving {"),
    "refused": (
        replace(RIGHT, updates=[*UPDATES, update({}, committed=False, fate="refused", code="INVALID_ARGUMENT")]),
        "an update refused, but not by its etag",
    ),
}


@pytest.mark.parametrize("name", IN_THE_CLOUD)
def test_wrong_in_the_cloud(name: str) -> None:
    seen, says = IN_THE_CLOUD[name]
    assert found(seen).startswith(says)


ON_RECORD: dict[str, tuple[Told, str]] = {
    "it failed": (Told(state="failed"), "changes: failed"),
    "it went through twice": (Told(again=("applied",)), "changes: applied, applied"),
    "unfinished": (Told(rows={PENDING: [(1,)]}), "left unfinished"),
    "a write without its ending": (Told(endings=["succeeded"] * 3 + [""]), "not every write once"),
    "a write too many": (Told(endings=["succeeded"] * 5), "not every write once"),
    "a mutex": (Told(rows={"from mutexes": [(1,)]}), "a mutex is held"),
    "work of the durable library": (Told(left=(1,)), "the durable library is not idle"),
    "a pin": (Told(rows={"from pins": [('{"traffic": {"x": 100}}',)]}), "pinned to [{'x': 100}]"),
    "a lock": (Told(rows={"from locks": [("ai-square",)]}), "locked: ai-square"),
    "the chain": (Told(is_whole=False), "the audit chain is broken"),
    "a link too many": (Told(events=(*EVENTS, "applied")), "on record: asked"),
}


def test_what_went_wrong_says_why() -> None:
    books = Told(state="failed", again=("waiting",), rows={"select detail": [("not ready within 10 min",)]})
    assert found(books=books).count("it says: not ready within 10 min") == 1  # the one that waits is as it may be


@pytest.mark.parametrize("name", ON_RECORD)
def test_wrong_on_record(name: str) -> None:
    books, says = ON_RECORD[name]
    assert says in found(books=books)


IN_SLACK: dict[str, tuple[list[dict[str, Any]], str]] = {
    "two messages": ([TOLD, TOLD], "a change has two messages"),
    "no message": ([], "a change has no message"),
    "another outcome": ([message("In progress: deploy")], "its message lacks ['Done: ', 'canary 50, 100 %']"),
}


@pytest.mark.parametrize("name", IN_SLACK)
def test_wrong_in_slack(name: str) -> None:
    messages, says = IN_SLACK[name]
    assert found(replace(RIGHT, messages=messages)).startswith(says)


def test_what_had_ended_before_is_not_of_this_story() -> None:
    before = Told(again=("applied",))
    assert found(replace(RIGHT, known=frozenset({"7k3qbbbbbb"})), before) == ""
