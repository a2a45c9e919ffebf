"""What must hold after a crash, whoever finished: in the cloud, in Slack, and in the bot's own books."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.sandbox.books import PENDING, Books
from bot.sandbox.incident import Incident
from bot.sandbox.story import Story
from bot.sandbox.transcript import lines


@dataclass(frozen=True)
class Seen:
    """What there is outside the bot: the split that serves, the updates that reached the cloud, the channel.

    `known` are the changes that had ended before the story began.
    """

    serving: dict[str, int]
    updates: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    known: frozenset[str] = frozenset()


def seen(incident: Incident, known: frozenset[str] = frozenset()) -> Seen:
    """Look now."""
    return Seen(incident.serving(), incident.updates(), incident.messages(), known)


def wrong(seen: Seen, books: Books, story: Story) -> tuple[str, ...]:
    """What is not as it must be, each in a few words; nothing when all is right. `story` has real names."""
    changes = {id: (state, judged) for id, state, judged in books.changes() if id not in seen.known}
    done = [id for id, (state, _) in changes.items() if state == story.ends]
    story = story.made_of({"new": f"backend-{done[0]}"} if done else {})
    return (
        *_in_the_cloud(seen, story),
        *_on_record(changes, books, story),
        *_in_slack(seen, changes, books, story),
    )


def _in_the_cloud(seen: Seen, story: Story) -> Iterator[str]:
    committed = [call["traffic"] for call in seen.updates if call["committed"]]
    others = [call for call in seen.updates if not call["committed"] and call["fate"] != "killed before"]
    if seen.serving != story.serves:
        yield f"serving {seen.serving}"
    if committed != story.moves:
        yield f"moved {len(committed)} times"
    if any(call["code"] != "ABORTED" for call in others):  # what Cloud Run says of an etag that is not the newest
        yield "an update refused, but not by its etag"


def _on_record(changes: dict[str, tuple[str, str]], books: Books, story: Story) -> Iterator[str]:
    states = Counter(state for state, _ in changes.values())
    done = [id for id, (state, _) in changes.items() if state == story.ends]
    endings = [books.ours("select ending from effects where operation = :id", id=id) for id in changes]
    pins = [json.loads(pin)["traffic"] for (pin,) in books.ours("select cast(pin as text) from pins")]
    locks = [name for (name,) in books.ours("select name from locks order by name")]
    checks = {
        f"changes: {', '.join(sorted(states.elements())) or 'none'}": (
            states[story.ends] == 1 and states.keys() <= {story.ends, *story.again}
        ),
        "left unfinished": not books.ours(PENDING),
        "not every write once, or one that failed": [one for one in endings if one]
        == ([[("succeeded",)] * len(story.moves)] if story.moves else []),
        "a mutex is held": not books.ours("select 1 from mutexes where holder is not null"),
        "the durable library is not idle": not books.running(),
        f"pinned to {pins}": pins == ([story.pinned] if story.pinned else []),
        f"locked: {', '.join(locks) or 'nothing'}": locks == list(story.locked),
        "the audit chain is broken": books.is_chain_whole(),
    }
    yield from (finding for finding, right in checks.items() if not right)
    for id in (id for id, (state, _) in changes.items() if state not in (story.ends, *story.again)):
        yield f"it says: {_of(books, id, 'detail')}"
    for id in done:
        every = [event for (event,) in books.ours("select event from audit where operation = :id order by seq", id=id)]
        told = [event for event in every if not event.startswith("stage ")]
        if told != list(story.events):
            yield f"on record: {', '.join(told)}"


def _in_slack(seen: Seen, changes: dict[str, tuple[str, str]], books: Books, story: Story) -> Iterator[str]:
    texts: dict[str, list[str]] = {}
    for message in seen.messages:
        about = message.get("metadata", {}).get("event_payload", {}).get("operation", "")
        texts.setdefault(about, []).append(" ".join(lines(message)))
    if any(len(same) > 1 for same in texts.values()):
        yield "a change has two messages"
    for id, (state, _) in changes.items():
        text = " ".join(texts.get(id, ()))
        if not text and state not in ("nothing_to_do", "rejected"):  # which only the asker is told
            yield "a change has no message"
        elif state == story.ends and (missing := [part for part in story.told if part not in text]):
            yield f"its message lacks {missing}: {text[:200]}"
        elif state == story.ends and story.judged not in (judgement := _of(books, id, "judgement")):
            yield f"judged: {judgement}"
        elif state == story.ends and judgement not in text:
            yield "the message does not have the judgement"


def _of(books: Books, id: str, column: str) -> str:
    """What the row of an operation has in a column."""
    found = books.ours(f"select {column} from operations where id = :id", id=id)
    return str(found[0][0]) if found else ""
