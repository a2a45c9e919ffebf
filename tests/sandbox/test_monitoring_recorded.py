"""What really happened counts instead of what the world makes up: in requests, in how long they took, in logs."""

from datetime import UTC, datetime

import numpy as np
import pytest
from google.cloud import run_v2

from bot.sandbox.cloud_run.state import ServiceState, Truth
from bot.sandbox.logs import entries
from bot.sandbox.monitoring import history, latency, traffic
from bot.sandbox.monitoring.recorded import Recorded, minutes_of
from bot.sandbox.query import parse

FIRST = 29_833_333  # minutes since 1970
BEGAN = FIRST * 60.0
REAL_FROM = 10  # minutes after FIRST


@pytest.fixture
def state() -> ServiceState:
    """Release a serves all, 10 a second, of which 5 % fail; from minute REAL_FROM on requests are real."""
    name = "projects/p/locations/l/services/s"
    found = ServiceState(run_v2.Service(name=name, uri="https://s.run.app"), rps=10, not_found_rate=0.01)
    since = datetime.fromtimestamp(BEGAN, UTC)
    for release in "ab":
        found.truths[release] = Truth(run_v2.RevisionTemplate(), error_rates=[(since, 0.05)])
    found.splits.append((since, {"a": 100}))
    found.recorded = Recorded(BEGAN + REAL_FROM * 60)
    return found


def happened(state: ServiceState, minute: int, *took_ms: float, release: str = "a", code: str = "200") -> None:
    """Answers, one a second, in a minute after FIRST."""
    assert state.recorded
    for second, took in enumerate(took_ms):
        state.recorded.note(release, code, BEGAN + minute * 60 + second, took)


def counted(state: ServiceState, release: str = "a", last: int = 20) -> dict[str, list[int]]:
    return {code: one.tolist() for code, one in traffic.requests(1, state, release, FIRST, FIRST + last).items()}


def test_from_its_instant_on_only_what_happened_is_counted(state: ServiceState) -> None:
    before = counted(state)
    assert all(500 < sum(minute) < 700 for minute in zip(*(one[:REAL_FROM] for one in before.values()), strict=True))
    assert all(sum(one[REAL_FROM:]) == 0 for one in before.values())
    happened(state, 12, 80, 90)
    happened(state, 13, 70)
    happened(state, 12, 900, code="500")
    after = counted(state)
    assert {code: one[:REAL_FROM] for code, one in after.items()} == {
        code: one[:REAL_FROM] for code, one in before.items()
    }
    assert (after["200"][REAL_FROM:], after["500"][12], sum(after["404"][REAL_FROM:])) == (
        [0, 0, 2, 1, 0, 0, 0, 0, 0, 0],
        1,
        0,
    )


def test_any_range_gives_the_same_numbers(state: ServiceState) -> None:
    for minute in range(REAL_FROM, 20):
        happened(state, minute, *range(1, minute))
    whole = counted(state)["200"]
    parts = [int(traffic.requests(1, state, "a", FIRST + n, FIRST + n + 1)["200"][0]) for n in range(20)]
    assert parts == whole


def test_codes_that_the_world_would_not_make_up(state: ServiceState) -> None:
    assert traffic.codes(state, "a") == ["200", "404", "500"]
    happened(state, 11, 5.0, code="503")
    assert traffic.codes(state, "a") == ["200", "404", "500", "503"]
    assert counted(state)["503"][11] == 1
    assert traffic.codes(state, "b") == ["200", "404", "500"]


def test_a_release_that_only_a_tag_leads_to(state: ServiceState) -> None:
    assert traffic.served(state, "b") is None
    happened(state, 15, 50.0, release="b")
    assert traffic.served(state, "b") == (BEGAN + 15 * 60, float("inf"))
    assert counted(state, "b")["200"][15] == 1
    assert traffic.served(state, "a") == (BEGAN, float("inf"))


def test_a_clock_that_is_set_back_loses_no_answer() -> None:
    recorded = Recorded(BEGAN)
    for at in (BEGAN + 70, BEGAN + 50, BEGAN + 130, BEGAN - 10):
        recorded.note("a", "200", at, 1.0)
    found = [len(recorded.between("a", "200", FIRST + n, FIRST + n + 1)[0]) for n in range(3)]
    assert found == [0, 2, 2]


def test_what_never_happened() -> None:
    recorded = Recorded(BEGAN)
    at, took = recorded.between("a", "200", FIRST, FIRST + 5)
    assert (len(at), len(took), recorded.codes("a"), recorded.span("a")) == (0, 0, [], None)
    assert minutes_of(at, FIRST).tolist() == []


