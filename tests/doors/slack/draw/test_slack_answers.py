"""Answers, as one person sees them: every part, tables of every size, and texts that want to be more than text."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer, Code, Part, Series, Table, Task, Tasks, Text
from bot.core.system import OperationRecord
from bot.doors.slack.draw.answers import answer, said, whisper
from bot.doors.slack.draw.blocks import Block, Card
from bot.doors.slack.draw.times import element
from tests.doors.slack.draw.test_slack_cards import WORDS, markup, of_type, read, texts, valid
from tests.doors.slack.harness import ANA, NOON, record, request

LOOK = record("answered", request=request(verb="answer", operation="ops list", text="ops list --limit 100"), plan=None)


def shown(*parts: Part, title: str = "Operations", of: OperationRecord = LOOK) -> Card:
    made = answer(Answer(title=title, parts=parts), of)
    valid(made)
    return made


def cells(block: Block) -> list[list[str]]:
    return [["".join(texts(cell)) for cell in row] for row in block["rows"]]


class TestTexts:
    def test_paragraphs_with_what_can_be_typed_as_code(self) -> None:
        made = shown(Text(text="New releases get none until `unpin backend`."))
        (paragraph,) = of_type(made, "rich_text")
        assert paragraph["elements"][0]["elements"] == [
            {"type": "text", "text": "New releases get none until "},
            {"type": "text", "text": "unpin backend", "style": {"code": True}},
            {"type": "text", "text": "."},
        ]

    @pytest.mark.parametrize(("mood", "wanted"), [("plain", "x"), ("good", "✓ x"), ("warning", "⚠️ x"), ("bad", "✗ x")])
    def test_moods_do_not_rely_on_colour(self, mood: Any, wanted: str) -> None:
        assert read(shown(Text(text="x", mood=mood))).splitlines()[-1] == wanted

    def test_the_text_beside_the_blocks_begins_with_the_first_of_it(self) -> None:
        made = shown(Text(text="All is well."), Text(text="Really.", mood="good"))
        assert made.text == "Operations. All is well.\n✓ Really."
        assert shown().text == "Operations"

    def test_lines_to_copy_keep_their_lines(self) -> None:
        made = shown(Code(lines=("gcloud run a", "gcloud run b")))
        assert read(made).splitlines()[-2:] == ["gcloud run a", "gcloud run b"]
        assert of_type(shown(Code(lines=())), "rich_text") == []

    def test_too_many_lines_to_copy_end_in_an_ellipsis(self) -> None:
        assert read(shown(Code(lines=("x",) * 100))).splitlines()[-1] == "…"

    def test_an_answer_without_a_title_is_named_after_its_operation(self) -> None:
        assert of_type(shown(title=""), "header")[0]["text"]["text"] == "ops list"


class TestTables:
    TABLE = Table(title="Writes", columns=("step", "count", "at"), rows=(("0/do", 3, NOON), ("", None, 2.50004)))

    def test_a_table_is_slacks_own_with_instants_in_every_readers_zone(self) -> None:
        made = shown(self.TABLE)
        (table,) = of_type(made, "table")
        assert cells(table) == [
            ["step", "count", "at"],
            ["0/do", "3", "2026-11-20 12:00 UTC"],
            ["-", "-", "2.5"],
        ]
        assert table["rows"][1][2]["elements"][0]["elements"] == [element(NOON)]
        assert "Writes" in read(made).splitlines()

    def test_an_instant_that_a_cell_spells_out_is_one_too(self) -> None:
        said_ = "pinned until 2026-11-20 12:00 UTC by Ana"
        (table,) = of_type(shown(Table(title="", columns=("what",), rows=((said_,), ("no",)))), "table")
        assert table["rows"][1][0]["elements"][0]["elements"][1] == element(NOON)
        assert cells(table) == [["what"], [said_], ["no"]]

    def test_aligned_text_takes_no_markup_so_it_is_in_the_askers_zone(self) -> None:
        made = shown(self.TABLE, Table(title="", columns=("at",), rows=((NOON,),)))
        assert read(made).splitlines()[-1] == "2026-11-20 13:00 CET"

    def test_only_numbers_are_aligned_to_the_right(self) -> None:
        table = Table(title="", columns=("name", "count"), rows=(("a", 1), ("b", 2)))
        (made,) = of_type(shown(table), "table")
        assert [column["align"] for column in made["column_settings"]] == ["left", "right"]

    def test_an_empty_table_says_so(self) -> None:
        made = shown(Table(title="Pins", columns=("target",), rows=(), empty="nothing is pinned; `pin` does not exist"))
        assert read(made).splitlines() == ["Operations", "Pins", "nothing is pinned; pin does not exist"]

    def test_the_second_table_is_aligned_text_because_slack_shows_one(self) -> None:
        made = shown(self.TABLE, Table(title="", columns=("a", "b"), rows=(("long", "x"), ("s", "y"))))
        assert len(of_type(made, "table")) == 1
        assert read(made).splitlines()[-3:] == ["a     b", "long  x", "s     y"]

    def test_a_table_too_wide_for_slack_is_aligned_text(self) -> None:
        wide = Table(title="", columns=tuple("abcdefghi"), rows=(tuple(range(9)),))
        made = shown(wide)
        assert of_type(made, "table") == []
        assert read(made).splitlines()[-2:] == ["a  b  c  d  e  f  g  h  i", "0  1  2  3  4  5  6  7  8"]

    def test_a_thousand_rows_are_cut_and_counted(self) -> None:
        rows = tuple((f"7k3q{number:06d}", NOON, "Ana", "rollback backend", "applied", "") for number in range(1000))
        columns = ("operation", "asked", "by", "request", "state", "outcome")
        made = shown(Table(title="", columns=columns, rows=rows))
        (table,) = of_type(made, "table")
        left_out = 1000 - (len(table["rows"]) - 1)
        assert 60 < len(table["rows"]) <= 100
        assert f"… and {left_out} more rows; a terminal shows all of them." in read(made)

    def test_one_row_is_always_shown(self) -> None:
        made = shown(Table(title="", columns=tuple("abcdefgh"), rows=(("lorem " * 300,) * 8,) * 50))
        assert len(of_type(made, "table")[0]["rows"]) >= 2

    @pytest.mark.parametrize("columns", [1, 8, 20, 40])
    @pytest.mark.parametrize("word", WORDS)
    def test_strange_cells_are_taken_by_slack(self, word: str, columns: int) -> None:
        row = (WORDS[word],) * columns
        shown(Table(title=WORDS[word], columns=row, rows=(row,) * 3), Table(title="", columns=row, rows=(row,) * 40))


class TestTasks:
    def test_tasks_show_how_far_each_is(self) -> None:
        states: tuple[Any, ...] = ("pending", "running", "done", "failed", "skipped")
        tasks = tuple(Task(title=state, state=state, detail=f"see `{state}`") for state in states)
        (plan,) = of_type(shown(Tasks(title="Drill", tasks=tasks)), "plan")
        assert [task["status"] for task in plan["tasks"]] == [
            "pending",
            "in_progress",
            "complete",
            "error",
            "complete",
        ]

    def test_too_many_tasks_are_counted(self) -> None:
        tasks = tuple(Task(title=str(number), state="pending") for number in range(100))
        (plan,) = of_type(shown(Tasks(title="Drill", tasks=tasks)), "plan")
        assert (plan["title"], len(plan["tasks"])) == ("Drill (and 70 more)", 30)


class TestWhole:
    def test_what_does_not_fit_is_said_with_the_line_for_the_terminal(self) -> None:
        made = shown(*(Text(text="lorem ipsum " * 100) for _ in range(30)))
        assert read(made).splitlines()[-1] == (
            "There is more than fits here; a terminal shows all of it: aisq ops list --limit 100"
        )

    def test_a_zone_that_no_machine_knows_is_utc(self) -> None:
        of = record("answered", request=request(actor=ANA.model_copy(update={"zone": "Mars/Olympus"})))
        table = Table(title="", columns=("at",), rows=((NOON,),))
        assert read(shown(table, table, of=of)).splitlines()[-1] == "2026-11-20 12:00 UTC"

    @pytest.mark.parametrize("word", WORDS)
    def test_foreign_text_is_never_markup(self, word: str) -> None:
        text = WORDS[word]
        made = shown(
            Text(text=text), Code(lines=(text,)), Table(title=text, columns=(text,), rows=((text,),)),
            Tasks(title=text, tasks=(Task(title=text, state="done", detail=text),)),
            Series(title=text, unit=text, at=(NOON,), lines={text: (1.0,)}), title=text,
        )  # fmt: skip
        assert markup(made) == []

    @given(text=st.text(st.characters(), max_size=300), count=st.integers(0, 60))
    @settings(max_examples=60)
    def test_any_answer_is_taken_by_slack(self, text: str, count: int) -> None:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        table = Table(title=text, columns=(text, "b", "c"), rows=((text, 1.5, at),) * count, empty=text)
        shown(Text(text=text), table, Code(lines=(text,) * count), table, title=text)


class TestWhispers:
    """What the asker alone is told about an operation without an answer."""

    @pytest.mark.parametrize(("state", "mark"), [("denied", "⛔ "), ("rejected", "🚫 "), ("failed", "❌ ")])
    def test_a_refusal_is_one_sentence(self, state: Any, mark: str) -> None:
        made = whisper(record(state, plan=None, digest="", detail="say which release: `rollback backend --to X`"))
        valid(made)
        assert made.text == f"{mark}say which release: `rollback backend --to X`"
        assert read(made) == f"{mark}say which release: rollback backend --to X"

    def test_a_dry_run_is_the_whole_card(self) -> None:
        assert whisper(record("planned")).text.startswith("📝 Dry run, nothing done: rollback")

    def test_an_outcome_without_words_says_its_state(self) -> None:
        assert whisper(record("cancelled", plan=None, digest="", detail="")).text == "cancelled"

    @pytest.mark.parametrize("word", WORDS)
    def test_any_sentence_is_taken_by_slack(self, word: str) -> None:
        valid(said(f"{WORDS[word]}."))
