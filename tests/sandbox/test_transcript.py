"""Slack messages as lines of text."""

from typing import Any

import pytest

from bot.sandbox.transcript import Line, buttons, drawn, lines


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(elements)}


def section(*parts: Any) -> dict[str, Any]:
    elements = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    return {"type": "rich_text_section", "elements": elements}


def of(*blocks: dict[str, Any], text: str = "the text") -> dict[str, Any]:
    return {"text": text, "blocks": list(blocks)}


BUTTONS = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "aisq.approve", "text": {"type": "plain_text", "text": "Approve"}},
        {"type": "button", "action_id": "aisq.deny", "text": {"type": "plain_text", "text": "Deny"}},
        {"type": "static_select", "action_id": "other"},
    ],
}
BULLETS = {"type": "rich_text_list", "style": "bullet", "elements": [section("✓ image: is there"), section("as it is")]}
DATE = "It expires <!date^1795232560^{date_short_pretty} {time}|2026-11-21 03:53 UTC>."


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "header", "text": {"type": "plain_text", "text": "✅ Done"}}, [Line("✅ Done", style="bold")]),
        ({"type": "divider"}, [Line("─" * 40, style="dim")]),
        ({"type": "section", "text": {"type": "mrkdwn", "text": "a &lt;b&gt; &amp; c"}}, [Line("a <b> & c")]),
        (
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "one"}, {"type": "mrkdwn", "text": "two"}]},
            [Line("onetwo")],
        ),
        (BUTTONS, [Line("[ Approve ]  [ Deny ]")]),
        (rich(section("Serving: ", "all of it.\n", "Well.")), [Line("Serving: all of it."), Line("Well.")]),
        (rich(section("one"), section("two")), [Line("one"), Line("two")]),
        (rich(section({"type": "emoji", "name": "tada"})), [Line(":tada:")]),
        (rich(section({"type": "date", "timestamp": 1, "fallback": "in 1970"})), [Line("in 1970")]),
        (rich(section({"type": "link", "url": "https://x.example"})), []),
        (rich(BULLETS), [Line("image: is there", "✓"), Line("as it is", "•")]),
        (
            rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "gcloud run\n  --x"}]}),
            [Line("gcloud run", style="cyan"), Line("  --x", style="cyan")],
        ),
        (
            {"type": "context", "elements": [{"type": "mrkdwn", "text": DATE}, {"type": "plain_text", "text": "ok"}]},
            [Line("It expires 2026-11-21 03:53 UTC. ok", style="dim")],
        ),
        (
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "see <https://x.example|the page>"}]},
            [Line("see the page", style="dim")],
        ),
        (
            {
                "type": "table",
                "rows": [
                    [{"type": "raw_text", "text": "release"}, {"type": "raw_text", "text": "share"}],
                    [{"type": "raw_text", "text": "kex"}, rich(section("100 %"))],
                ],
            },
            [Line("release  share", style="bold"), Line("kex      100 %")],
        ),
        (
            {
                "type": "plan",
                "title": "Plan",
                "tasks": [
                    {"type": "task_card", "title": "send", "status": "complete"},
                    {"type": "task_card", "title": "see", "status": "in_progress"},
                    {"type": "task_card", "title": "judge", "status": "error"},
                    {"type": "task_card", "title": "rest", "status": "pending"},
                ],
            },
            [
                Line("Plan", style="bold"),
                Line("send", "✔"),
                Line("see", "▶"),
                Line("judge", "✘"),
                Line("rest", "·"),
            ],
        ),
        ({"type": "something new", "text": {"type": "plain_text", "text": "still read"}}, [Line("still read")]),
        ({"type": "image", "image_url": "https://x.example"}, []),
    ],
)
def test_a_block(block: dict[str, Any], expected: list[Line]) -> None:
    assert drawn(of(block)) == (expected or [Line("the text")])


def test_blocks_that_need_room_get_it() -> None:
    context = {"type": "context", "elements": [{"type": "plain_text", "text": "small"}]}
    title = {"type": "header", "text": {"type": "plain_text", "text": "T"}}
    assert [str(line) for line in drawn(of(title, rich(section("a")), context, context, BUTTONS))] == [
        "T", "a", "", "small", "small", "", "[ Approve ]  [ Deny ]",
    ]  # fmt: skip


def test_lines_leave_the_room_out_and_keep_the_marks() -> None:
    assert lines(of(rich(BULLETS), BUTTONS)) == ["✓ image: is there", "• as it is", "[ Approve ]  [ Deny ]"]


@pytest.mark.parametrize("message", [{"text": "one\ntwo"}, {"text": "one\ntwo", "blocks": []}])
def test_a_message_without_blocks_is_its_text(message: dict[str, Any]) -> None:
    assert lines(message) == ["one", "two"]


def test_nothing_at_all() -> None:
    assert lines({}) == []


def test_buttons_are_found_wherever_they_are() -> None:
    accessory = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    assert buttons(of(accessory, BUTTONS)) == {"aisq.approve": "Approve", "aisq.deny": "Deny"}
    assert buttons({"text": "none"}) == {}
