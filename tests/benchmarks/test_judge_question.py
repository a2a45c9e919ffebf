"""The streams that rules are compared on, the rules of others, and the question in its smallest size."""

import numpy as np
import pytest

from benchmarks.measure import Grid, Row
from benchmarks.questions import judge as question
from benchmarks.questions import verdicts
from benchmarks.rollouts import Ended, by_argo, by_flagger, judged, read
from benchmarks.streams import MINUTES, USUAL, WEIGHTS, Arm, Scenario, Slow, Split, Stream, stream
from bot.core.canary.record import CanaryRecord
from bot.core.judge import judge, replay

RUNS = 200
SEED = (1, 2, 3)


def fixed(errors: list[int], total: int = 100, over_500: int = 0) -> Stream:
    """One run of thirty minutes, the same at every weight."""
    counts = np.full((1, 30), total)
    bad, zero = np.array([errors + [0] * (30 - len(errors))]), np.zeros((1, 30), dtype=np.int64)
    arm = Arm(counts, bad, zero, np.full((1, 30), over_500))
    return Stream(arm, {weight: Split(arm, arm) for weight in WEIGHTS})


def back(ended: Ended) -> float | None:
    """When the only run was rolled back; it is promoted after half an hour otherwise."""
    assert np.isnan(ended.rolled_back[0]) == (ended.promoted[0] == 30)
    return None if np.isnan(ended.rolled_back[0]) else float(ended.rolled_back[0])


# --- streams


def test_a_seed_gives_the_same_requests() -> None:
    scenario = Scenario("x", 0.01, 0.05)
    one, other = (stream(scenario, 1, 3, SEED) for _ in range(2))
    for weight in WEIGHTS:
        for arm, again in zip(one.at[weight], other.at[weight], strict=True):
            assert all((mine == its).all() for mine, its in zip(arm, again, strict=True))
    assert (stream(scenario, 1, 3, (1, 2, 4)).before.total != one.before.total).any()


def test_requests_are_split_by_weight_and_errors_follow_their_shares() -> None:
    requests = stream(Scenario("x", 0.01, 0.05, onset=15), 10, RUNS, SEED)
    for weight in WEIGHTS:
        canary, stable = requests.at[weight]
        assert (canary.total + stable.total).mean() == pytest.approx(600, rel=0.01)
        assert canary.total.sum() / (canary.total + stable.total).sum() == pytest.approx(weight / 100, rel=0.01)
        assert stable.errors.sum() / stable.total.sum() == pytest.approx(0.01, rel=0.05)
        assert canary.errors[:, :15].sum() / canary.total[:, :15].sum() == pytest.approx(0.01, rel=0.1)
        assert canary.errors[:, 15:].sum() / canary.total[:, 15:].sum() == pytest.approx(0.05, rel=0.02)
        assert canary.slow.sum() / canary.total.sum() == pytest.approx(USUAL.over_edge, rel=0.05)
    before = requests.before
    assert before.total.shape == (RUNS, 60) and before.errors.sum() / before.total.sum() == pytest.approx(0.01, rel=0.1)


def test_an_outage_is_one_of_both() -> None:
    canary, stable = stream(Scenario("x", 0.0, outage=True), 100, RUNS, SEED).at[25]
    for arm in (canary, stable):
        hit = arm.errors > 0
        assert (hit.sum(axis=1) == 3).all()
        assert arm.errors[hit].sum() / arm.total[hit].sum() == pytest.approx(0.2, rel=0.02)
    assert ((canary.errors > 0) == (stable.errors > 0)).all()


def test_bursts_vary_nine_times_as_much() -> None:
    errors = stream(Scenario("x", 0.005, burst=5), 100, RUNS, SEED).before.errors
    assert errors.mean() == pytest.approx(30, rel=0.03)
    assert errors.var() / errors.mean() == pytest.approx(9, rel=0.1)


def test_slower_answers_are_the_canarys() -> None:
    canary, stable = stream(Scenario("x", 0.0, slower=Slow(0.07, 0.009)), 100, RUNS, SEED).at[10]
    assert canary.slow.sum() / canary.total.sum() == pytest.approx(0.07, rel=0.02)
    assert canary.over_500.sum() / canary.total.sum() == pytest.approx(0.009, rel=0.05)
    assert stable.slow.sum() / stable.total.sum() == pytest.approx(USUAL.over_edge, rel=0.02)


# --- the rules of others

ONE = Scenario("x", 0.01)


@pytest.mark.parametrize(
    ("errors", "when"),
    [([], None), ([2] * 30, None), ([3] * 4, None), ([3] * 5, 5), ([3, 0] * 5, 9), ([0] * 25 + [3] * 5, 30)],
)
def test_flagger_counts_failed_checks(errors: list[int], when: int | None) -> None:
    assert back(by_flagger(ONE, fixed(errors))) == when


def test_to_flagger_no_traffic_has_failed() -> None:
    assert back(by_flagger(ONE, fixed([], total=0))) == 5


@pytest.mark.parametrize(("over_500", "when"), [(0, None), (1, None), (2, 5)])
def test_flagger_looks_at_the_99th_percentile(over_500: int, when: int | None) -> None:
    assert back(by_flagger(Scenario("x", 0.01, slower=USUAL), fixed([], over_500=over_500))) == when


