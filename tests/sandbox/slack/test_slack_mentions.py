"""Whom a message notifies, and how text is made harmless."""

from typing import Any

import pytest

from bot.sandbox.slack.mentions import in_blocks, in_message, in_text
from bot.sandbox.slack.state import Message

TEXTS = [
    ("<!here>", {"here"}),
    ("<!here|here> now", {"here"}),
    ("<!channel> <!group>", {"channel"}),
    ("<!everyone>", {"everyone"}),
    ("<@U0ANA> and <@W0BEN|ben>", {"U0ANA", "W0BEN"}),
    ("<!subteam^S0ONCALL|@oncall>", {"S0ONCALL"}),
    ("`<!here>`", {"here"}),
    ("```<@U0ANA>```", {"U0ANA"}),
    ("*<!here>*", {"here"}),
    ("&lt;!here&gt;", set()),
    ("&lt;@U0ANA&gt;", set()),
    ("&amp;lt;!here&amp;gt;", set()),
    ("@here @channel @everyone", set()),
    ("<#C0OPS|ops>", set()),
    ("<https://a.example|@here>", set()),
    ("<!date^1790000000^{date}|then>", set()),
    ("<!unknown>", set()),
    ("< !here>", set()),
    ("<@ana>", set()),
    ("<@U0ANA", set()),
    ("", set()),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[text for text, _ in TEXTS])
def test_text(text: str, expected: set[str]) -> None:
    assert in_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("@here you", {"here"}), ("mail@here.example", set()), ("@channels", set()), ("(@everyone)", {"everyone"})],
)
def test_bare_names_count_when_names_are_linked(text: str, expected: set[str]) -> None:
    assert in_text(text, is_linking_names=True) == expected


def rich(element: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


BLOCKS = [
    ({"type": "section", "text": {"type": "mrkdwn", "text": "<!here>"}}, {"here"}),
    ({"type": "section", "text": {"type": "plain_text", "text": "<!here>"}}, set()),
    ({"type": "section", "fields": [{"type": "mrkdwn", "text": "<@U0ANA>"}]}, {"U0ANA"}),
    ({"type": "context", "elements": [{"type": "mrkdwn", "text": "<!channel>"}]}, {"channel"}),
    ({"type": "header", "text": {"type": "plain_text", "text": "<!channel>"}}, set()),
    ({"type": "markdown", "text": "<!everyone>"}, {"everyone"}),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": "<!here>"}]]}, set()),
    ({"type": "table", "rows": [[rich({"type": "user", "user_id": "U0BEN"})]]}, {"U0BEN"}),
    (rich({"type": "broadcast", "range": "here"}), {"here"}),
    (rich({"type": "usergroup", "usergroup_id": "S0DEVS"}), {"S0DEVS"}),
    (rich({"type": "text", "text": "<!here>"}), set()),
    ({"type": "plan", "title": "<!here>", "tasks": [{"type": "task_card", "title": "<!here>"}]}, set()),
]


@pytest.mark.parametrize(("block", "expected"), BLOCKS)
def test_blocks(block: dict[str, Any], expected: set[str]) -> None:
    assert in_blocks([block]) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": "<!here>"}, {"here"}),
        ({"text": "@here"}, set()),
        ({"text": "@here", "links_names": True}, {"here"}),
        ({"text": "a", "blocks": [BLOCKS[0][0]]}, {"here"}),
        ({"text": "a", "attachments": [{"text": "<@U0ANA>"}]}, {"U0ANA"}),
        ({"text": "a", "attachments": [{"pretext": "<!here>", "fields": [{"title": "t", "value": "<@U0BEN>"}]}]},
         {"here", "U0BEN"}),
        ({"text": "a", "attachments": [{"blocks": [BLOCKS[0][0]]}]}, {"here"}),
        ({"text": "a", "attachments": [{"color": "red"}]}, set()),
    ],
)  # fmt: skip
def test_messages(fields: dict[str, Any], expected: set[str]) -> None:
    assert in_message(Message("C0OPS", "1.000001", "U0AISQ", **fields)) == expected
