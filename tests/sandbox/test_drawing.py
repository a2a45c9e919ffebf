"""What the town shows on a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from bot.sandbox import drawing

MESSAGE: dict[str, Any] = {
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "✅ Done: [bold]rollback[/]"}},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_list",
                    "elements": [
                        {
                            "type": "rich_text_section",
                            "elements": [
                                {"type": "text", "text": "Traffic stays where it was put until somebody says"}
                            ],
                        }
                    ],
                }
            ],
        },
    ]
}


def on(width: int, drawn: RenderableType) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(drawn)
    return console.export_text().splitlines()


def test_a_message_stands_in_a_frame_with_its_place() -> None:
    top, title, *bullet, bottom = on(40, drawing.message(MESSAGE, "#ops"))
    assert top.startswith("╭─ aisq ─") and bottom.endswith(" #ops ─╯")
    assert title.strip("│ ") == "✅ Done: [bold]rollback[/]"  # people's text is no markup
    assert [line.strip("│").rstrip() for line in bullet] == [
        " • Traffic stays where it was put",
        "   until somebody says",
    ]


def test_of_an_edit_the_title_and_what_is_new_is_shown() -> None:
    known = ["⏳ Before", "• Traffic stays where it was put until somebody says"]
    assert len(on(80, drawing.message(MESSAGE, "#ops", known))) == 3
    assert len(on(80, drawing.message(MESSAGE, "#ops", known[:1]))) == 4


def test_columns_are_cut_where_they_may_be_and_nowhere_else() -> None:
    rows = [("12:00:00", "asked", "rollback backend --reason nothing", "abcd1234"), ("12:00:01", "judged", "ok", "ef")]
    drawn = drawing.columns(rows, ("", "", "", ""), gives_way=2, width=50)
    assert on(50, drawn) == [
        "12:00:00  asked   rollback backend --re…  abcd1234",
        "12:00:01  judged  " + "ok".ljust(22) + "  ef      ",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [20, 80])
def test_no_rows(width: int) -> None:
    assert on(width, drawing.columns([], ("", ""), gives_way=1, width=width)) in ([], [""])


def test_facts_are_names_and_what_they_are() -> None:
    assert [line.rstrip() for line in on(60, drawing.facts({"clock": "10 times", "on record": "9 [links]"}))] == [
        "   clock       10 times",
        "   on record   9 [links]",
    ]


def test_what_is_typed_is_shown_as_it_is() -> None:
    assert on(60, drawing.typed("ana", "/aisq status [backend]")) == ["   ana  /aisq status [backend]"]


@pytest.mark.parametrize(("columns", "width"), [("72", 72), ("300", drawing.WIDEST)])
def test_a_console_is_no_wider_than_reads_well(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert drawing.console().width == width


@pytest.mark.parametrize("share, said", [(0.0004, "0.04 %"), (0.08, "8 %"), (0.0, "0 %"), (0.125, "12 %")])
def test_a_share_in_two_digits(share: float, said: str) -> None:
    assert drawing.percent(share) == said
