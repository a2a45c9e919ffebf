"""The attack is data, decided by a seed."""

from collections import Counter

import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.slack.bodies import NewFault
from bot.sandbox.soak_plan import (
    ASKS,
    BLOWS,
    CALM_S,
    DEV,
    FATES,
    FROZEN,
    ON_CALL,
    PAUSED,
    RIVALRY,
    SLACK_TROUBLES,
    TROUBLES,
    Plan,
    plan,
)
from bot.sandbox.soak_town import RELEASES, names, releases

SERVICES = names(20)
LEASE_S = 4.0


def planned(seed: int = 1, seconds: float = 180.0, operations: int = 200) -> Plan:
    return plan(
        seed,
        seconds=seconds,
        operations=operations,
        services=SERVICES,
        replicas=3,
        lease_s=LEASE_S,
        blow_every_s=7.0,
    )


def test_the_same_seed_is_the_same_attack() -> None:
    assert planned(7) == planned(7)


def test_another_seed_is_another_attack() -> None:
    one, other = planned(7), planned(8)
    assert one.moves != other.moves
    assert one.blows != other.blows
    assert one.troubles != other.troubles


@pytest.mark.parametrize("operations", [1, 20, 200])
def test_there_are_as_many_requests_as_wanted(operations: int) -> None:
    assert len(planned(operations=operations).moves) == operations


@pytest.mark.parametrize("seed", range(5))
def test_everything_happens_in_its_time_and_in_order(seed: int) -> None:
    made = planned(seed)
    for kind in (made.moves, made.blows, made.troubles):
        times = [one.at_s for one in kind]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= 180
    assert made.blows[0].at_s > CALM_S


def test_all_that_can_be_asked_decided_killed_or_troubled_comes_up() -> None:
    made = planned(seconds=2000, operations=1000)
    assert {one.ask for one in made.moves} == set(ASKS)
    assert {one.fate for one in made.moves} == set(FATES)
    assert {one.service for one in made.moves} == set(SERVICES)
    assert {one.who for one in made.moves} == {*ON_CALL, DEV}
    assert {one.kind for one in made.blows} == set(BLOWS)
    assert {one.replica for one in made.blows} == {0, 1, 2}
    for of_slack, expected in ((False, TROUBLES), (True, SLACK_TROUBLES)):
        found = [one.fault for one in made.troubles if one.of_slack is of_slack]
        assert all(one in found for one in expected)
        assert all(one in expected for one in found)


def test_some_ask_for_the_same_service_at_the_same_moment() -> None:
    moves = planned().moves
    together = Counter((one.at_s, one.service) for one in moves)
    rivals = [moment for moment, count in together.items() if count == 2]
    assert len(rivals) > RIVALRY * len(moves) / 3
    for at_s, service in rivals:
        who = [one.who for one in moves if (one.at_s, one.service) == (at_s, service)]
        assert DEV in who or len(set(who)) == 2


def test_who_is_frozen_beyond_the_lease_is_so_for_longer_than_it_lasts() -> None:
    for blow in planned(seconds=2000).blows:
        beyond = {FROZEN: True, PAUSED: False}.get(blow.kind)
        assert beyond is None or (blow.for_s > LEASE_S) == beyond


def test_every_trouble_is_one_that_the_cloud_or_slack_knows() -> None:
    for one in planned(seconds=1000).troubles:
        NewFault(**one.fault) if one.of_slack else Fault(**one.fault)


def test_what_is_asked_names_releases_that_there_are() -> None:
    for move in planned(operations=500).moves:
        named = {word.partition("=")[0] for word in move.text.split() if word.startswith(f"{move.service}-")}
        assert named <= set(releases(move.service))
        assert "{" not in move.text.replace("{last}", "")


def test_a_split_has_a_hundred_percent() -> None:
    splits = [one.text for one in planned(operations=500).moves if one.ask in ("traffic", "canary")]
    assert splits
    for text in splits:
        assert sum(int(word.partition("=")[2]) for word in text.split() if "=" in word) == 100


def test_the_releases_are_those_of_the_plan() -> None:
    assert [name.rpartition("-")[2] for name in RELEASES] == ["old", "mid", "new"]
