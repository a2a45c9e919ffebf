"""How a terminal shows answers."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.answer import Answer, Code, Part, Series, Table, Task, Tasks, Text
from bot.doors.cli.draw import BARS, folded, sparkline, squeezed
from tests.doors.cli.fakes import NOON, ONE, Paper, widest

EVIL = "\x1b[2J[bold]x[/bold] :boom: \u202ey"


def drawn(*parts: Part, title: str = "T", columns: int = 80, encoding: str = "utf-8", zone: str = "UTC") -> str:
    paper = Paper(columns=columns, encoding=encoding)
    paper.show(paper.drawer(ZoneInfo(zone)).answer(Answer(title=title, parts=parts)))
    return paper.out


def test_a_title_then_its_first_paragraph_then_the_rest_apart() -> None:
    assert drawn(Text(text="one"), Text(text="two")) == "T\none\n\ntwo\n"


def test_what_is_not_a_paragraph_stands_apart_from_the_title() -> None:
    assert drawn(Code(lines=("help",))) == "T\n\n  help\n"


def test_a_title_alone() -> None:
    assert drawn() == "T\n"


@pytest.mark.parametrize(("mood", "sign"), [("plain", ""), ("good", ""), ("warning", "! "), ("bad", "!! ")])
def test_moods_show_without_colours(mood: str, sign: str) -> None:
    assert drawn(Text.model_validate({"text": "x", "mood": mood})) == f"T\n{sign}x\n"


EVERYWHERE: list[Part] = [
    Text(text=EVIL),
    Code(lines=(EVIL,)),
    Table(title=EVIL, columns=(EVIL,), rows=((EVIL,),)),
    Table(title="t", columns=("a",), rows=(), empty=EVIL),
    Series(title=EVIL, unit=EVIL, at=(NOON,), lines={EVIL: (1.0,)}),
    Tasks(title=EVIL, tasks=(Task(title=EVIL, state="done", detail=EVIL),)),
]


@pytest.mark.parametrize("part", EVERYWHERE, ids=lambda part: type(part).__name__)
def test_foreign_text_is_neither_markup_nor_control(part: Part) -> None:
    shown = drawn(part, title=EVIL)
    assert "[bold]x[/bold] :boom: y" in shown
    assert not set(shown) & {"\x1b", "\u202e"}


def test_paragraphs_are_wrapped_at_the_width() -> None:
    shown = drawn(Text(text="word " * 60 + "x" * 200))
    assert widest(shown) <= 80
    assert (shown.count("word"), shown.count("x")) == (60, 200)


def test_cells_of_every_type() -> None:
    row = ("text", 3, 1234.5678, NOON, None)
    shown = drawn(Table(title="", columns=("s", "i", "f", "at", "none"), rows=(row,)))
    assert shown.splitlines()[-1].split("  ") == ["text", "3", "1,234.57", "2026-11-20 12:00:00 UTC", "-"]


def test_instants_stand_in_the_readers_zone_also_after_storage() -> None:
    table = Table(title="", columns=("at",), rows=((NOON,),))
    stored = Table.model_validate_json(table.model_dump_json())
    assert "2026-11-20 13:00:00 CET" in drawn(table, zone="Europe/Berlin")
    assert "2026-11-20 13:00:00 CET" in drawn(stored, zone="Europe/Berlin")


def test_a_text_that_only_resembles_an_instant_stays_a_text() -> None:
    table = Table(title="", columns=("a", "b"), rows=(("2026", "2026-11-20"),))
    assert Table.model_validate_json(table.model_dump_json()).rows == (("2026", "2026-11-20"),)


def test_lines_in_a_cell_become_one() -> None:
    assert "a b" in drawn(Table(title="", columns=("x",), rows=(("a\nb",),)))


def test_an_empty_table_says_so_below_its_title() -> None:
    assert drawn(Table(title="Pins", columns=("a",), rows=(), empty="no pins")) == "T\n\nPins\nno pins\n"


def test_tasks_are_marked() -> None:
    states = ("pending", "running", "done", "failed", "skipped")
    tasks = tuple(Task.model_validate({"title": state, "state": state}) for state in states)
    assert drawn(Tasks(title="Steps", tasks=(*tasks, Task(title="x", state="done", detail="y")))) == (
        "T\n\nSteps\n[ ] pending\n[~] running\n[x] done\n[!] failed\n[-] skipped\n[x] x: y\n"
    )


def test_a_series_is_a_line_of_bars_with_its_range() -> None:
    series = Series(title="errors", unit="%", at=(NOON, ONE), lines={"backend": (0.0, 5.0), "frontend": (None, None)})
    assert drawn(series) == (
        "T\n\nerrors\nbackend   ▁█  0 to 5 %, last 5\nfrontend  no values\n"
        "from 2026-11-20 12:00:00 UTC to 2026-11-20 13:00:00 UTC\n"
    )


def test_the_lines_of_a_series_are_on_one_scale_and_each_on_one_row() -> None:
    lines = {"backend-7k3qabcdef (new)": (0.0, 5.0, 10.0) * 20, "backend-00041-kex (old)": (0.185,) * 60}
    shown = drawn(Series(title="errors", unit="%", at=(), lines=lines)).splitlines()[3:]
    assert [line[:29] for line in shown] == ["backend-7k3qabcdef (new)  ▅██", "backend-00041-kex (old)   ▁▁▁"]
    assert all(line.endswith(end) for line, end in zip(shown, ("last 10", "last 0.185"), strict=True))
    assert max(map(len, shown)) <= 80


def test_names_that_leave_no_room_leave_a_short_curve() -> None:
    shown = drawn(Series(title="errors", unit="%", at=(), lines={"x" * 90: (1.0, 2.0) * 30}))
    assert "▁" in shown or "█" in shown


def test_a_series_without_instants() -> None:
    assert drawn(Series(title="errors", unit="%", at=(), lines={})) == "T\n\nerrors\n"


def test_a_terminal_without_block_characters_gets_numbers() -> None:
    series = Series(title="errors", unit="%", at=(NOON,), lines={"backend": (0.0, 5.0)})
    assert "backend  0 to 5 %, last 5" in drawn(series, encoding="latin-1")


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([3], "▁"), ([3, 3], "▁▁"), ([0, 7], "▁█"), ([0, None, 7], "▁ █"), ([None], " "), (range(8), BARS)],
)
def test_sparklines(values: list[float | None], bars: str) -> None:
    assert sparkline(values) == bars


@pytest.mark.parametrize(
    ("values", "most", "kept"),
    [
        ((), 5, []),
        ((1.0, 2.0), 5, [1.0, 2.0]),
        ((1.0, 9.0, 2.0, 3.0), 2, [9.0, 3.0]),
        ((None, None, 1.0, None), 2, [None, 1.0]),
    ],
)
def test_too_many_values_are_squeezed_to_their_peaks(
    values: tuple[float | None, ...], most: int, kept: list[float | None]
) -> None:
    assert squeezed(values, most) == kept


def test_a_command_goes_on_after_a_backslash() -> None:
    command = "gcloud run services update-traffic backend --to-revisions=a=100 --region=us-central1 --project=p"
    shown = list(folded(command, 40))
    assert shown == [
        "gcloud run services update-traffic \\",
        "    backend --to-revisions=a=100 \\",
        "    --region=us-central1 --project=p",
    ]


def test_a_command_is_never_cut_inside_quotes() -> None:
    assert list(folded('say "one two three four" x', 12)) == ["say \\", '    "one two three four" \\', "    x"]
    assert list(folded("say 'it is \"so\" here' x", 12)) == ["say \\", "    'it is \"so\" here' \\", "    x"]


def test_what_fits_is_not_touched() -> None:
    assert list(folded("rollback  backend", 80)) == ["rollback  backend"]


@given(st.lists(st.text("abcdefgh-=", min_size=1, max_size=20), min_size=1, max_size=20).map(" ".join))
def test_a_folded_command_is_the_same_to_a_shell(command: str) -> None:
    rows = list(folded(command, 40))
    assert "".join(row.removesuffix("\\") for row in rows).split() == command.split()
    assert all(row.endswith(" \\") for row in rows[:-1])
    assert all(len(row) <= 40 for row in rows)


def test_copied_lines_are_not_padded() -> None:
    assert drawn(Code(lines=("a", "b"))) == "T\n\n  a\n  b\n"


def test_the_same_answer_in_a_narrow_terminal() -> None:
    answer = [
        Table(title="Releases", columns=("release", "by"), rows=(("backend-00042-guz", "deployer@x.iam.example.com"),)),
        Text(text="a sentence that is longer than such a terminal is wide"),
    ]
    assert widest(drawn(*answer, columns=30)) <= 30


def test_an_instant_before_1970_can_be_shown() -> None:
    assert "1969-12-31 23:59:59 UTC" in drawn(
        Table(title="", columns=("at",), rows=((datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),),))
    )
