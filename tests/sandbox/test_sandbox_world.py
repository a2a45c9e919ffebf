"""The world file, the clock, the agenda: what the sandbox stands on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.sandbox import blueprint, names
from bot.sandbox.agenda import Agenda
from bot.sandbox.clock import ManualClock, ScaledClock
from bot.sandbox.world import World

START = 1_790_000_000.0


@pytest.fixture(scope="module")
def shipped() -> World:
    return World(blueprint.load(), ManualClock(START))


@pytest.mark.parametrize(
    ("service", "serving"),
    [
        ("projects/ai-square-prod/locations/us-central1/services/backend", {"backend-00041-kex": 100}),
        ("projects/eaili5/locations/us-central1/services/eaili5-base-backend", {"eaili5-base-backend-00033-fib": 100}),
        (
            "projects/eaili5/locations/us-central1/services/eaili5-base-frontend",
            {"eaili5-base-frontend-00018-yot": 100},
        ),
        ("projects/pg-agi/locations/us-central1/services/backend", {"backend-00020-jeb": 90, "backend-00021-lis": 10}),
        ("projects/ai-square-mvp/locations/us-central1/services/backend", {"backend-00012-nif": 100}),
    ],
)
def test_the_shipped_world_serves(shipped: World, service: str, serving: dict[str, int]) -> None:
    assert shipped.cloud_run.services[service].split == serving


def test_every_name_in_the_shipped_world_is_consistent(shipped: World) -> None:
    for state in shipped.cloud_run.services.values():
        for at, split in state.splits:
            assert set(split) <= set(state.truths), (state.name, at)
            assert sum(split.values()) == 100
        instants = [at for at, _ in state.splits]
        assert instants == sorted(instants)
        assert state.changed < shipped.began
        assert state.shown.generation == state.shown.observed_generation > 0


def test_the_shipped_backend_has_hazards_in_its_past(shipped: World) -> None:
    """The oldest release's image is gone, the next one's secret is disabled, one was bad for 40 minutes."""
    name = "projects/ai-square-prod/locations/us-central1/services/backend"
    state = shipped.cloud_run.services[name]
    image = state.revisions["backend-00035-dax"].containers[0].image
    assert shipped.registry.digest_of(image) is None
    assert "DISABLED" in shipped.vault.complaint("ai-square-prod", "database-url", "2")
    assert state.truths["backend-00039-led"].error_rate == 0.04
    bad = [at for at, split in state.splits if split == {"backend-00039-led": 100}]
    after = min(at for at, _ in state.splits if at > bad[0])
    assert after - bad[0] < timedelta(hours=1)


def test_images_of_all_other_releases_exist(shipped: World) -> None:
    for state in shipped.cloud_run.services.values():
        for name, revision in state.revisions.items():
            known = shipped.registry.digest_of(revision.containers[0].image)
            assert bool(known) == (name != "backend-00035-dax" or "staging" in state.name), name


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("6h", timedelta(hours=6)),
        ("12d", timedelta(days=12)),
        ("11.5d", timedelta(days=11, hours=12)),
        (timedelta(days=1), timedelta(days=1)),
    ],
)
def test_ages(written: Any, meant: timedelta) -> None:
    assert blueprint.Release(name="a", age=written).age == meant


@pytest.mark.parametrize("written", ["", "3 days", "d", "1w", "-1d"])
def test_what_is_no_age(written: str) -> None:
    with pytest.raises(ValidationError, match="write an age as"):
        blueprint.Release(name="a", age=written)


def plan(**service: Any) -> blueprint.Blueprint:
    service = {"releases": [{"name": "00001-aaa", "age": "2d"}, {"name": "00002-bbb", "age": "1d"}], **service}
    return blueprint.Blueprint.model_validate({"projects": {"p": {"services": {"s": service}}}})


def state(**service: Any) -> Any:
    world = World(plan(**service), ManualClock(START))
    return world.cloud_run.services["projects/p/locations/us-central1/services/s"]


def test_defaults_make_a_service_of_its_releases_alone() -> None:
    one = state()
    assert one.shown.template.containers[0].image == "us-central1-docker.pkg.dev/p/app/s:00002-bbb"
    assert list(one.revisions) == ["s-00001-aaa", "s-00002-bbb"]
    assert one.split == {"s-00002-bbb": 100}
    assert one.shown.generation == 2


def test_without_a_history_every_release_served_in_turn() -> None:
    began = datetime.fromtimestamp(START, UTC)
    splits = state().splits
    assert [split for _, split in splits][:2] == [{"s-00001-aaa": 100}, {"s-00002-bbb": 100}]
    assert splits[0][0] == began - timedelta(days=2) + timedelta(seconds=30)


def test_traffic_and_history_may_be_given_with_short_or_full_names() -> None:
    one = state(
        traffic={"00001-aaa": 90, "s-00002-bbb": 10},
        history=[
            {"age": "2d", "traffic": {"00001-aaa": 100}},
            {"age": "1d", "traffic": {"00001-aaa": 90, "00002-bbb": 10}},
        ],
    )
    assert one.split == {"s-00001-aaa": 90, "s-00002-bbb": 10}
    assert one.splits[0][1] == {"s-00001-aaa": 100}


def test_a_release_that_never_started_is_there_and_never_served() -> None:
    one = state(releases=[{"name": "00001-aaa", "age": "2d"}, {"name": "00002-bbb", "age": "1d", "ready": False}])
    assert one.split == {"s-00001-aaa": 100}
    assert one.shown.latest_ready_revision.endswith("s-00001-aaa")
    assert one.shown.latest_created_revision.endswith("s-00002-bbb")
    assert "failed to start" in one.revisions["s-00002-bbb"].conditions[0].message


def test_project_numbers_are_made_up_but_stable() -> None:
    first, second = (plan().projects["p"].number for _ in range(2))
    assert first == second
    assert len(str(first)) == 12


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("projects: 3", "projects"),
        ("projects: {p: {services: {s: {releases: []}}}}", "projects.p.services.s.releases"),
        ("projects: {p: {services: {s: {relases: []}}}}", "relases"),
        ("projects: {p: {services: {s: {releases: [{name: a, age: yesterday}]}}}}", "write an age as 30s"),
        ("projects: {p: {", "line 1"),
        ("projects: {p: {secrets: {s: {versions: [GONE]}}}}", "versions.0"),
    ],
)
def test_a_world_file_that_is_wrong_is_named_with_the_place(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"w\.yaml") as wrong:
        blueprint.load(path)
    assert complaint in str(wrong.value)


def test_a_scaled_clock_runs_at_its_rate_from_its_origin() -> None:
    origin = datetime.now(UTC).timestamp() - 10
    fast, slow = ScaledClock(60, origin), ScaledClock(0.5, origin)
    assert 600 <= (fast.now().timestamp() - origin) < 6000
    assert 5 <= (slow.now().timestamp() - origin) < 50
    assert fast.real_s(60) == 1
    assert fast.now().tzinfo is UTC


@pytest.mark.parametrize("rate", [0, -1])
def test_a_scaled_clock_needs_a_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        ScaledClock(rate)


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(START)
    assert clock.now() == clock.now() == datetime.fromtimestamp(START, UTC)
    clock.advance(1.5)
    assert clock.now().timestamp() == START + 1.5
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)
    assert (clock.real_s(5), clock.real_s(0)) == (float("inf"), 0.0)


def test_the_agenda_runs_what_is_due_in_order_and_what_that_brings() -> None:
    agenda, ran = Agenda(), list[str]()
    instant = [datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in range(5)]
    agenda.at(instant[2], lambda at: ran.append(f"c {at.minute}"))
    agenda.at(
        instant[1], lambda at: (ran.append(f"a {at.minute}"), agenda.at(instant[1], lambda _: ran.append("b")))[0]
    )
    agenda.at(instant[4], lambda at: ran.append(f"d {at.minute}"))
    agenda.settle(instant[0])
    assert ran == []
    agenda.settle(instant[3])
    assert ran == ["a 1", "b", "c 2"]
    agenda.settle(instant[4])
    assert ran[-1] == "d 4"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("projects/p/locations/l/services/s/revisions/r", ("p", "l", "projects/p/locations/l/services/s", "r")),
        ("projects/p/locations/l/operations/o", ("p", "l", "", "o")),
        ("projects/p", ("p", "", "", "p")),
        ("nonsense", ("", "", "", "nonsense")),
    ],
)
def test_names_taken_apart(name: str, parts: tuple[str, ...]) -> None:
    found = (names.project_of(name), names.location_of(name), names.service_of(name), names.short(name))
    assert found == parts
