"""Whom a message would notify: the facts of mrkdwn that matter when foreign text is shown.

A mention is a control sequence in angle brackets (docs.slack.dev, Formatting message text). `&lt;!here&gt;` is text,
and so is everything in a plain_text object. A bare @here stopped working for apps in 2021, except with
`link_names` or `parse=full`. Where Slack's documentation is silent (code spans, a text that only backs up blocks) a
sequence counts as a mention here, so that a test which passes is safe.
"""

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack.state import Json, Message

SEQUENCE = re.compile(r"<(?:@(?P<user>[UW][A-Z0-9]+)|!subteam\^(?P<group>S[A-Z0-9]+)|!(?P<all>\w+))(?:\|[^<>]*)?>")
BARE = re.compile(r"(?<![\w@])@(here|channel|everyone)\b")
BROADCASTS = {"here": "here", "channel": "channel", "group": "channel", "everyone": "everyone"}
FORMATTED_ATTACHMENT = ("text", "pretext", "fallback", "title", "footer", "author_name")


def in_text(text: str, is_linking_names: bool = False) -> set[str]:
    """The mentions in mrkdwn: "here", "channel", "everyone", ids of people and of user groups."""
    found = set()
    for match in SEQUENCE.finditer(text):
        name = match["user"] or match["group"] or BROADCASTS.get(match["all"])
        if name:
            found.add(name)
    return found | (set(BARE.findall(text)) if is_linking_names else set())


def in_blocks(blocks: Any) -> set[str]:
    """The mentions in blocks: in mrkdwn objects, in markdown blocks, and as elements of rich text."""
    return {name for part in _parts(blocks) for name in _of_part(part)}


def in_message(message: Message) -> set[str]:
    """All mentions of a message: its text, its blocks, its attachments."""
    found = in_text(message.text, message.links_names) | in_blocks(message.blocks)
    for attachment in message.attachments:
        found |= in_blocks(attachment.get("blocks"))
        texts = [attachment.get(name) for name in FORMATTED_ATTACHMENT]
        texts += [field.get(name) for field in attachment.get("fields", []) for name in ("title", "value")]
        found |= {name for text in texts if isinstance(text, str) for name in in_text(text)}
    return found


def _parts(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _parts(item)


def _of_part(part: Json) -> set[str]:
    kind = part.get("type")
    if kind in ("mrkdwn", "markdown"):
        return in_text(str(part.get("text", "")))
    if kind == "broadcast" and "range" in part:
        return {str(part["range"])}
    named = {"user": part.get("user_id"), "usergroup": part.get("usergroup_id")}.get(str(kind))
    return {str(named)} if named else set()
