"""Each thing that must hold after a soak is seen to be broken when it is."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from bot.sandbox.books import Books
from bot.sandbox.deliveries import Delivery
from bot.sandbox.soak_evidence import Evidence
from bot.sandbox.soak_verdict import CHECKS, KEY, clicks
from bot.stores import audit
from bot.stores.tables import HeardRow, MessageRow, MutexRow, OperationRow, PinRow

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
TARGET, SPLIT = "soak/prod/s01", {"s01-00001-old": 100}
PLAN = {"steps": [{"kind": "call"}, {"kind": "check"}], "hold": {"traffic": SPLIT}, "lets_go": False}
WRITING = {"key": "aaaa/0/do"}
WRITTEN = {**WRITING, "ending": "succeeded", "cloud_operation": "operations/1"}
LIVES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "aaaa": [("asked", {}), ("waiting", {}), ("queued", {}), ("running", {}), ("writing", WRITING),
             ("written", WRITTEN), ("applied", {}), ("judged", {})],
    "bbbb": [("asked", {}), ("waiting", {}), ("denied", {})],
}  # fmt: skip
STATES = {"aaaa": "applied", "bbbb": "denied"}


@dataclass
class Story:
    """Two changes of one service, one applied, one denied; all is right until somebody breaks it."""

    url: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = create_engine(self.url)
        with Session(self.engine) as session, session.begin():
            for id in LIVES:
                session.add_all(self.rows(id))
            session.add(MutexRow(target=TARGET, holder=None, token=3))
            session.add(PinRow(target=TARGET, pin={"operation": "aaaa", "traffic": SPLIT, "by": "ana"}))
        self.tell(*((id, *link) for id, life in LIVES.items() for link in life))
        self.calls = [call("aaaa/0/do")]
        self.messages = [message("aaaa", "✅ Done: rollback"), message("bbbb", "⛔ Denied: rollback")]
        self.sent = [delivery(f"slack:command:{id}") for id in LIVES]

    def rows(self, id: str) -> list[Any]:
        return [
            OperationRow(
                id=id, request={}, operation="rollback", verb="plan", actor="slack:U0ANA", target=TARGET, created_at=AT,
                updated_at=AT, state=STATES[id], revision=4, plan=PLAN, digest="d", judged="", detail="it was so",
            ),
            HeardRow(heard_as=f"slack:command:{id}", signature=id, operation=id, at=AT),
            MessageRow(operation=id, place={"ts": "17.5"}, shown=4),
        ]  # fmt: skip

    def tell(self, *links: tuple[str, str, dict[str, Any]]) -> None:
        with Session(self.engine) as session, session.begin():
            for id, event, body in links:
                audit.append(session, AT, event, id, "aisq", {"target": TARGET, **body})

    def sql(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def found(self) -> dict[str, list[str]]:
        self.engine.dispose()
        evidence = Evidence(Books(self.url), self.calls, self.messages, self.sent)
        return {name: said for name, check in CHECKS.items() if (said := list(check(evidence)))}


def call(key: str, service: str = "s01", committed: bool = True) -> dict[str, Any]:
    full = f"projects/soak-prod/locations/us-central1/services/{service}"
    return {"service": full, "committed": committed, "annotations": {KEY: key}, "traffic": dict(SPLIT)}


def message(operation: str, said: str) -> dict[str, Any]:
    return {"text": said, "metadata": {"event_payload": {"operation": operation}}}


def delivery(heard_as: str, answered: bool = True, said: str = "") -> Delivery:
    answered_by = ["somewhere"] if answered else []
    return Delivery(heard_as, "U0ANA", "rollback s01", attempts=1, answered_by=answered_by, said=said)


@pytest.fixture
def story(sqlite: str) -> Story:
    return Story(sqlite)


def test_a_right_story_is_right(story: Story) -> None:
    assert story.found() == {}


def state(id: str, state: str, detail: str = "it was so") -> Callable[[Story], None]:
    return lambda story: story.sql(f"update operations set state = '{state}', detail = '{detail}' where id = '{id}'")


def sql(statement: str) -> Callable[[Story], None]:
    return lambda story: story.sql(statement)


def tell(*links: tuple[str, str, dict[str, Any]]) -> Callable[[Story], None]:
    return lambda story: story.tell(*links)


def both(*all: Callable[[Story], None]) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        for one in all:
            one(story)

    return run


ENDED, LEFT = "every operation has a stated outcome", "no mutex, lease or durable run is left"
AUDITED, ONCE = "the cloud was told what the audit says, in its order", "every write took effect at most once"
STATED, SERIAL = "outcomes say what the cloud saw", "per service one change ran at a time"
CHAIN, PINS = "the audit chain is whole", "pins are those of what was last applied"
SHOWN, NEWEST = "one message each, saying the outcome", "Slack shows the newest of each"
LOST = "nothing acknowledged is lost, nothing is there twice"
CASES: dict[str, tuple[Callable[[Story], Any], str, str]] = {
    "still running": (state("aaaa", "running"), ENDED, "aaaa is running"),
    "not judged": (sql("update operations set judged = 'pending'"), ENDED, "aaaa was never judged"),
    "a bug": (state("bbbb", "uncertain", "a bug in aisq (KeyError)"), ENDED, "bbbb: a bug in aisq (KeyError)"),
    "a mutex held": (sql("update mutexes set holder = 'aaaa'"), LEFT, f"aaaa holds the mutex of {TARGET}"),
    "a lease": (
        lambda story: story.sql(f"insert into leases values ('e1', {time.time()}, 'host', null)"),
        LEFT,
        "e1 has a lease",
    ),
    "a write that no audit knows": (
        lambda story: story.calls.append(call("aaaa/1/do")),
        AUDITED,
        "s01: the cloud has ['aaaa/0/do', 'aaaa/1/do'], the audit ['aaaa/0/do']",
    ),
    "an audit of no write": (lambda story: story.calls.clear(), AUDITED, "s01: the cloud has [], the audit ['aaaa"),
    "another order": (
        both(
            tell(("aaaa", "written", {**WRITTEN, "key": "aaaa/0/undo"})),
            lambda story: story.calls.insert(0, call("aaaa/0/undo")),
        ),
        AUDITED,
        "s01: the cloud has ['aaaa/0/undo', 'aaaa/0/do'], the audit ['aaaa/0/do', 'aaaa/0/undo']",
    ),
    "twice in the cloud": (
        lambda story: story.calls.append(call("aaaa/0/do")),
        ONCE,
        "aaaa/0/do took effect 2 times",
    ),
    "twice on record": (
        tell(("aaaa", "written", WRITTEN)),
        ONCE,
        "written aaaa/0/do is on record 2 times",
    ),
    "no ending": (tell(("aaaa", "writing", {"key": "aaaa/1/do"})), ONCE, "aaaa/1/do was begun and has no ending"),
    "applied, and nothing done": (lambda story: story.calls.clear(), STATED, "aaaa is applied, but the cloud was told"),
    "denied, and done": (
        lambda story: story.calls.append(call("bbbb/0/do")),
        STATED,
        "bbbb is denied (it was so), but the cloud was changed",
    ),
    "nothing done, and done": (
        state("aaaa", "cancelled", "cancelled by ana; nothing was done"),
        STATED,
        "aaaa is cancelled (cancelled by ana; nothing was done), but the cloud was changed",
    ),
    "put back, and not": (
        state("aaaa", "cancelled", "cancelled by ana; put back as it was"),
        STATED,
        "aaaa was put back, but the cloud was told 1 times, and back 0 times",
    ),
    "somebody else's": (lambda story: story.calls.append(call("zzzz/0/do")), STATED, "the cloud knows 'zzzz'"),
    "two at once": (
        tell(("cccc", "running", {}), ("dddd", "running", {})),
        SERIAL,
        f"dddd began on {TARGET} while cccc ran",
    ),
    "a write out of turn": (
        tell(("bbbb", "writing", {"key": "bbbb/0/do"})),
        SERIAL,
        f"bbbb wrote to {TARGET} while nothing ran",
    ),
    "an edited link": (sql("update audit set body = body || ' ' where seq = 3"), CHAIN, "the audit chain is broken"),
    "two outcomes": (tell(("bbbb", "expired", {})), CHAIN, "bbbb has 2 outcomes on record"),
    "no outcome on record": (
        both(
            lambda story: story.sql("update heard set operation = 'eeee' where operation = 'bbbb'"),
            lambda story: story.sql("update operations set id = 'eeee' where id = 'bbbb'"),
        ),
        CHAIN,
        "eeee has no outcome on record",
    ),
    "no pin": (sql("delete from pins"), PINS, f"{TARGET} is pinned as None, not as"),
    "another's pin": (
        lambda story: story.sql(f"update pins set pin = '{json.dumps({'operation': 'bbbb', 'traffic': SPLIT})}'"),
        PINS,
        f"{TARGET} is pinned as {{'operation': 'bbbb'",
    ),
    "the cloud has another split": (
        lambda story: story.calls[0].update(traffic={"s01-00002-mid": 100}),
        PINS,
        "and the cloud was told {'s01-00002-mid': 100}",
    ),
    "two messages": (
        lambda story: story.messages.append(message("aaaa", "✅ Done: rollback")),
        SHOWN,
        "aaaa has 2 messages",
    ),
    "no message": (lambda story: story.messages.pop(), SHOWN, "bbbb (denied) has no message"),
    "an old message": (
        lambda story: story.messages[0].update(text="🔄 In progress"),
        SHOWN,
        "aaaa is applied, and its message says: 🔄 In progress",
    ),
    "a message about nothing": (
        lambda story: story.messages.append(message("zzzz", "Hm")),
        SHOWN,
        "a message is about",
    ),
    "not shown": (sql("update messages set shown = 3"), NEWEST, "aaaa is at revision 4, and 3 is shown"),
    "acknowledged and lost": (
        lambda story: story.sent.append(delivery("slack:command:lost")),
        LOST,
        "`rollback s01` was acknowledged and has no row",
    ),
    "refused and done": (
        lambda story: story.sent.__setitem__(0, delivery("slack:command:aaaa", said="No such service.")),
        LOST,
        "`rollback s01` was refused (No such service.) and has a row that is applied",
    ),
    "never asked": (lambda story: story.sent.pop(), LOST, "bbbb was never asked"),
    "two rows for one delivery": (
        sql("update heard set operation = 'aaaa'"),
        LOST,
        "bbbb was heard as 0 deliveries",
    ),
}


@pytest.mark.parametrize(("broken", "check", "said"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_seen(story: Story, broken: Callable[[Story], Any], check: str, said: str) -> None:
    broken(story)
    assert any(said in one for one in story.found().get(check, [])), story.found()


RIGHT: dict[str, Callable[[Story], Any]] = {
    "a delivery that nobody answered has no row": lambda story: story.sent.append(
        delivery("slack:command:lost", answered=False)
    ),
    "what was refused has none either": lambda story: story.sent.append(delivery("slack:command:no", said="No.")),
    "nobody knows whether it was written down, and it was": lambda story: story.sent.__setitem__(
        0, delivery("slack:command:aaaa", said="I could not confirm that your request was written down.")
    ),
    "nobody knows that it was not written down, and it was": lambda story: story.sent.__setitem__(
        0, delivery("slack:command:aaaa", said="aisq could not; nothing was done that ops does not show. Away.")
    ),
    "a denial has its row": lambda story: story.sent.__setitem__(1, delivery("slack:command:bbbb", said="you may not")),
    "a click was refused on another way": lambda story: story.sent.append(
        delivery("slack:click:17.5:1:U0BEN:aisq.deny")
    ),
    "the cloud refused a call": lambda story: story.calls.append(call("zzzz/0/do", committed=False)),
    "the lease of a replica that was killed": lambda story: story.sql(
        f"insert into leases values ('e1', {time.time() - 60}, 'host', null)"
    ),
}


@pytest.mark.parametrize("done", RIGHT.values(), ids=RIGHT)
def test_what_may_be_is_not_called_wrong(story: Story, done: Callable[[Story], Any]) -> None:
    done(story)
    assert story.found() == {}


def test_clicks_that_were_written_nowhere_are_known(story: Story) -> None:
    lost = delivery("slack:click:17.5:1:U0BEN:aisq.deny")
    evidence = Evidence(
        Books(story.url), [], [], [*story.sent, lost, delivery("slack:click:2:2:U0BEN:a", answered=False)]
    )
    assert clicks(evidence) == [lost]
    story.engine.dispose()
