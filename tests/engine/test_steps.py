"""The steps of any plan, however each ends: what is undone, at which version, and what people are told of it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.plan import Plan, Step, Versioned
from bot.core.request import LEFT_AS_IT_IS, Target
from bot.engine.steps import PUT_BACK, UNTOUCHED, Steps

TARGETS = [
    Target(system="shop", environment="prod", name=name, kind="service", type="cloud_run", cloud="gcp")
    for name in ("web", "api", "jobs")
]
SUCCEEDED, FAILED, CHANGED, CANCELLED, UNCERTAIN = (
    "succeeded",
    "failed",
    "changed by someone else",
    "cancelled",
    "uncertain",
)


def call(target: Target, undo: str = "back", *, may_stay: bool = False) -> Step:
    """A write; `undo` says what takes it back, if anything does."""
    at = {"target": target.model_dump(mode="json")}
    back = Step(verb="Compute.set_traffic", args={**at, "traffic": {undo: 100}}) if undo else None
    return Step(verb="Compute.set_traffic", args=at, title=f"move {target.name}", undo=back, may_stay=may_stay)


def check(target: Target, if_broken: str = "undo") -> Step:
    at = {"target": target.model_dump(mode="json")}
    return Step.model_validate({"kind": "check", "verb": "there", "args": at, "if_broken": if_broken})


def plan(*steps: Step, targets: int) -> Plan:
    first, *others = [Versioned(target=one, version="0") for one in TARGETS[:targets]]
    return Plan(target=first.target, version="0", others=tuple(others), steps=steps, summary="all moved")


class World:
    """Carries steps out as the script says, each once; what is not in it succeeds. Every write moves its target's
    version."""

    def __init__(self, made: Plan, script: dict[tuple[str, int], tuple[str, bool]]) -> None:
        self.plan, self.script = made, script
        self.did: list[tuple[str, int]] = []
        self.version = {one.target.full_name: 0 for one in made.targets}

    def make(self, direction: str, position: int, step: Step, version: str, target: Target) -> dict[str, Any]:
        assert (direction, position) not in self.did
        assert version == str(self.version[target.full_name]), "each expects what the one before left"
        self.did.append((direction, position))
        ending, began = self.script.get((direction, position), (SUCCEEDED, True))
        moved = step.kind == "call" and began
        self.version[target.full_name] += moved
        told = str(self.version[target.full_name]) if moved else ""
        return {"ending": ending, "detail": f"{target} {ending}", "version": told, "began": moved}

    def run(self) -> Any:
        return Steps(self.plan, self.make).forwards()

    def __repr__(self) -> str:
        steps = [f"{one.kind} {self.plan.target_of(one).name} {one.title}" for one in self.plan.steps]
        return f"{steps} of {len(self.plan.targets)}, {self.script}, did {self.did}"

    @property
    def undone(self) -> list[int]:
        return [position for direction, position in self.did if direction == "undo"]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    targets = draw(st.integers(1, 3))
    target = st.sampled_from(TARGETS[:targets])
    calls = st.builds(call, target, st.sampled_from(("back", "back", "elsewhere", "")), may_stay=st.booleans())
    checks = st.builds(check, target, st.sampled_from(("undo", "report")))
    steps = draw(st.lists(st.one_of(calls, calls, checks), min_size=1, max_size=6))
    script = {}
    if (stop := draw(st.integers(0, len(steps)))) < len(steps):
        endings = (FAILED, CHANGED, CANCELLED, UNCERTAIN) if steps[stop].kind == "call" else (FAILED, CANCELLED)
        ending = draw(st.sampled_from(endings))
        script["do", stop] = ending, ending in (FAILED, CANCELLED) and draw(st.booleans())
    for position in draw(st.sets(st.integers(0, len(steps) - 1), max_size=2)):
        script["undo", position] = draw(st.sampled_from((FAILED, CHANGED, UNCERTAIN))), False
    return World(plan(*steps, targets=targets), script)


def stopped_at(world: World) -> int | None:
    return next((position for way, position in world.script if way == "do"), None)


def left(world: World) -> dict[str, list[Step]]:
    """Of each target, what was done to it, may not stay and was not taken back."""
    steps, found = world.plan.steps, dict[str, list[Step]]()
    for position, step in enumerate(steps):
        ending, began = world.script.get(("do", position), (SUCCEEDED, True))
        done = ("do", position) in world.did and (ending == SUCCEEDED or began) and step.kind == "call"
        name = world.plan.target_of(step).full_name
        taken = any(
            (other == position or (other > position and steps[other].undo == step.undo))
            and ("undo", other) not in world.script
            and world.plan.target_of(steps[other]).full_name == name
            for other in world.undone
        )
        if done and not (step.undo and taken) and not (step.undo is None and step.may_stay):
            found.setdefault(name, []).append(step)
    return found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds())
def test_whatever_happens_it_is_said(world: World) -> None:
    done, stop, steps = world.run(), stopped_at(world), world.plan.steps
    assert [one for one in world.did if one[0] == "do"] == [
        ("do", position) for position in range(len(steps) if stop is None else stop + 1)
    ]
    assert world.undone == sorted(world.undone, reverse=True)
    if stop is None:
        assert (done.state, done.detail, world.undone) == ("applied", "all moved", [])
        return
    still, several = left(world), bool(world.plan.others)
    assert done.state in ("failed", "cancelled", "uncertain")
    unknown = {ending for (way, at), (ending, _) in world.script.items() if (way, at) in world.did} & {UNCERTAIN}
    undos = {world.script.get(("undo", at), (SUCCEEDED, True))[0] for at in world.undone}
    assert (done.state == "uncertain") == bool(unknown or FAILED in undos), "and not where it is known what is there"
    assert done.state != "cancelled" or not still, "cancelled means that nothing of it is left that may not be"
    assert not several or all(name in done.detail for name in still), done.detail
    assert done.detail.startswith(LEFT_AS_IT_IS) or not (done.state == "failed" and still)
    assert UNTOUCHED not in done.detail or not (still or world.undone)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds())
def test_nothing_is_undone_that_may_not_be(world: World) -> None:
    world.run()
    stop, steps = stopped_at(world), world.plan.steps
    ending, began = world.script.get(("do", stop or 0), ("", False)) if stop is not None else ("", False)
    reported = stop is not None and steps[stop].kind == "check" and steps[stop].if_broken == "report"
    assert not world.undone or (ending not in ("", UNCERTAIN) and not (reported and ending != CANCELLED))
    tried = dict[str, int]()
    for position in world.undone:
        name = world.plan.target_of(steps[position]).full_name
        assert steps[position].undo and (position < stop or began) and name not in tried  # type: ignore[operator]
        if ending == CHANGED:
            assert name != world.plan.target_of(steps[stop]).full_name, "theirs is not overwritten"  # type: ignore[index]
        if ("undo", position) in world.script:
            tried[name] = position  # and never again: what it is at now is not known


WEB, API, _ = TARGETS


@pytest.mark.parametrize(
    ("steps", "script", "state", "detail", "undone"),
    [
        ((call(WEB),), {("do", 0): (FAILED, False)}, "failed", f"shop/prod/web failed; {UNTOUCHED}", []),
        ((call(WEB),), {("do", 0): (FAILED, True)}, "failed", f"shop/prod/web failed; {PUT_BACK}", [0]),
        (
            (call(WEB), call(WEB), check(WEB)),
            {("do", 2): (CANCELLED, False)},
            "cancelled",
            f"cancelled by shop/prod/web cancelled; {PUT_BACK}",
            [1],
        ),
        (
            (call(WEB), call(WEB, "elsewhere"), call(WEB), check(WEB)),
            {("do", 3): (CANCELLED, False)},
            "cancelled",
            f"cancelled by shop/prod/web cancelled; {PUT_BACK}",
            [2, 1, 0],
        ),
        (
            (call(WEB, "", may_stay=True), call(WEB)),
            {("do", 1): (CANCELLED, False)},
            "cancelled",
            "cancelled by shop/prod/web cancelled; left, as it does no harm: move web",
            [],
        ),
        (
            (call(WEB), call(WEB), check(WEB)),
            {("do", 2): (FAILED, False), ("undo", 1): (CHANGED, False)},
            "failed",
            f"{LEFT_AS_IT_IS}: shop/prod/web failed; it was not put back: shop/prod/web changed by someone else",
            [1],
        ),
        (
            (call(WEB), check(WEB)),
            {("do", 1): (CANCELLED, False), ("undo", 0): (CHANGED, False)},
            "failed",
            f"{LEFT_AS_IT_IS}: cancelled by shop/prod/web cancelled; it was not put back: shop/prod/web changed by"
            " someone else",
            [0],
        ),
        (
            (call(WEB), check(WEB)),
            {("do", 1): (FAILED, False), ("undo", 0): (UNCERTAIN, False)},
            "uncertain",
            "shop/prod/web failed; putting it back failed: shop/prod/web uncertain",
            [0],
        ),
    ],
)
def test_what_people_read(
    steps: tuple[Step, ...], script: dict[tuple[str, int], tuple[str, bool]], state: str, detail: str, undone: list[int]
) -> None:
    world = World(plan(*steps, targets=1), script)
    done = world.run()
    assert (done.state, done.detail, world.undone) == (state, detail, undone)
