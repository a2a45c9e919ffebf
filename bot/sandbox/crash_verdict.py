"""What must hold after a crash, whoever finished: in the cloud, in Slack, and in the bot's own books."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.books import PENDING, Books
from bot.sandbox.transcript import lines

EXPECTED = {"applied", "waiting", "nothing_to_do"}  # who is not acknowledged asks twice
STORY = ("asked", "waiting", "approved", "queued", "running", "writing", "written", "applied", "judged")


@dataclass(frozen=True)
class Seen:
    """What there is outside the bot: the split that serves, the updates that reached the cloud, the channel."""

    serving: dict[str, int]
    updates: list[dict[str, Any]]
    messages: list[dict[str, Any]]


def wrong(seen: Seen, books: Books, good: str) -> tuple[str, ...]:
    """What is not as it must be, each in a few words; nothing when all is right."""
    return (*_in_the_cloud(seen, good), *_on_record(books, good), *_in_slack(seen, books, good))


def _in_the_cloud(seen: Seen, good: str) -> Iterator[str]:
    committed = [call["traffic"] for call in seen.updates if call["committed"]]
    others = [call for call in seen.updates if not call["committed"] and call["fate"] != "killed before"]
    if seen.serving != {good: 100}:
        yield f"serving {seen.serving}"
    if committed != [{good: 100}]:
        yield f"moved {len(committed)} times"
    if any(call["code"] != "ABORTED" for call in others):  # what Cloud Run says of an etag that is not the newest
        yield "an update refused, but not by its etag"


def _on_record(books: Books, good: str) -> Iterator[str]:
    states = Counter(state for _, state, _ in books.changes())
    checks = {
        f"changes: {', '.join(sorted(states.elements())) or 'none'}": (
            states["applied"] == 1 and not states.keys() - EXPECTED
        ),
        "left unfinished": not books.ours(PENDING),
        "not one write that succeeded": books.ours("select ending from effects") == [("succeeded",)],
        "a mutex is held": not books.ours("select 1 from mutexes where holder is not null"),
        "the durable library is not idle": not books.running(),
        "not one pin": [good in pin for (pin,) in books.ours("select cast(pin as text) from pins")] == [True],
        "the audit chain is broken": books.is_chain_whole(),
    }
    yield from (finding for finding, right in checks.items() if not right)
    for applied in (id for id, state, _ in books.changes() if state == "applied"):
        told = [
            event for (event,) in books.ours("select event from audit where operation = :id order by seq", id=applied)
        ]
        if told != list(STORY):
            yield f"on record: {', '.join(told)}"


def _in_slack(seen: Seen, books: Books, good: str) -> Iterator[str]:
    texts: dict[str, list[str]] = {}
    for message in seen.messages:
        about = message.get("metadata", {}).get("event_payload", {}).get("operation", "")
        texts.setdefault(about, []).append(" ".join(lines(message)))
    if any(len(same) > 1 for same in texts.values()):
        yield "a change has two messages"
    for id, state, judged in books.changes():
        text = " ".join(texts.get(id, ()))
        if not text and state != "nothing_to_do":  # which only the asker is told
            yield "a change has no message"
        elif state == "applied" and not ("Done: " in text and f"all traffic to {good}" in text):
            yield f"its message says: {text[:60]}"
        elif state == "applied" and (judged != "holds" or "Errors fell from" not in text):
            yield f"judged: {_judgement(books, id)}"


def _judgement(books: Books, id: str) -> str:
    return str(books.ours("select judgement from operations where id = :id", id=id)[0][0]) or "not at all"
