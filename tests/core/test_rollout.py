"""What every shift of traffic shares: its plan, the look whether it arrived, the judgement of the errors."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import rollout
from bot.core.catalog import Catalog
from bot.core.errors import UserError
from bot.core.estate import System
from bot.core.operation import Risk
from bot.core.parser import usage
from bot.core.plan import Checked, Moment, Plan
from bot.core.ports import LATEST, Release, Requests, ServiceState, Traffic
from bot.core.request import Target
from bot.core.traffic import spread

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOP = {
    "system": "shop",
    "title": "Shop",
    "owner": "us",
    "slo": {"objective_pct": 99.5},
    "environments": {
        "prod": {"stage": "prod", "services": {"backend": {"type": "cloud_run", "instances": {"min": 1, "max": 10}}}}
    },
}
CATALOG = Catalog(systems={"shop": System.model_validate(SHOP)})
BACKEND = CATALOG.target("shop", "prod", "backend")
SLO = 0.005


class Shift(rollout.Rollout, risk=Risk.ROLLOUT):
    """Shifts."""

    def plan(self) -> Plan:
        raise AssertionError("not planned here")


SHIFT = Shift(service=BACKEND)


def state(asked: Traffic, serving: Traffic | None = None, *, latest: str = "b", busy: bool = False) -> ServiceState:
    return ServiceState(asked=asked, serving=serving or asked, version="7", busy=busy, latest_ready=latest)


class Compute:
    """One service in one state."""

    def __init__(self, now: ServiceState) -> None:
        self.now = now

    def service(self, target: Target) -> ServiceState:
        return self.now

    def releases(self, target: Target) -> tuple[Release, ...]:
        return ()

    def by_hand_traffic(self, target: Target, traffic: Traffic) -> str:
        return f"by hand {target.name} {traffic}"


class Metrics:
    """So many requests and errors in every step before noon, and so many after."""

    def __init__(
        self, before: tuple[int, int] = (100, 10), after: tuple[int, int] = (100, 0), lag_s: int = 180
    ) -> None:
        self.before, self.after, self.lag = before, after, lag_s
        self.asked: list[tuple[datetime, datetime, int]] = []

    def lag_s(self, target: Target) -> int:
        return self.lag

    def requests(self, target: Target, since: datetime, until: datetime, step_s: int) -> tuple[Requests, ...]:
        self.asked.append((since, until, step_s))
        total, errors = self.before if until <= NOON else self.after
        steps = (until - since) // timedelta(seconds=step_s)
        return tuple(Requests(release="a", until=until, total=total, errors=errors) for _ in range(steps))


# --- the plan


def test_the_service_needs_no_name() -> None:
    assert usage(Shift).startswith("test rollout <service> [--reason")


def test_people_wait_two_minutes_for_traffic_and_twenty_for_a_judgement() -> None:
    now = state({"b": 100})
    plan = rollout.shifted(SHIFT, now, {"a": 100}, Compute(now), "")
    assert (plan.steps[1].deadline_s, plan.afterwards[0].deadline_s) == (120, 1200)


def test_a_shift_is_a_call_with_its_undo_then_a_look_then_a_judgement() -> None:
    now = state({LATEST: 100}, {"b": 100})
    plan = rollout.shifted(SHIFT, now, {"a": 90, "b": 10}, Compute(now), "split it")
    call, look = plan.steps
    assert (call.kind, call.verb, call.title) == ("call", "Compute.set_traffic", "split it")
    assert call.args == {"target": BACKEND.model_dump(mode="json"), "traffic": {"a": 90, "b": 10}}
    assert call.undo is not None and call.undo.args["traffic"] == {LATEST: 100}
    assert (look.kind, look.verb, look.args, look.if_broken) == (
        "check",
        "serving",
        {"traffic": {"a": 90, "b": 10}},
        "report",
    )
    assert [(one.kind, one.verb) for one in plan.afterwards] == [("judge", "errors")]
    assert (plan.target, plan.version) == (BACKEND, "7")
    assert plan.summary == "shop/prod/backend: traffic to a 90 %, b 10 %; before: b 100 %"
    assert plan.by_hand == ("by hand backend {'a': 90, 'b': 10}",)
    assert plan.undo_by_hand == ("by hand backend {'LATEST': 100}",)
    assert plan.facts == {"traffic": {LATEST: 100}, "traffic_moved_pct": 90}


@pytest.mark.parametrize(
    "wanted, serving, moved",
    [
        ({"a": 100}, {"b": 100}, 100),
        ({"a": 100}, {"a": 90, "b": 10}, 10),
        ({"a": 100}, {"a": 100}, 0),
        ({"a": 50, "b": 50}, {"b": 50, "c": 50}, 50),
        ({LATEST: 100}, {"b": 100}, 0),
        ({LATEST: 10, "a": 90}, {"b": 100}, 90),
    ],
)
def test_how_much_traffic_moves(wanted: Traffic, serving: Traffic, moved: int) -> None:
    now = state({"x": 100}, serving)
    plan = rollout.shifted(SHIFT, now, wanted, Compute(now), "")
    assert plan.facts["traffic_moved_pct"] == moved


def split(weights: dict[str, float]) -> Traffic:
    return {name: share for name, share in spread(weights).items() if share}


splits = st.dictionaries(st.sampled_from("abc"), st.floats(1, 100), min_size=1).map(split)


@given(splits, splits)
def test_moving_there_moves_as_much_as_moving_back(one: Traffic, other: Traffic) -> None:
    there, back = rollout.moved_pct(one, state(other)), rollout.moved_pct(other, state(one))
    assert there == back and (there == 0) == (one == other) and 0 <= there <= 100


# --- names


@pytest.mark.parametrize(
    "traffic, latest, named",
    [
        ({"a": 100}, "b", {"a": 100}),
        ({LATEST: 100}, "b", {"b": 100}),
        ({LATEST: 10, "b": 90}, "b", {"b": 100}),
        ({LATEST: 10, "a": 90}, "b", {"b": 10, "a": 90}),
        ({"a": 100, "b": 0}, "b", {"a": 100}),
        ({LATEST: 100}, "", {LATEST: 100}),
    ],
)
def test_by_name(traffic: Traffic, latest: str, named: Traffic) -> None:
    assert rollout.by_name(traffic, state({"a": 100}, latest=latest)) == named


RELEASES = [
    Release(name=f"backend-0004{number}-{end}", created_at=NOON, ready=True)
    for number, end in ((2, "bad"), (1, "kex"), (0, "fom"))
]


def test_a_release_by_its_name() -> None:
    assert rollout.existing(BACKEND, "backend-00041-kex", RELEASES) is RELEASES[1]


@pytest.mark.parametrize(
    "wanted, releases, says, choices",
    [
        (
            "backend-00041-kax",
            RELEASES,
            "shop/prod/backend has no release `backend-00041-kax`."
            " Did you mean `backend-00041-kex` or `backend-00042-bad` or `backend-00040-fom`?",
            "backend-00041-kex",
        ),
        (
            "v1.2",
            RELEASES,
            "shop/prod/backend has no release `v1.2`."
            " Its newest: backend-00042-bad, backend-00041-kex, backend-00040-fom.",
            "",
        ),
        (
            "v1.2",
            [Release(name=name, created_at=NOON, ready=True) for name in "abcdefg"],
            "shop/prod/backend has no release `v1.2`. Its newest: a, b, c, d, e.",
            "",
        ),
        ("z" * 3000, [], f"shop/prod/backend has no release `{'z' * 40}…`.", ""),
    ],
)
def test_a_release_that_is_not_there(wanted: str, releases: list[Release], says: str, choices: str) -> None:
    with pytest.raises(UserError) as caught:
        rollout.existing(BACKEND, wanted, releases)
    assert str(caught.value) == says
    assert caught.value.choices[:1] == ((choices,) if choices else ())


def test_while_a_change_is_rolled_out_others_wait() -> None:
    rollout.still(BACKEND, state({"a": 100}))
    with pytest.raises(UserError) as caught:
        rollout.still(BACKEND, state({"a": 100}, busy=True))
    assert str(caught.value) == (
        "shop/prod/backend is still rolling out a change; ask again when it is done."
        " In an emergency do not wait: `rollback shop/prod/backend` replaces it."
    )


# --- the look


@pytest.mark.parametrize(
    "now, traffic, expected, says",
    [
        (state({"a": 100}), {"a": 100}, "holds", "a 100 % serves"),
        (state({LATEST: 100}, {"b": 100}), {LATEST: 100}, "holds", "b 100 % serves"),
        (
            state({"a": 100}, {"b": 100}),
            {"a": 100},
            "not yet",
            "traffic was sent to a 100 %, but b 100 % serves",
        ),
        (state({"c": 100}), {"a": 100}, "broken", "somebody else set traffic to c 100 % meanwhile"),
    ],
)
def test_whether_traffic_arrived(now: ServiceState, traffic: Traffic, expected: str, says: str) -> None:
    found = SHIFT.check_serving(Compute(now), traffic)
    assert (found.state, found.sentence) == (expected, says)


# --- the judgement


def moment(after_s: float) -> Moment:
    return Moment(started_at=NOON, now=NOON + timedelta(seconds=after_s))


@pytest.mark.parametrize(
    "after_s, lag_s, known", [(419, 180, False), (420, 180, True), (240, 0, True), (239, 0, False)]
)
def test_errors_are_judged_once_they_are_counted(after_s: float, lag_s: int, known: bool) -> None:
    metrics = Metrics(lag_s=lag_s)
    found = SHIFT.judge_errors(metrics, CATALOG, moment(after_s))
    assert (found.state != "not yet", bool(metrics.asked)) == (known, known)


def test_the_minutes_before_and_the_minutes_after_the_change_settled() -> None:
    metrics = Metrics()
    found = SHIFT.judge_errors(metrics, CATALOG, moment(600))
    assert (found.state, found.sentence) == ("holds", "Errors fell from 10 % to 0 %.")
    minute = timedelta(minutes=1)
    assert metrics.asked == [(NOON - 5 * minute, NOON, 60), (NOON + minute, NOON + 4 * minute, 60)]


def test_after_a_crash_the_minutes_before_are_those_before_the_write() -> None:
    metrics, written_at = Metrics(), NOON - timedelta(minutes=20)
    later = Moment(started_at=NOON, now=NOON + timedelta(minutes=10), changed_at=written_at)
    SHIFT.judge_errors(metrics, CATALOG, later)
    assert metrics.asked[0] == (written_at - timedelta(minutes=5), written_at, 60)


@pytest.mark.parametrize(
    "before, after, expected, says",
    [
        ((1000, 100), (1000, 0), "holds", "Errors fell from 10 % to 0 %."),
        ((1000, 100), (1000, 5), "holds", "Errors fell from 10 % to 0.5 %."),
        ((1000, 0), (1000, 0), "holds", "Errors stayed low (0 % to 0 %)."),
        ((1000, 4), (1000, 1), "holds", "Errors stayed low (0.4 % to 0.1 %)."),
        ((1000, 5), (1000, 5), "holds", "Errors stayed low (0.5 % to 0.5 %)."),
        ((1000, 5), (1000, 6), "broken", "Errors rose from 0.5 % to 0.6 %: look at what serves now."),
        (
            (1000, 400),
            (1000, 200),
            "broken",
            "Errors did not fall (40 % to 20 %): the release is probably not the cause.",
        ),
        ((1000, 400), (1000, 150), "holds", "Errors fell from 40 % to 15 %, still more than the 0.5 % allowed."),
        ((1000, 0), (1000, 120), "broken", "Errors rose from 0 % to 12 %: look at what serves now."),
        (
            (1000, 100),
            (1000, 90),
            "broken",
            "Errors did not fall (10 % to 9 %): the release is probably not the cause.",
        ),
        (
            (1000, 100),
            (1000, 200),
            "broken",
            "Errors did not fall (10 % to 20 %): the release is probably not the cause.",
        ),
        ((1000, 100), (29, 0), "unknown", "Too few requests since to compare errors."),
        ((1000, 100), (0, 0), "unknown", "Too few requests since to compare errors."),
        (
            (0, 0),
            (1000, 0),
            "holds",
            "Errors are 0 % (0.5 % allowed); there were too few requests before to compare.",
        ),
        (
            (0, 0),
            (1000, 5),
            "holds",
            "Errors are 0.5 % (0.5 % allowed); there were too few requests before to compare.",
        ),
        (
            (29, 29),
            (30, 3),
            "broken",
            "Errors are 10 % (0.5 % allowed); there were too few requests before to compare.",
        ),
    ],
)
def test_what_became_of_the_errors(before: tuple[int, int], after: tuple[int, int], expected: str, says: str) -> None:
    def counted(total: int, errors: int) -> tuple[Requests, ...]:
        return (Requests(release="a", until=NOON, total=total, errors=errors),) if total else ()

    assert rollout.compared(counted(*before), counted(*after), SLO) == Checked.model_validate(
        {"state": expected, "sentence": says}
    )


counts: Any = st.integers(0, 5000).flatmap(lambda total: st.tuples(st.just(total), st.integers(0, total)))


@given(counts, counts)
def test_errors_above_the_objective_are_never_called_low(before: tuple[int, int], after: tuple[int, int]) -> None:
    found = rollout.compared(
        tuple(Requests(release="a", until=NOON, total=t, errors=e) for t, e in [before]),
        tuple(Requests(release="a", until=NOON, total=t, errors=e) for t, e in [after]),
        SLO,
    )
    total, errors = after
    if "stayed low" in found.sentence or (found.state == "holds" and "still more" not in found.sentence):
        assert errors <= SLO * total
    assert (found.state == "unknown") == (total < 30)


@pytest.mark.parametrize(
    ("edge", "purge"),
    [
        ("load_balancer", "; to purge it: `gcloud compute url-maps invalidate-cdn-cache URL_MAP --path='/*'`"),
        ("cloudflare", """; to purge it: `curl https://api.cloudflare.com/client/v4/zones/ZONE_ID/purge_cache -H "Authorization: Bearer $TOKEN" --json '{"purge_everything": true}'`"""),  # noqa: E501
        ("alb", ""),
    ],
    ids=["load_balancer", "cloudflare", "alb"],
)  # fmt: skip
def test_what_an_edge_has_cached_stays_until_somebody_purges_it(edge: str, purge: str) -> None:
    place = {"region": "us-east-1"} if edge == "alb" else {}
    services = {
        "front": {"type": edge, **place},
        "web": {"type": "cloud_run", "instances": {"min": 0, "max": 1}, "cdn": "front"},
    }
    shop = {"title": "Shop", "owner": "us", "environments": {"prod": {"stage": "prod", "services": services}}}
    catalog = Catalog(systems={"shop": System.model_validate({"system": "shop", **shop})})
    target = catalog.target("shop", "prod", "web")
    assert list(rollout.lasting(target, catalog)) == [f"What front has cached is still served until it expires{purge}."]
