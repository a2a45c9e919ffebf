"""How big a service is, in words and as arithmetic."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.compute import CloudRun
from bot.core.errors import UserError
from bot.core.ports import ServiceState, Sizing
from bot.core.request import Target
from bot.core.sizing import (
    allowed,
    before,
    changed,
    check_sized,
    declared,
    described,
    differing,
    look_sized,
    merged,
    must_serve,
    size_of,
)
from bot.core.units import Bounds, mebibytes

TARGET = Target(system="shop", environment="prod", name="web", kind="service", type="cloud_run", cloud="gcp")
SIZES = st.builds(
    Sizing,
    min_instances=st.none() | st.integers(0, 9),
    max_instances=st.none() | st.integers(1, 9),
    cpu=st.none() | st.sampled_from([0.5, 1.0, 2.0]),
    memory_mb=st.none() | st.sampled_from([512, 1024]),
    concurrency=st.none() | st.integers(1, 3),
)


def run(**more: Any) -> CloudRun:
    return CloudRun.model_validate({"type": "cloud_run", "instances": {"min": 1, "max": 10}, **more})


def state(**more: Any) -> ServiceState:
    whole = {"asked": {"LATEST": 100}, "serving": {"c": 100}, "version": "7", "busy": False, **more}
    return ServiceState.model_validate(whole)


class Platform:
    """Shows one service."""

    def __init__(self, now: ServiceState) -> None:
        self._now = now

    def service(self, target: Target) -> ServiceState:
        return self._now


@pytest.mark.parametrize(
    "size, said",
    [
        ({}, ""),
        ({"min_instances": 2, "max_instances": 20}, "2 to 20 instances"),
        ({"min_instances": 1}, "at least 1 instance"),
        ({"min_instances": 0}, "at least 0 instances"),
        ({"max_instances": 1}, "at most 1 instance"),
        ({"cpu": 0.5}, "0.5 CPU"),
        ({"cpu": 2.0, "memory_mb": 2048}, "2 CPU, 2 GiB memory"),
        ({"memory_mb": 1536}, "1,536 MiB memory"),
        ({"concurrency": 80}, "80 requests at a time each"),
        ({"concurrency": 1}, "1 request at a time each"),
    ],
)
def test_in_words(size: dict[str, Any], said: str) -> None:
    assert described(Sizing.model_validate(size)) == said


@pytest.mark.parametrize("text, mib", [("512Mi", 512), ("1Gi", 1024), ("32Gi", 32768)])
def test_memory(text: str, mib: int) -> None:
    assert mebibytes(text) == mib


def test_what_the_catalog_says() -> None:
    whole = run(cpu=2, memory="1Gi", concurrency=80)
    assert declared(whole) == Sizing(min_instances=1, max_instances=10, cpu=2, memory_mb=1024, concurrency=80)
    assert declared(run(instances={"min": 0, "max": 0})) == Sizing(min_instances=0, max_instances=1)


def test_an_entry_that_says_nothing_of_sizes() -> None:
    class Plain(CloudRun):
        @property
        def bounds(self) -> Bounds | None:
            return None

    plain = Plain.model_validate(run().model_dump())
    assert (declared(plain), allowed(plain)) == (Sizing(), None)


def test_what_the_catalog_allows_at_any_time() -> None:
    night = {"min": 0, "max": 2, "days": ["sunday"], "start": "02:00", "end": "05:00"}
    sale = {"min": 5, "max": 30, "days": ["friday"], "start": "18:00", "end": "22:00"}
    assert allowed(run(schedule=[night, sale])) == Bounds(min=0, max=30)
    bounds = allowed(run())
    assert bounds is not None and [count in bounds for count in (0, 1, 10, 11)] == [False, True, True, False]


@given(SIZES, SIZES)
def test_a_change_is_what_it_takes_and_can_be_taken_back(wanted: Sizing, now: Sizing) -> None:
    change = changed(wanted, now)
    after = merged(change, now)
    assert changed(wanted, after) == Sizing(), "nothing is left to change"
    assert described(change) == "" or after != now
    if was := before(change, now):
        assert merged(was, after) == now
    else:
        assert any(getattr(now, field) is None for field in change.model_dump(exclude_none=True))


@given(SIZES, SIZES)
def test_what_differs_is_known_on_both_sides(now: Sizing, said: Sizing) -> None:
    for field, value in differing(now, said).model_dump(exclude_none=True).items():
        assert value == getattr(now, field) != getattr(said, field) is not None


def test_of_a_service() -> None:
    shown = {"min_instances": 1, "max_instances": 4, "cpu": 1.0, "memory_mb": 512, "concurrency": 80}
    assert size_of(state(**shown)) == Sizing.model_validate(shown)


# --- whether it arrived


@pytest.mark.parametrize(
    "now, starts, seen",
    [
        ({"max_instances": 8}, False, ("holds", "it has at most 8 instances")),
        ({"max_instances": 8, "busy": True}, False, ("not yet", "the change is being rolled out")),
        ({"max_instances": 8, "trouble": "an older release failed"}, False, ("holds", "it has at most 8 instances")),
        ({"max_instances": 8}, True, ("holds", "it has at most 8 instances")),
        (
            {"max_instances": 8, "trouble": "out of memory"},
            True,
            ("broken", "with that size it does not start: out of memory"),
        ),
        ({"max_instances": 9}, False, ("broken", "somebody else made it at most 9 instances meanwhile")),
    ],
)
def test_whether_it_arrived(now: dict[str, Any], starts: bool, seen: tuple[str, str]) -> None:
    found = check_sized(TARGET, Platform(state(**now)), Sizing(max_instances=8), starts=starts)  # type: ignore[arg-type]
    assert (found.state, found.sentence) == seen


def test_what_has_to_start_is_given_longer() -> None:
    bounds, release = (look_sized(Sizing(cpu=2), starts=starts) for starts in (False, True))
    assert bounds.deadline_s < release.deadline_s
    assert release.args == {"sizing": Sizing(cpu=2).model_dump(mode="json"), "starts": True}


def test_a_release_that_would_serve_nobody() -> None:
    must_serve(TARGET, state())
    with pytest.raises(UserError, match=r"traffic is held at b 100 %\. `unpin shop/prod/web` first"):
        must_serve(TARGET, state(asked={"b": 100}))
