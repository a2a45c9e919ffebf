"""The App Home on one screen: a pure function of the overview."""

import json
from collections.abc import Iterable, Iterator

from bot.core.answer import Text
from bot.core.home import Home, Section
from bot.core.instants import in_utc
from bot.core.request import DUE
from bot.core.system import OperationRecord
from bot.doors.slack.draw import blocks
from bot.doors.slack.draw.answers import MOODS
from bot.doors.slack.draw.blocks import Block, Words
from bot.doors.slack.draw.cards import LEVELS, TITLES, asked_for, decide

NEW = "aisq.new"
MOST_BLOCKS = 100
MOST_LINES = 20


def home(shown: Home, channel: str) -> Block:
    """The view. `channel` is the direct message with whoever looks: what they click there is answered in it."""
    body = [*_head(shown), *(block for section in shown.sections for block in _section(section))]
    kept = body if len(body) <= MOST_BLOCKS else [*body[: MOST_BLOCKS - 1], _line("There is more: `/aisq ops`.")]
    return {"type": "home", "private_metadata": json.dumps({"channel": channel}), "blocks": kept}


def _head(shown: Home) -> Iterator[Block]:
    if shown.refused:
        yield _line(f"⛔ {shown.refused}")
        return
    yield blocks.actions(blocks.button(NEW, "Ask for something", "new", "primary"))


def _section(section: Section) -> Iterator[Block]:
    count = len(section.operations) + len(section.lines) + section.more
    yield blocks.header(f"{section.title} ({count})" if count else section.title)
    if not count:
        yield _line(f"{section.empty[:1].upper()}{section.empty[1:]}.")
    if section.to_decide:
        for record in section.operations:
            yield blocks.rich(*_operation(record), *_verdict(record))
            yield decide(record)
    elif section.operations:
        yield blocks.rich(*(line for record in section.operations for line in _operation(record)))
    if section.lines:
        yield blocks.bullets(map(_said, section.lines[:MOST_LINES]))
    if section.more:
        yield blocks.context(f"and {section.more} more: /aisq ops list")


def _operation(record: OperationRecord) -> Iterator[Words]:
    """Two lines: what it is, and what is to be said of it."""
    title = (*blocks.words(TITLES[record.state], bold=True), *blocks.words(f": {asked_for(record)}", most=300))
    yield (*title, *blocks.words(" "), *blocks.words(record.id, code=True))
    yield blocks.sentence(_about(record), 300)


def _about(record: OperationRecord) -> str:
    asked = f"{record.request.actor.name} asked {in_utc(record.request.received_at)}"
    reason = str(record.request.params.get("reason") or record.request.params.get("break_glass") or "")
    expires = f", expires {in_utc(record.expires_at)}" if record.state == "waiting" and record.expires_at else ""
    summary = record.plan.summary if record.plan else ""
    said = summary if summary and record.state in DUE else record.judgement or record.detail or summary
    return f"{asked}{f' ({reason[:80]})' if reason else ''}{expires}. {said}"


def _verdict(record: OperationRecord) -> Iterable[Words]:
    plan = record.plan
    if plan is None or plan.verdict is None or plan.is_nothing:
        return []
    return [blocks.words(LEVELS[plan.verdict.level], bold=True)]


def _said(line: Text) -> Words:
    return (*blocks.words(MOODS[line.mood], bold=True), *blocks.sentence(line.text, 300))


def _line(text: str) -> Block:
    return blocks.rich(blocks.sentence(text, 1500))