def test_the_last_instant_of_a_minute_is_in_it() -> None:
    recorded = Recorded(BEGAN)
    for at in (BEGAN, BEGAN + 59.999, BEGAN + 60):
        recorded.note("a", "200", at, 1.0)
    at, _ = recorded.between("a", "200", FIRST, FIRST + 2)
    assert minutes_of(at, FIRST).tolist() == [0, 0, 1]


def test_histograms_hold_what_was_measured(state: ServiceState) -> None:
    happened(state, 12, 0.5, 100.0, 100.0, 1e12)
    counts = traffic.requests(1, state, "a", FIRST + 8, FIRST + 13)["200"]
    rows = latency.histograms(1, state, "a", "200", FIRST + 8, counts)
    assert rows.sum(axis=1).tolist() == counts.tolist()
    (place,) = (n for n, edge in enumerate(latency.EDGES_MS) if edge > 100 and latency.EDGES_MS[n - 1] <= 100)
    measured = rows[4]
    assert (measured[0], measured[place], measured[-1], measured.sum()) == (1, 2, 1, 4)
    assert rows[0].sum() > 400, "before, it is made up as ever"


def test_the_minute_in_which_it_begins_has_both(state: ServiceState) -> None:
    state.recorded = Recorded(BEGAN + REAL_FROM * 60 + 30)
    made_up = counted(state)["200"][REAL_FROM]
    assert 200 < made_up < 400
    state.recorded.note("a", "200", BEGAN + REAL_FROM * 60 + 40, 7.0)
    counts = traffic.requests(1, state, "a", FIRST + REAL_FROM, FIRST + REAL_FROM + 1)["200"]
    assert counts.tolist() == [made_up + 1]
    assert latency.histograms(1, state, "a", "200", FIRST + REAL_FROM, counts).sum() == made_up + 1


def test_the_truth_of_a_minute(state: ServiceState) -> None:
    happened(state, 12, *[100.0] * 20)
    happened(state, 12, 800.0, code="503")
    now = datetime.fromtimestamp(BEGAN + 14 * 60, UTC)
    (minute,) = [one for one in history.minutes(1, state, now, 2) if one["at"] == BEGAN + 12 * 60]
    assert (minute["requests"], minute["failed"]) == (21, 1)
    assert 80 < minute["p95_ms"] < 160


def entries_of(state: ServiceState, minute: int, filter_: str = "") -> list[entries.Entry]:
    asked = parse(filter_)
    kinds = entries.kinds(state, "a", asked)
    found = entries.of_requests(1, state, "a", kinds, range(FIRST + minute, FIRST + minute + 1))
    return [one for one in found if asked.accepts(one)]


def test_there_is_an_entry_an_answer_with_its_instant_and_its_time(state: ServiceState) -> None:
    happened(state, 12, 80.0, 95.0)
    happened(state, 12, 3.0, code="503")
    found = sorted(entries_of(state, 12, "httpRequest.status>0"), key=lambda one: one["httpRequest.latency_ms"])
    assert [(one["httpRequest.status"], one["httpRequest.latency_ms"], one["severity"]) for one in found] == [
        (503, 3.0, "ERROR"),
        (200, 80.0, "INFO"),
        (200, 95.0, "INFO"),
    ]
    assert [one["timestamp"].timestamp() - BEGAN - 12 * 60 for one in found] == [0.0, 0.0, 1.0]


def test_an_answer_that_comes_later_changes_no_entry(state: ServiceState) -> None:
    happened(state, 12, 80.0, 90.0)
    before = entries_of(state, 12)
    assert state.recorded
    state.recorded.note("a", "200", BEGAN + 12 * 60 + 50, 70.0)
    after = entries_of(state, 12)
    assert len(after) == len(before) + 1
    assert all(one in after for one in before)


def test_an_application_that_failed_says_so_and_the_platform_for_it_does_not(state: ServiceState) -> None:
    happened(state, 12, 900.0, code="500")
    happened(state, 12, 1.0, code="503")
    logs = [one["logName"].rpartition("%2F")[2] for one in entries_of(state, 12)]
    assert sorted(logs) == ["requests", "requests", "stderr"]


def test_without_real_traffic_nothing_is_recorded(state: ServiceState) -> None:
    state.recorded = None
    assert traffic.recorded(state, "a", "200", FIRST, FIRST + 3).tolist() == [0, 0, 0]
    assert np.all(traffic.requests(1, state, "a", FIRST, FIRST + 20)["200"] > 0)