@pytest.mark.parametrize(
    ("errors", "limit", "when"),
    [
        ([], 0, None),
        ([10], 0, None),
        ([11], 0, 5),
        ([0] * 5 + [3] * 5, 0, 10),
        ([3] * 15, 3, None),
        ([3] * 20, 3, 20),
        ([11, 0, 0, 0, 0] * 4, 3, 20),
    ],
)
def test_argo_measures_every_five_minutes(errors: list[int], limit: int, when: int | None) -> None:
    assert back(by_argo(ONE, fixed(errors), limit)) == when


# --- ours


def test_the_judge_is_asked_until_it_decides() -> None:
    good, bad = (judged(stream(Scenario("x", 0.001, worse), 10, 3, SEED)) for worse in (None, 0.5))
    assert (good.promoted == 30).all() and np.isnan(good.rolled_back).all()
    assert (bad.rolled_back <= 3).all() and np.isnan(bad.promoted).all()


def test_what_it_cannot_tell_it_holds() -> None:
    nothing = stream(Scenario("x", 0.001), 0, 1, SEED)
    ended = judged(nothing)
    assert np.isnan(ended.rolled_back).all() and np.isnan(ended.promoted).all()


def test_readings_are_valid_although_they_are_not_validated() -> None:
    readings = list(read(stream(ONE, 1, 1, SEED), 0, 10))
    assert len(readings) == MINUTES
    assert all(type(one).model_validate(one.model_dump()) == one for one in readings)


# --- the question


def test_the_question_in_its_smallest_size() -> None:
    found = question.rows(runs=3, good=question.GOOD[:1], worse=question.WORSE[2:3])
    rows, grids = [one for one in found if isinstance(one, Row)], [one for one in found if isinstance(one, Grid)]
    names = [row.what for row in rows]
    assert names[:3] == [f"good releases rolled back: errors 0.1 %, {rps} rps" for rps in (1, 10, 100)]
    assert names[3:6] == [f"bad releases missed: errors 1 to 5 %, {rps} rps" for rps in (1, 10, 100)]
    assert len(rows) == 6 and all(row.met is not None and row.floor for row in rows)
    good, worse = grids
    assert [row[:2] for row in good.rows] == [("0.1 %", "1"), ("0.1 %", "10"), ("0.1 %", "100")]
    assert [row[:2] for row in worse.rows] == [("1 to 5 %", "1"), ("1 to 5 %", "10"), ("1 to 5 %", "100")]
    assert all(len(row) == len(grid.columns) for grid in grids for row in grid.rows)


def test_cells_are_the_same_in_whatever_process_they_are_drawn() -> None:
    (one, *_), alone = question._cells(question.GOOD[:1], 3), question._cell(question.GOOD[0], question.RATES[0], 3)
    assert (one.scenario, one.rps) == (alone.scenario, alone.rps)
    for mine, its in zip((one.ours, one.flagger, *one.argo), (alone.ours, alone.flagger, *alone.argo), strict=True):
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, its, strict=True))


def test_how_long_verdicts_take_in_its_smallest_size() -> None:
    rows = verdicts.rows(services=2, rounds=3)
    assert [row.what for row in rows] == [
        "2 services, 240 verdicts each, seconds of one core",
        "2 services, verdict 240 of each from what was kept, seconds of one core",
    ]
    assert [(row.aim, row.ours.count) for row in rows] == [("< 60 s", 3)] * 2


def test_what_was_kept_is_judged_as_it_was_at_its_last_minute() -> None:
    record = verdicts._record(1)
    kept = CanaryRecord.model_validate(record.model_dump(mode="json"))
    assert judge(kept) == replay(record)[-1] and len(kept.readings) == 240


@pytest.mark.parametrize(
    ("missed", "met", "said"), [(0, True, "0 % (3 min)"), (1, False, "25 % (3 min)"), (4, False, "100 % (-)")]
)
def test_one_that_is_missed_is_one_too_many(missed: int, met: bool, said: str) -> None:
    minutes = np.array([np.nan] * missed + [18.0] * (4 - missed))
    ended = Ended(minutes, np.where(np.isnan(minutes), 30.0, np.nan))
    cell = question.Cell(Scenario("x", 0.01, 0.05, onset=15), 1, ended, ended, (ended, ended))
    row = question._missed(cell)
    assert (row.ours.median, row.met, row.verdict) == (25.0 * missed, met, "met" if met else "missed")
    assert question._overlooked(ended, cell) == said


@pytest.mark.parametrize(("false", "met"), [(0, True), (1, True), (2, False)])
def test_one_in_a_hundred_may_be_rolled_back_and_the_bounds_are_told(false: int, met: bool) -> None:
    minutes = np.array([9.0] * false + [np.nan] * (100 - false))
    ended = Ended(minutes, np.full(100, np.nan))
    row = question._false(question.Cell(ONE, 1, ended, ended, (ended, ended)))
    assert (row.ours.median, row.met, row.aim) == (false, met, "≤ 1 %")
    assert row.ours.low <= false < row.ours.high <= 8 and row.ours.count == 100


def test_latency_has_no_rule_of_argos() -> None:
    ended = Ended(np.array([5.0]), np.array([np.nan]))
    slower = question.Cell(question.WORSE[-1], 1, ended, ended, (ended, ended))
    assert question._of_worse([slower]).rows[0][-2:] == ("no rule", "no rule")
