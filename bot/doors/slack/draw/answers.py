"""What a look or a control answered, for one person: a pure function of the answer."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from bot.core.answer import Answer, Code, Mood, Part, Series, Table, Tasks, Text
from bot.core.request import State
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.foreign import clean, escape
from bot.doors.slack.draw.tables import as_blocks

MOODS: dict[Mood, str] = {"plain": "", "good": "✓ ", "warning": "⚠️ ", "bad": "✗ "}
STATUS = {"pending": "pending", "running": "in_progress", "done": "complete", "failed": "error", "skipped": "complete"}
REFUSALS: dict[State, str] = {"denied": "⛔ ", "rejected": "🚫 ", "failed": "❌ "}
MOST_TASKS = 30


def whisper(record: OperationRecord) -> Card:
    """What the asker alone is told about an operation."""
    if record.answer is not None:
        return answer(record.answer, record)
    if record.plan is not None:
        return card(record)
    return said(f"{REFUSALS.get(record.state, '')}{record.detail or record.state}")


def said(text: str) -> Card:
    """One sentence of ours."""
    return Card(text=escape(clean(text, 3000)), blocks=(blocks.rich(blocks.sentence(text, 3000)),))


def answer(made: Answer, record: OperationRecord) -> Card:
    """An answer, whole if it fits."""
    zone = _zone(record.request.actor.zone)
    first = next((part.text for part in made.parts if isinstance(part, Text)), "")
    title = clean(made.title, blocks.HEADER) or record.request.operation
    body = [blocks.header(title)]
    tables = 0
    for part in made.parts:
        body.extend(_part(part, zone, first_table=not tables))
        tables += isinstance(part, Table)
    rest = f"There is more than fits here; a terminal shows all of it: `aisq {clean(record.request.text, 200)}`"
    text = f"{title}. {first}" if first else title
    return Card(text=escape(clean(text, 500)), blocks=blocks.fitted(body, (), rest))


def _part(part: Part, zone: tzinfo, *, first_table: bool) -> Iterator[Block]:
    if isinstance(part, Text):
        yield blocks.rich((*blocks.words(MOODS[part.mood], bold=True), *blocks.sentence(part.text, 1500)))
    elif isinstance(part, Code):
        if part.lines:
            yield blocks.code(part.lines)
    elif isinstance(part, Table):
        yield from as_blocks(part, zone, first=first_table)
    elif isinstance(part, Series):
        yield from _series(part)
    else:
        yield _tasks(part)


def _series(part: Series) -> Iterator[Block]:
    yield blocks.rich(blocks.words(part.title, bold=True))
    lines = [_line(name, [one for one in values if one is not None], part.unit) for name, values in part.lines.items()]
    yield blocks.bullets([blocks.words(line) for line in lines] or [blocks.words("no values")])


def _line(name: str, values: list[float], unit: str) -> str:
    if not values:
        return f"{name}: no values"
    numbers = (f"{value:.4g} {unit}".strip() for value in (values[-1], min(values), max(values)))
    return "{}: {} now, between {} and {}".format(name, *numbers)


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
