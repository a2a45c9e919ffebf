"""Verdicts on canaries: what was counted in, decision and sentence out; now, afresh, from JSON and minute by minute."""

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.core.canary.analysis import Analysis
from bot.core.canary.record import CanaryRecord, Minute, Reading, Tally
from bot.core.canary.verdict import Verdict
from bot.core.judge import judge, replay, verdict
from tests.core.canary.script import NOON, Play, played

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("canary") / "verdicts.yaml")["cases"]
GOOD, BAD = {"canary": [60, 0], "stable": [540, 1]}, {"canary": [60, 12], "stable": [540, 1]}


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_verdict(case: dict[str, Any]) -> None:
    given = judge(Play(case).record)
    assert given.sentence == case["says"]
    assert (given.decision, given.why, given.to_pct) == (case["decision"], case["why"], case.get("to"))
    assert (given.more_requests, given.more_minutes) == (case.get("requests", 0), case.get("minutes"))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_record_from_json_is_judged_alike_at_every_reading(case: dict[str, Any]) -> None:
    record = Play(case).record
    again = CanaryRecord.model_validate_json(record.model_dump_json())
    assert again == record
    verdicts = replay(again)
    assert verdicts[-1] == judge(record)
    so_far = [record.model_copy(update={"readings": record.readings[:number]}) for number in count_up(record)]
    shifts = [tuple(one for one in record.shifts if one.since <= part.readings[-1].at) for part in so_far]
    then = [part.model_copy(update={"shifts": known}) for part, known in zip(so_far, shifts, strict=True)]
    assert [judge(part) for part in then] == verdicts


def count_up(record: CanaryRecord) -> range:
    return range(1, len(record.readings) + 1)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_verdict_can_be_kept_and_is_a_sentence(case: dict[str, Any]) -> None:
    for told in replay(Play(case).record):
        assert Verdict.model_validate_json(told.model_dump_json()) == told
        assert told.sentence.endswith(".") and "  " not in told.sentence and len(told.sentence) < 400


def test_every_decision_and_ground_has_a_case() -> None:
    grounds = {(case["decision"], case["why"]) for case in CASES}
    trouble = {("hold", why) for why in ("no data", "late", "missing", "contradictory", "shrinking")}
    holds = {("hold", why) for why in ("both bad", "stable bad", "unsure", "no requests", "too few requests", "baking")}
    rest = {("hold", "watching"), ("promote", "good enough"), ("promote", "watched")}
    assert grounds == trouble | holds | rest | {("roll_back", "worse"), ("roll_back", "over the limit")}


def test_without_a_reading_it_holds() -> None:
    record = played([])
    given = judge(record)
    assert (given.decision, given.why, given.at) == ("hold", "no data", NOON)
    assert replay(record) == []


def test_looks_say_what_was_found_of_each_metric() -> None:
    record = played([{"minutes": 4, "canary": [60, 12, 3], "stable": [540, 1, 27]}], edge_ms=300)
    errors, slow = judge(record).looks
    assert (errors.metric, errors.canary_total, errors.canary_bad) == ("errors", 180, 36)
    assert (errors.stable_total, errors.stable_bad, errors.bursts) == (1620, 3, 1.0)
    assert errors.e_value == 1e9 and errors.rollback_from == slow.rollback_from == 200
    assert slow.metric == "slow" and slow.e_value < 1
    assert (errors.promote_below_pp, slow.promote_below_pp) == (4.0, 8.0)
    assert 19.8 < errors.highest_excess_pp < 30


# --- what must hold whatever was counted

