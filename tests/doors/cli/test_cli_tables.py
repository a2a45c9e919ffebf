"""Tables keep to the width and lose nothing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bot.doors.cli.tables import Layout, wrapped

WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=30)
CELLS = st.lists(WORDS, max_size=6).map(" ".join)


def shown(columns: list[str], rows: list[list[str]], width: int, *numbers: int) -> str:
    layout = Layout(columns, rows, width, frozenset(numbers))
    return "\n".join([layout.heading(), *layout.rows()])


def test_what_fits_stands_side_by_side() -> None:
    assert shown(["name", "n"], [["a", "1"], ["bb", "22"]], 80) == "name  n\na     1\nbb    22"


def test_numbers_stand_to_the_right() -> None:
    assert shown(["name", "count"], [["a", "1"], ["bb", "222"]], 80, 1) == "name  count\na         1\nbb      222"


def test_a_long_text_is_wrapped_beside_the_others_when_there_is_room() -> None:
    rows = [["serve", "Run the bot: Slack, health, and the work itself."]]
    assert shown(["command", "what it does"], rows, 40) == (
        "command  what it does\nserve    Run the bot: Slack, health, and\n         the work itself."
    )


def test_else_the_widest_column_goes_below_its_row() -> None:
    rows = [["backend-00042-guz", "100 %", "ready", "deployer@ai-square-prod.iam.gserviceaccount.com"]]
    assert shown(["release", "traffic", "state", "by"], rows, 60) == (
        "release            traffic  state\n"
        "backend-00042-guz  100 %    ready\n"
        "    by: deployer@ai-square-prod.iam.gserviceaccount.com"
    )


def test_an_empty_cell_below_says_nothing() -> None:
    rows = [["a" * 30, "b" * 30, "c" * 40], ["a" * 30, "b" * 30, ""]]
    assert shown(["x", "y", "z"], rows, 70).splitlines()[-1] == f"{'a' * 30}  {'b' * 30}"


def test_wide_characters_count_double() -> None:
    table = shown(["name", "n"], [["日本語", "1"], ["abcdef", "2"]], 80)
    assert [cell_len(line) for line in table.splitlines()] == [9, 9, 9]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a abcdefgh b", 3, ["a", "abc", "def", "gh", "b"]),
        ("日本語", 4, ["日本", "語"]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert list(wrapped(text, width)) == lines


@given(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=4)),
    st.integers(20, 100),
)
def test_every_table_keeps_to_the_width_and_shows_every_character(rows: list[list[str]], width: int) -> None:
    columns = [f"c{at}" for at in range(len(rows[0]))]
    table = shown(columns, rows, width)
    assert all(cell_len(line) <= width for line in table.splitlines())
    cells = Counter(char for row in rows for cell in row for char in cell if not char.isspace())
    assert cells <= Counter(table)


def test_a_table_of_one_wide_column_is_wrapped() -> None:
    assert shown(["x"], [["abc def"]], 5) == "x\nabc\ndef"
