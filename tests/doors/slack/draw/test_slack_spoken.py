"""The text beside the blocks: it says what the blocks say, for whoever does not see them."""

import re
from typing import Any

import pytest

from bot.core.answer import Answer, Code, Series, Table, Task, Tasks, Text
from bot.core.request import STATES, State
from bot.doors.slack.draw.answers import answer, said
from bot.doors.slack.draw.blocks import Card, header, rich, words
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.spoken import MOST, lines, text
from bot.doors.slack.draw.spoken import card as made_of
from bot.sandbox.slack.mentions import in_text
from tests.doors.slack.draw.test_slack_cards import WORDS, huge, texts
from tests.doors.slack.harness import NOON, plan, record, request

LOOK = record("answered", request=request(verb="answer", operation="status", text="status backend"), plan=None)
ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def heard(shown: Card) -> str:
    """The text as somebody hears it: no markup, instants as what stands in for them."""
    told = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", shown.text).replace("`", "")
    return re.sub("|".join(ENTITIES), lambda found: ENTITIES[found[0]], told)


def unsaid(shown: Card) -> list[str]:
    """What can be read in the blocks and is not in the text; confirm dialogs and what was never shown apart."""
    blocks = [{**block, "elements": _without_confirm(block)} if block["type"] == "actions" else block
              for block in shown.blocks]  # fmt: skip
    told = heard(shown)
    pieces = [re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", piece).replace("`", "") for piece in texts(blocks)]
    return [line for piece in pieces for line in piece.splitlines() if line.strip() not in told]


def _without_confirm(block: Any) -> list[Any]:
    return [{name: value for name, value in one.items() if name != "confirm"} for one in block["elements"]]


@pytest.mark.parametrize("state", STATES)
def test_a_card_in_every_state(state: State) -> None:
    shown = card(record(state, plan=plan(notes=("Held since 2026-11-20 12:00 UTC.",), summary="a <b> & `c`")))
    assert unsaid(shown) == []
    assert shown.text.startswith(shown.blocks[0]["text"]["text"])


def test_what_a_card_says_to_who_does_not_see_it() -> None:
    assert heard(card(record())).splitlines() == [
        "✋ Waiting for approval: rollback ai-square/prod/backend. ai-square/prod/backend: all traffic to"
        " backend-00041-kex, away from backend-00042-bad 100 %",
        'Ana Alvarez asked: rollback backend --reason "5xx since 14:02"',
        "Reason: 5xx since 14:02",
        "Plan",
        "• send all traffic to backend-00041-kex (to do)",
        "• see that it serves (to do)",
        "• compare errors before and after (to do)",
        "🟡 GO WITH RISK",
        "• ! age: backend-00041-kex is 40 days old",
        "• ✓ image sha256:24302b5749ed is in the registry",
        "• error rate as last counted: 4.9 %",
        "• Traffic then stays at backend-00041-kex: new releases get none until unpin backend.",
        "By hand:",
        "gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100",
        "It needs one other person to approve it; Ana Alvarez cannot.",
        "It expires 2026-11-20 12:30 UTC.",
        "7k3qabcdef · plan c0ffeec0ffee · permitted by grant.prod.rollout · ops show 7k3qabcdef shows all of it",
        "Buttons: Approve, Deny",
    ]


EVERYTHING = Answer(
    title="Status",
    parts=(
        Text(text="Held since 2026-11-20 12:00 UTC; let go with `unpin backend`.", mood="warning"),
        Code(lines=("gcloud run a", "gcloud  run  b")),
        Table(title="Writes", columns=("step", "at", "size"), rows=(("0/do", NOON, 1.25), (None, None, None))),
        Table(title="More", columns=("step", "what"), rows=(("1", "<b> & c"),)),
        Table(title="None", columns=("step",), rows=(), empty="no write; see `ops`"),
        Tasks(title="Drill", tasks=(Task(title="one", state="failed", detail="see `ops show`"),)),
        Series(title="p99", unit="ms", at=(NOON, NOON.replace(hour=13)), lines={"backend": (120.0, 80.25)}),
    ),
)


def test_every_part_of_an_answer() -> None:
    shown = answer(EVERYTHING, LOOK)
    assert unsaid(shown) == []
    assert "0/do · 2026-11-20 12:00 UTC · 1.25" in heard(shown)
    assert "• one (failed): see ops show" in heard(shown)
    assert "backend: 13:00 120, 14:00 80.25" in heard(shown)


def test_a_chart_and_a_status_say_more_than_their_words() -> None:
    kinds = {block["type"] for block in answer(EVERYTHING, LOOK).blocks}
    assert kinds == {"header", "rich_text", "table", "plan", "data_visualization"}


@pytest.mark.parametrize("word", WORDS)
def test_one_sentence(word: str) -> None:
    shown = said(WORDS[word])
    assert len(shown.text) <= MOST
    if word not in ("20 kB", "20 kB of words", "right to left", "backticks"):
        assert unsaid(shown) == []


class TestTooMuch:
    def test_whole_lines_are_left_out_and_the_last_one_says_how_to_see_them(self) -> None:
        rows = tuple((f"7k3q{number:06d}", "rollback backend", "applied") for number in range(1000))
        shown = answer(Answer(title="Operations", parts=(Table(title="", columns=("a", "b", "c"), rows=rows),)), LOOK)
        *some, last = shown.text.splitlines()
        assert len(shown.text) <= MOST and len(some) > 50
        assert some[-1].endswith(" · rollback backend · applied")
        assert last == "There is more than fits here; a terminal shows all of it: `aisq status backend`"

    @pytest.mark.parametrize("word", WORDS)
    def test_the_head_is_always_there(self, word: str) -> None:
        shown = card(huge(WORDS[word]))
        assert shown.text.startswith("✋ Waiting for approval") or "✋" in shown.text.splitlines()[0]
        assert len(shown.text) <= MOST
        assert in_text(shown.text) == set()

    def test_a_head_of_nothing_but_entities_leaves_no_room_for_more(self) -> None:
        line = rich(words("x" * 600))
        told = text("&" * 500, [line] * 9, "<" * 300)
        assert told.startswith("&amp;" * 500) and len(told) <= MOST


def test_what_the_head_says_is_not_said_twice() -> None:
    shown = made_of("Done: rollback. Errors fell.", [header("Done: rollback"), rich(words("Errors fell."))], (), "")
    assert shown.text == "Done: rollback. Errors fell."


def test_blocks_without_words_say_nothing() -> None:
    assert list(lines([{"type": "divider"}, {"type": "actions", "elements": [{"type": "overflow"}]}])) == []


def test_sections_and_their_fields_are_read() -> None:
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*a* &amp; b"},
        "fields": [{"type": "plain_text", "text": "<c>"}],
    }
    assert list(lines([section])) == ["*a* &amp; b", "&lt;c&gt;"]
