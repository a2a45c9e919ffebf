"""kill -9 at every boundary of each change: nothing done twice, nothing forgotten, nothing untrue said."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.mark import ParameterSet
from rich.console import Console

from bot.sandbox import crash_matrix, crash_table
from bot.sandbox.crash_case import Boundary, Result
from bot.sandbox.crash_town import GOOD, Town
from bot.sandbox.crash_verdict import seen, wrong
from bot.sandbox.incident import Incident, NotHappened
from bot.sandbox.postgres import Databases
from bot.sandbox.story import stories

CHUNKS = {"deploy, put back": 4, "others": 16}  # so that processes can share the work, and none is left without any
PAIR_CHUNKS = 4
# Every n-th chunk (0: none) of what leaves a state of its own is in `make test-all`, as its time allows;
# `aisq sandbox crash-matrix` has every boundary.
ON_SQLITE = {"rollback": 1, "deploy": 1, "deploy, put back": 1, "others": 16}
ON_POSTGRES = {"rollback": 8, "deploy": 16, "traffic": 16, "scale": 16, "lock": 16, "others": 0}
FIRST = 3  # chunk: of the smaller ones
IN_EVERY_RUN = {("rollback", 3)}
STORIES = stories()
# Until its second write, which gives a bad release traffic, it is a deploy like any other.
SINCE = {"deploy, put back": ("before effects+operations+audit_ends+audit #3", 2)}  # commit, and nth change of traffic
ROLLBACK = STORIES["rollback"]
WORK = (
    "mutexes",
    "effects+operations+audit_ends+audit",  # intended; settled
    "effects",  # the cloud's operation id
    "operations+audit_ends+audit+pins+locks+mutexes",  # outcome, pin, lock and release of the mutex in one
)
PROGRESS = {"SQLite": "workflow_status+operation_outputs", "PostgreSQL": "operation_outputs"}  # of the durable library
COALESCING = re.compile(r"\b(messages|stages)\b")
APPLYING = re.compile(r"mutexes|effects #|effects\+|operation_outputs #|UpdateService|GetOperation")


@cache
def every(town: Town, operation: str) -> list[Boundary]:
    """Traced once a town."""
    return crash_matrix.boundaries(town, STORIES[operation])


def chunk_of(nth: int, town: Town, operation: str) -> list[Boundary]:
    """By name, so that every process puts a boundary into the same chunk."""
    todo = leaving_states(of_its_own(every(town, operation), operation))
    return [one for one in todo if crc32(str(one).encode()) % chunk_count(operation) == nth]


def chunk_count(operation: str) -> int:
    return CHUNKS.get(operation, CHUNKS["others"])


def of_its_own(found: list[Boundary], operation: str) -> list[Boundary]:
    """Without what another story has too."""
    if operation not in SINCE:
        return found
    commit, nth = SINCE[operation]
    own = found[found.index(Boundary(commit=commit)) :]
    return [one for one in own if one.commit or (one.method == "UpdateService" and one.nth >= nth)]


def leaving_states(found: list[Boundary]) -> list[Boundary]:
    """One for each state of the databases, the cloud and Slack that a crash can leave.

    Whoever dies at a call that only reads, or before a commit, leaves what the commit before that one did, unless
    something was done outside in between. Commits of effects and of messages tell of that.
    """
    changing = {one.method for one in found if one.when == "after_commit"}
    return [
        one
        for one in found
        if one.method in changing or one.commit.startswith("after ") or re.search("effects|messages", one.commit)
    ]


def check_reached(results: list[Result]) -> None:
    """Edits coalesce, and a run may need fewer looks at a stage: those may be missing in a run, not most of a chunk."""
    missed = [str(one.boundary) for one in results if not one.reached]
    assert [name for name in missed if not COALESCING.search(name)] == []
    assert len(missed) * 2 <= len(results)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with crash_matrix.town() as made:
        yield made


@pytest.fixture(scope="module")
def pair(databases: Databases) -> Iterator[Town]:
    """On PostgreSQL, with two replicas."""
    with crash_matrix.town(databases) as made:
        yield made


def judged(town: Town, operation: str, todo: list[Boundary]) -> list[Result]:
    """Kill at each; fails with what was wrong, and where."""
    results = [crash_matrix.crash(town, STORIES[operation], one) for one in todo]
    assert {str(one.boundary): one.wrong for one in results if one.wrong} == {}
    return results


def chunks(often: dict[str, int]) -> list[ParameterSet]:
    """(operation, chunk): `often` says every which."""
    return [
        pytest.param(operation, chunk, marks=() if (operation, chunk) in IN_EVERY_RUN else pytest.mark.slow)
        for operation in STORIES
        if (every_nth := often.get(operation, often["others"]))
        for count in [chunk_count(operation)]
        for chunk in sorted((FIRST + nth) % count for nth in range(0, count, every_nth))
    ]


def test_the_trace_knows_every_kind_of_boundary(town: Town) -> None:
    found = every(town, "rollback")
    names = {str(one) for one in found}
    commits = {one.commit.rpartition(" #")[0] for one in found if one.commit}
    for tables in (
        "heard+audit_ends+audit+operations",  # asked
        "operations+audit_ends+audit",  # planned; begun; judged
        "messages",  # posted, edited
        "approvals+operations+audit_ends+audit",  # approved and queued in one
        "workflow_status+workflow_input",  # queued in the durable library
        *WORK,
        PROGRESS["SQLite"],
    ):
        assert {f"before {tables}", f"after {tables}"} <= commits
    assert {f"{when} UpdateService #1" for when in ("before", "after commit", "after answer")} <= names
    for method in ("GetService", "GetOperation", "ListRevisions", "ListTimeSeries", "GetDockerImage"):
        assert {f"before {method} #1", f"after answer {method} #1"} <= names
    assert "after commit UpdateService #1, then before ListOperations #1" in names
    assert len(names) == len(found) > 70


@pytest.mark.parametrize(("operation", "chunk"), chunks(ON_SQLITE))
def test_killed_at_every_boundary(town: Town, operation: str, chunk: int) -> None:
    check_reached(judged(town, operation, chunk_of(chunk, town, operation)))


@pytest.mark.parametrize("nth", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_a_deploy_makes_its_release_and_each_shift_once(town: Town, nth: int) -> None:
    (found,) = judged(town, "deploy", [Boundary(method="UpdateService", nth=nth, when="after_commit")])
    assert found.reached


def test_a_bad_release_is_put_back_once_whoever_dies_at_it(town: Town) -> None:
    """The third write puts traffic back; the second bot finds it begun."""
    (found,) = judged(town, "deploy, put back", [Boundary(method="UpdateService", nth=3, when="after_commit")])
    assert found.reached


def test_a_stage_goes_on_from_its_counts(town: Town) -> None:
    (found,) = judged(town, "deploy", [Boundary(commit="after operations+stages+audit_ends+audit #4")])
    assert found.reached


def stages(here: Incident) -> list[tuple[str, str]]:
    """State and newest finding of each."""
    return [(state, said) for state, said in here.books.ours("select state, sentence from stages order by position")]


@pytest.mark.parametrize(
    "at_a_look",
    [pytest.param(True, id="at a look"), pytest.param(False, id="once it is written down", marks=pytest.mark.slow)],
)
def test_a_hold_survives(town: Town, at_a_look: bool) -> None:
    """The next bot stays where it is told to, although the judge would go on; then each write is made once."""
    here, bot = Incident(town), town.bot
    here.push_new(failing=0.0)
    begin(here)
    here.ask("deploy backend v43 --unpin --weights 50,100 --bake 20m")
    here.until(lambda: (card := here.waiting()) and here.approve(card))
    here.until(lambda: [state for state, _ in stages(here)] == ["baking"])
    ((id, *_),) = here.books.changes()
    here.ask(f"ops hold {id}", "U0BEN")
    here.until(lambda: stages(here)[0][0] == "held")
    if at_a_look:
        here.cloud.fault("kill", method="GetService", nth=1, when="after_answer", pid=bot.pid)
        here.until(lambda: bot.exit_code() is not None)
    bot.kill()
    begin(here)
    here.until(lambda: "Promote" in stages(here)[0][1])
    later = clock(here) + timedelta(minutes=5)
    here.until(lambda: clock(here) > later)
    assert [state for state, _ in stages(here)] == ["held"]
    assert here.serving() == {GOOD: 50, f"backend-{id}": 50}
    here.ask(f"ops advance {id}", "U0BEN")
    here.until(here.books.is_quiet)
    story = STORIES["deploy"].named(good=GOOD, bad="", before="", number="")
    found = wrong(seen(here), here.books, story)
    bot.kill()
    assert found == ()


def clock(here: Incident) -> datetime:
    return datetime.fromisoformat(here.cloud.clock()["now"])


def begin(here: Incident) -> None:
    """The bot starts, and hears what people say."""
    here.cloud.clear_faults()
    here.town.bot.start()
    here.town.bot.wait_ready()
    here.people.hear(here.town.bot)


@pytest.mark.slow
@pytest.mark.parametrize(
    "boundary",
    [
        Boundary(commit="after approvals+operations+audit_ends+audit #1"),
        Boundary(commit="after operations+audit_ends+audit+pins+locks+mutexes #1"),
        Boundary(method="UpdateService", when="after_commit"),
    ],
    ids=str,
)
def test_the_other_replica_takes_over(pair: Town, boundary: Boundary) -> None:
    assert boundary in every(pair, "rollback")
    assert [one.reached for one in judged(pair, "rollback", [boundary])] == [True]


@pytest.mark.slow
def test_of_two_replicas_the_first_one_does_the_work(pair: Town) -> None:
    """Else nothing would be killed where it matters most."""
    commits = {one.commit.rpartition(" #")[0] for one in every(pair, "rollback")}
    for tables in (*WORK, PROGRESS["PostgreSQL"]):
        assert {f"before {tables}", f"after {tables}"} <= commits


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "chunk"), chunks(ON_POSTGRES))
def test_the_other_replica_takes_over_at_every_boundary(pair: Town, operation: str, chunk: int) -> None:
    check_reached(judged(pair, operation, chunk_of(chunk, pair, operation)))


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(PAIR_CHUNKS))
def test_killed_while_applying_and_again_while_the_next_one_takes_over(town: Town, chunk: int) -> None:
    """The second bot dies at its first commits of the same work; of all pairs every 19th."""
    first = [one for one in every(town, "rollback") if APPLYING.search(str(one)) and not one.then]
    second = [
        Boundary(commit=f"{when} {name} #1")
        for when, name in product(("before", "after"), ("mutexes", "workflow_status+operation_outputs", "messages"))
    ]
    twice = [
        Boundary(commit=one.commit, method=one.method, nth=one.nth, when=one.when, then=then)
        for one, then in [*product(first, second)][::19]
    ]
    judged(town, "rollback", twice[chunk::PAIR_CHUNKS])


def test_a_story_that_goes_wrong_by_itself_is_told_before_anything_is_killed(town: Town) -> None:
    (empty := town.folder / "empty").mkdir()
    town.bot.settings["AISQ_CATALOG_DIR"], right = str(empty), town.bot.settings["AISQ_CATALOG_DIR"]
    try:
        with pytest.raises(NotHappened, match=r"(?s)the bot does not stay alive.*there is no system"):
            crash_matrix.boundaries(town, ROLLBACK)
    finally:
        town.bot.settings["AISQ_CATALOG_DIR"] = right


ROWS = [
    Result(Boundary(commit="before operations+audit_ends+audit #1"), True, (), 2.04, ("committed",)),
    Result(Boundary(method="UpdateService", when="after_commit"), True, (), 3.0, ("killed after commit",)),
    Result(Boundary(commit="after messages #7"), False, (), 1.0, ("committed",)),
    Result(
        Boundary(method="UpdateService", when="before"),
        True,
        ("moved 2 times", "a mutex is held"),
        9.0,
        ("committed", "committed"),
    ),
]


def shown(rows: list[Result]) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    crash_table.show(rows, "rollback", "SQLite", console)
    console.file.close()
    return console.export_text()


@pytest.mark.parametrize(
    "line",
    [
        r"right +2\.0 s  before operations\+audit #1",
        r"right +3\.0 s  after commit UpdateService #1  updates: killed after commit",
        r"right +1\.0 s  after messages #7  not reached",
        r"WRONG +9\.0 s  before UpdateService #1  updates: committed, committed",
        r" +moved 2 times",
        r" +a mutex is held",
        r"4 crashes of `rollback` on SQLite: 3 right, 1 wrong\.",
        r"1 not reached: each time the run took another way .*",
    ],
)
def test_the_table(line: str) -> None:
    assert any(re.fullmatch(line, one.rstrip()) for one in shown(ROWS).splitlines())


def test_a_table_in_which_all_was_reached_explains_nothing() -> None:
    assert "not reached" not in shown(ROWS[:2])


def test_the_page_has_a_row_for_each_boundary_and_a_column_for_each_database() -> None:
    page = crash_table.page({"rollback": {"SQLite": ROWS, "PostgreSQL": ROWS[:1]}})
    assert (
        "## rollback\n\n* 4 crashes of `rollback` on SQLite: 3 right, 1 wrong. Quiet after 3.0 s in the middle" in page
    )
    assert "* 1 crashes of `rollback` on PostgreSQL: 1 right, 0 wrong." in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows == [
        "| killed | SQLite | PostgreSQL |",
        "| before operations+audit #1 | 2.0 s | 2.0 s |",
        "| after commit UpdateService #1 | 3.0 s |  |",
        "| after messages #7 | not reached |  |",
        "| before UpdateService #1 | WRONG: moved 2 times; a mutex is held |  |",
    ]


def test_an_operation_without_a_story_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert crash_matrix.main(["status"], ["sqlite"], every=1, workers=1, page="") == 2
    said = " ".join(capsys.readouterr().out.split())
    assert said == f"There is no story for 'status'; write {', '.join(STORIES)}."


def test_the_page_has_what_was_done_also_when_the_rest_could_not_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> Iterator[tuple[str, str, list[Result]]]:
        yield "rollback", "SQLite", ROWS
        raise NotHappened("the town does not work")

    monkeypatch.setattr(crash_matrix, "_run", broken)
    page = tmp_path / "page.md"
    assert crash_matrix.main([], ["sqlite"], every=1, workers=1, page=str(page)) == 1
    assert page.read_text() == crash_table.page({"rollback": {"SQLite": ROWS}})
    assert capsys.readouterr().out.endswith("the town does not work\n")
