"""Block Kit as HTML: every kind of block, hostile texts, and what is not known."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup
from ruamel.yaml import YAML
from starlette.datastructures import FormData

from bot.sandbox.page import charts, forms
from bot.sandbox.page.blocks import BLOCKS, block, blocks
from bot.sandbox.page.controls import CONTROLS
from bot.sandbox.page.html import element, join
from bot.sandbox.page.mrkdwn import markdown, mrkdwn
from bot.sandbox.page.reader import Reader, emoji
from bot.sandbox.page.surface import Surface, field_name
from bot.sandbox.slack.blockkit.schema import SCHEMA
from bot.sandbox.slack.elements import interactive
from bot.sandbox.slack.inputs import FIELDS
from bot.sandbox.slack.interactions import values
from tests.sandbox.page.safe import harm

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
NAMES = {"U0ANA": "@Ana Alvarez", "C0AISQ": "#ai-square-ops", "S0ONCALL": "@oncall"}
READER = Reader(NAMES, ZoneInfo("Europe/Berlin"), NOW)
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}


def cases(name: str) -> list[Any]:
    read = YAML(typ="safe").load((HERE / name).read_text(encoding="utf-8"))
    return [pytest.param(one, id=one["name"]) for one in read]


@pytest.mark.parametrize("case", cases("drawn.yaml"))
def test_a_block(case: dict[str, Any]) -> None:
    html = block(case["block"], 0, Surface("m", READER))
    assert [piece for piece in case["has"] if piece not in html] == [], html
    assert [piece for piece in case.get("hasnt", []) if piece in html] == []


def test_every_block_that_the_fake_takes_is_drawn_or_folded() -> None:
    for name in SCHEMA.blocks:
        kind = SCHEMA.kind(name)
        assert block({"type": kind}, 0, Surface("m", READER)) or kind == "rich_text"
    assert {SCHEMA.kind(name) for name in SCHEMA.blocks} - BLOCKS.keys() == {"context_actions", "card", "carousel"}
    assert set(FIELDS) <= CONTROLS.keys() | {"multi_external_select"}


def strings(value: Any) -> Any:
    """The same with every text a reader could see made hostile."""
    if isinstance(value, dict):
        kept = {"type", "style", "level", "status", "action_id", "block_id", "align", "unicode", "initial_date"}
        return {key: item if key in kept else strings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strings(item) for item in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


@pytest.mark.parametrize("case", cases("drawn.yaml"))
def test_no_text_becomes_markup(case: dict[str, Any]) -> None:
    html = block(strings(case["block"]), 0, Surface("m", READER))
    assert harm(html) == [], html


@pytest.mark.parametrize("of", ["mrkdwn", "markdown"])
@pytest.mark.parametrize(
    "text",
    [
        HOSTILE, f"*{HOSTILE}*", f"`{HOSTILE}`", f"<https://x.example/{HOSTILE}|{HOSTILE}>", f"<@U1|{HOSTILE}>",
        f"<!date^1^{HOSTILE}|{HOSTILE}>", "<javascript:alert(1)>", "[x](javascript:alert(1))", "[x](data:text/html,1)",
        f"```{HOSTILE}```", f"&gt; {HOSTILE}", f"> {HOSTILE}", f"# {HOSTILE}", f"- {HOSTILE}", "<" * 300, "*_~`" * 200,
    ],
)  # fmt: skip
def test_no_hostile_mark_becomes_markup(of: str, text: str) -> None:
    html = mrkdwn(text, READER) if of == "mrkdwn" else markdown(text)
    assert harm(html) == [], html


@pytest.mark.parametrize("case", cases("fields.yaml"))
def test_an_input_and_what_it_sends(case: dict[str, Any]) -> None:
    one = {
        "type": "input",
        "block_id": "b",
        "label": {"type": "plain_text", "text": "Label"},
        "element": case["element"],
    }
    people, channels = [("U0ANA", "Ana Alvarez")], [("C0OPS", "#ops")]
    surface = Surface("v", READER, values([one]), {"b": "Not <this>."}, people, channels)
    html = block(one, 0, surface)
    assert [piece for piece in case["has"] if piece not in html] == [], html
    assert "Not &lt;this&gt;." in html and 'id="v-0-a-error"' in html
    sent = FormData([(field_name("b", "a"), text) for text in case["sent"]])
    assert forms.entries([one], sent, READER.zone) == {"b": {"a": case["state"]}}


def test_an_error_is_tied_to_its_field() -> None:
    label, hint = ({"type": "plain_text", "text": text} for text in ("Why", "In short"))
    typed = {"type": "plain_text_input", "action_id": "a"}
    one = {"type": "input", "block_id": "b", "label": label, "element": typed, "hint": hint}
    html = block(one, 3, Surface("v", READER, {}, {"b": "Too short."}))
    assert (
        'for="v-3-a"' in html and 'aria-invalid="true"' in html and 'aria-describedby="v-3-a-error v-3-a-hint"' in html
    )
    calm = block(one, 3, Surface("v", READER))
    assert "aria-invalid" not in calm and 'aria-describedby="v-3-a-hint"' in calm and 'aria-required="true"' in calm


def test_a_menu_outside_a_form_is_told_at_once() -> None:
    one = {"type": "actions", "block_id": "b", "elements": [{"type": "static_select", "action_id": "a", "options": []}]}
    html = block(one, 0, Surface("m", READER))
    assert "data-apply" in html and 'class="button apply"' in html and "aria-label" in html
    within = {
        "type": "input",
        "block_id": "b",
        "label": {"type": "plain_text", "text": "L"},
        "element": one["elements"][0],
    }
    assert "data-apply" not in block(within, 0, Surface("m", READER))
    assert "data-apply" in block({**within, "dispatch_action": True}, 0, Surface("m", READER))


def test_what_was_pressed_and_chosen() -> None:
    option = {"text": {"type": "plain_text", "text": "V1"}, "value": "v1"}
    several = {"type": "multi_static_select", "action_id": "m", "options": [option]}
    listed = [{"type": "actions", "block_id": "b", "elements": [several, {"type": "static_select", "action_id": "s"}]}]
    sent = FormData(
        [("press", '{"action":"m","block":"b"}'), (field_name("b", "m"), "v1"), (field_name("b", "s"), "x")]
    )
    press = forms.pressed(sent)
    assert forms.chosen(listed, press, sent, UTC) == ["v1"]
    assert forms.chosen(listed, {"action": "s", "block": "b"}, sent, UTC)["value"] == "x"
    assert forms.chosen(listed, {"action": "gone", "block": "b"}, sent, UTC) is None
    assert [forms.pressed(FormData([("press", text)])) for text in ("", "[1]", "{")] == [{}, {}, {}]
    assert len(interactive(listed)) == 2


def test_ids_stay_when_slack_gives_blocks_new_ones() -> None:
    made = [{"type": "actions", "block_id": name, "elements": [BUTTON]} for name in ("b1", "b2")]
    first, second = (re.findall(r'id="([^"]+)"', blocks([one], Surface("m1", READER))) for one in made)
    assert first == second == ["m1-0-go"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("{date_num}", "2026-11-20"), ("{date}", "November 20, 2026"), ("{date_short}", "Nov 20, 2026"),
        ("{date_long}", "Friday, November 20, 2026"), ("{date_pretty}", "yesterday"), ("{time}", "23:30"),
        ("{time_secs}", "23:30:05"), ("{ago}", "12 hours ago"), ("{nonsense}", "{nonsense}"),
    ],
)  # fmt: skip
def test_the_tokens_of_an_instant(form: str, said: str) -> None:
    at = datetime(2026, 11, 20, 22, 30, 5, tzinfo=UTC).timestamp()
    assert f">{said}</time>" in READER.date(at, form)


@pytest.mark.parametrize(
    ("name", "code", "shown"),
    [
        ("tada", "", "🎉"),
        ("x", "1f389", "🎉"),
        ("nobody", "", ":nobody:"),
        ("x", "zz", ":x:"),
        ("x", "ffffffff", ":x:"),
    ],
)
def test_emoji(name: str, code: str, shown: str) -> None:
    assert f">{shown}</span>" in emoji(name, code)


def test_html_is_escaped_once() -> None:
    assert element("p", "<", Markup("<b></b>"), title='"') == '<p title="&#34;">&lt;<b></b></p>'
    assert element("input", type="text", value=None, disabled=True, hidden=False) == '<input type="text" disabled>'
    assert join(["<", Markup("<hr>")], ", ") == "&lt;, <hr>"


def test_a_curve() -> None:
    html = charts.spark("Errors", [0.0, None, 0.02, 0.04], lambda value: f"{value:.0%}", least=0.01, kind="errors")
    assert "Errors: 4% now, at most 4%" in html and html.count("<polyline") == 2 and ">5%<" in html
    assert "Errors: no requests" in charts.spark("Errors", [None], str, least=1, kind="errors")


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (1234, "1234"), (12345, "12.3k"), (2.5e7, "25M"), (1e11, "100G")]
)
def test_short_numbers(value: float, said: str) -> None:
    assert charts.short(value) == said