COUNTS = st.tuples(st.integers(0, 200), st.integers(0, 200)).map(lambda pair: [max(pair), min(pair)])
SCENES = st.lists(
    st.fixed_dictionaries(
        {"minutes": st.integers(1, 8), "canary": COUNTS, "stable": COUNTS},
        optional={"gap": st.integers(1, 3), "wait": st.integers(1, 4)},
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=60)
@given(SCENES, st.sampled_from([0, 60, 180]))
def test_no_data_never_promotes_and_never_rolls_back(script: list[dict[str, Any]], lag_s: int) -> None:
    """Whatever was counted before, and with nothing at all."""
    for before in ([], script):
        given = judge(played([*before, {"wait": 4}], lag_s=lag_s))
        assert given.decision == "hold"


@settings(deadline=None, max_examples=60)
@given(SCENES)
def test_a_canary_without_bad_answers_is_never_rolled_back(script: list[dict[str, Any]]) -> None:
    clean = [{**scene, "canary": [scene["canary"][0], 0]} for scene in script]
    assert all(given.decision != "roll_back" for given in replay(played(clean)))


@settings(deadline=None, max_examples=60)
@given(SCENES, st.integers(1, 5))
def test_what_is_decided_rests_on_counts_of_its_time(script: list[dict[str, Any]], later: int) -> None:
    """What is counted later changes no verdict that was given."""
    before = played(script)
    after = played([*script, {"minutes": later, **BAD}])
    assert replay(after)[: len(before.readings)] == replay(before)


@settings(deadline=None, max_examples=60)
@given(SCENES)
def test_the_order_in_which_minutes_are_read_does_not_matter(script: list[dict[str, Any]]) -> None:
    record = played(script)
    minutes = [minute for reading in record.readings for minute in reading.minutes]
    at_once = record.model_copy(update={"readings": (Reading(at=record.readings[-1].at, minutes=minutes[::-1]),)})
    assert judge(at_once) == judge(record)


@pytest.mark.parametrize("minutes", [11, 240])
def test_a_verdict_needs_one_step_a_minute(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each minute is taken up once, however many verdicts are asked."""
    taken = count()
    add = Analysis._add
    monkeypatch.setattr(Analysis, "_add", lambda self, minute: (next(taken), add(self, minute))[1])
    replay(played([{"minutes": minutes, **GOOD}]))
    assert next(taken) == minutes - 1


# --- as it is used, reading by reading


def reading(number: int, scene: dict[str, Any]) -> Reading:
    until = NOON + timedelta(minutes=number)
    canary, stable = (Tally(total=total, bad={"errors": bad}) for total, bad in (scene["canary"], scene["stable"]))
    return Reading(at=until, minutes=(Minute(until=until, canary=canary, stable=stable),))


def shifted_within_a_minute(*scenes: dict[str, Any]) -> CanaryRecord:
    """A canary without a warm-up that got its traffic forty seconds after noon."""
    record = played([], rules={"warm_up_s": 0})
    first = record.shifts[0].model_copy(update={"since": NOON + timedelta(seconds=40)})
    readings = tuple(reading(number, scene) for number, scene in enumerate(scenes, start=1))
    return record.model_copy(update={"shifts": (first,), "readings": readings})


def test_the_rest_of_the_minute_of_a_shift_speaks_against_a_bad_release() -> None:
    worse = {"canary": [20, 2], "stable": [580, 0]}, {"canary": [60, 3], "stable": [540, 0]}
    given = judge(shifted_within_a_minute(*worse))
    assert given.decision == "roll_back"
    assert "6.2 % errors (5 of 80 requests)" in given.sentence and "since 12:00 UTC" in given.sentence


def test_but_neither_for_one_nor_against_one_that_shares_an_outage() -> None:
    """Bad answers that all came after the shift are no more the canary's than its weight says."""
    shared = {"canary": [20, 8], "stable": [580, 72]}, {"canary": [60, 24], "stable": [540, 216]}
    given = judge(shifted_within_a_minute(*shared, GOOD, GOOD))
    assert given.decision == "hold" and given.looks[0].e_value < 1
    before = {"canary": [20, 0], "stable": [580, 300]}
    with_it, without = (judge(shifted_within_a_minute(first, GOOD, GOOD)) for first in (before, {**GOOD}))
    assert with_it.looks[0].highest_excess_pp == without.looks[0].highest_excess_pp


def test_an_analysis_goes_on_where_it_was() -> None:
    analysis, record = Analysis(played([])), played([{"minutes": 14, **GOOD}])
    given: list[Verdict] = []
    for number in range(1, 15):
        analysis.read(reading(number, GOOD))
        given.append(verdict(analysis))
    assert given == replay(record)
    assert [one.decision for one in given].index("promote") == 10 - 1


def test_a_late_minute_is_judged_as_if_it_had_been_in_time() -> None:
    late = played([
        {"minutes": 5, **GOOD},
        {"minutes": 1, **BAD, "unread": True},
        {"minutes": 2, **GOOD},
    ])  # fmt: skip
    hidden = {minute.number for minute in late.readings[5].minutes}
    assert len(hidden) == 2
    in_time = played([{"minutes": 5, **GOOD}, {"minutes": 1, **BAD}, {"minutes": 2, **GOOD}])
    assert judge(late) == judge(in_time)


def test_counts_that_are_still_coming_in_are_not_judged() -> None:
    analysis = Analysis(played([], lag_s=180))
    analysis.read(reading(2, BAD))
    assert verdict(analysis).sentence == "Hold at 10 %: nothing has been counted yet."
    analysis.read(reading(5, BAD))
    assert verdict(analysis).looks[0].canary_total == 60


def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    analysis = Analysis(played([]))
    for number in (1, 2, 3, 4, 2, 5):
        analysis.read(reading(number, GOOD))
    assert verdict(analysis).looks == judge(played([{"minutes": 5, **GOOD}])).looks


def test_the_sentence_says_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the minute before which nothing spoke against it."""
    given = judge(played([{"minutes": 20, **GOOD}, {"minutes": 2, **BAD}]))
    began = NOON + timedelta(minutes=20)
    assert given.decision == "roll_back" and f"since {began:%H:%M} UTC" in given.sentence
    assert isinstance(given.at, datetime) and given.at == began + timedelta(minutes=2)
