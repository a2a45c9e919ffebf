"""The table tells of each platform which promises it kept, and of none more than it showed."""

from tests.providers.conformance.table import Played, table

PLAYED = [
    Played("paper", "back", kept=True, crashed=False),
    Played("cloud_run", "back", kept=True, crashed=False),
    Played("cloud_run", "back", kept=True, crashed=True),
    Played("cloud_run", "back", kept=True, crashed=True),
    Played("cloud_run", "a good release", kept=True, crashed=False),
    Played("cloud_run", "a good release", kept=False, crashed=True),
]


def test_a_row_for_each_case_and_a_column_for_each_platform() -> None:
    assert list(table(PLAYED)) == [
        "case            cloud_run           paper",
        "back            kept, 2 crashes     kept",
        "a good release  BROKEN (1 of 2)     -",
    ]


def test_nothing_played_has_no_row() -> None:
    assert list(table([])) == ["case"]
