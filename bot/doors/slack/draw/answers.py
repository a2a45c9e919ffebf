"""What a look or a control answered, for one person: a pure function of the answer."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from bot.core.answer import Answer, Code, Mood, Part, Series, Table, Tasks, Text
from bot.core.request import State
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks, charts, spoken, tables, times
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.foreign import clean, escape

MOODS: dict[Mood, str] = {"plain": "", "good": "✓ ", "warning": "⚠️ ", "bad": "✗ "}
STATUS = {"pending": "pending", "running": "in_progress", "done": "complete", "failed": "error", "skipped": "complete"}
REFUSALS: dict[State, str] = {"denied": "⛔ ", "rejected": "🚫 ", "failed": "❌ "}
MOST_TASKS = 30
LONGEST = 2500  # characters of a sentence


def whisper(record: OperationRecord) -> Card:
    """What the asker alone is told about an operation."""
    if record.answer is not None:
        return answer(record.answer, record)
    if record.plan is not None:
        return card(record)
    return said(f"{REFUSALS.get(record.state, '')}{record.detail or record.state}")


def said(text: str) -> Card:
    """One sentence of ours."""
    words = times.marked(escape(clean(text, LONGEST)))
    if len(words) > spoken.MOST:  # entities are longer than what they stand for
        words = times.marked(escape(clean(text, LONGEST // 5)))
    return Card(text=words, blocks=(blocks.rich(blocks.sentence(text, LONGEST)),))


def answer(made: Answer, record: OperationRecord) -> Card:
    """An answer, whole if it fits."""
    zone = _zone(record.request.actor.zone)
    first = next((part.text for part in made.parts if isinstance(part, Text)), "")
    title = clean(made.title, blocks.HEADER) or record.request.operation
    body = [blocks.header(title)]
    for part in made.parts:
        body.extend(_part(part, zone, Counter(block["type"] for block in body)))
    rest = f"There is more than fits here; a terminal shows all of it: `aisq {clean(record.request.text, 200)}`"
    return spoken.card(clean(f"{title}. {first}" if first else title, 400), body, (), rest)


def _part(part: Part, zone: tzinfo, before: Counter[str]) -> Iterator[Block]:
    """One part; `before` counts the blocks before it, for of some kinds Slack takes only so many."""
    if isinstance(part, Text):
        yield blocks.rich((*blocks.words(MOODS[part.mood], bold=True), *blocks.sentence(part.text, 1500)))
    elif isinstance(part, Code):
        if part.lines:
            yield blocks.code(part.lines)
    elif isinstance(part, Table):
        yield from tables.as_blocks(part, zone, first=not before["table"])
    elif isinstance(part, Series):
        yield from charts.as_blocks(part, zone, native=before["data_visualization"] < charts.MOST_CHARTS)
    else:
        yield _tasks(part)


def _tasks(part: Tasks) -> Block:
    shown = enumerate(part.tasks[:MOST_TASKS])
    listed = [blocks.task(at, one.title, STATUS[one.state], one.detail) for at, one in shown]
    more = len(part.tasks) - MOST_TASKS
    return blocks.tasks(f"{part.title} (and {more} more)" if more > 0 else part.title, listed)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
