"""core/traffic.py: percentages that add up, always in the same way."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.traffic import describe, merge, spread

names = st.text("abcdefgh-0123456789", min_size=1, max_size=12)
weight = st.floats(min_value=0, max_value=1e12, allow_nan=False)
weights = st.dictionaries(names, weight, min_size=1, max_size=12).filter(lambda w: any(w.values()))


@pytest.mark.parametrize(
    ("given_weights", "total", "expected"),
    [
        ({"a": 1}, 100, {"a": 100}),
        ({"a": 90, "b": 10}, 100, {"a": 90, "b": 10}),
        ({"a": 1, "b": 1, "c": 1}, 100, {"a": 34, "b": 33, "c": 33}),
        ({"c": 1, "b": 1, "a": 1}, 100, {"a": 34, "b": 33, "c": 33}),
        ({"a": 2, "b": 1}, 90, {"a": 60, "b": 30}),
        ({"a": 2, "b": 1}, 100, {"a": 67, "b": 33}),
        ({"a": 999, "b": 1}, 100, {"a": 100, "b": 0}),
        ({"a": 0, "b": 5}, 100, {"a": 0, "b": 100}),
        ({"a": 0.1, "b": 0.2, "c": 0.7}, 10, {"a": 1, "b": 2, "c": 7}),
        ({"a": 1, "b": 1}, 0, {"a": 0, "b": 0}),
        ({"a": 5e-324, "b": 5e-324}, 1, {"a": 1, "b": 0}),
    ],
)
def test_largest_remainder(given_weights: dict[str, float], total: int, expected: dict[str, int]) -> None:
    assert spread(given_weights, total) == expected


@given(weights, st.integers(0, 1000))
def test_a_spread_adds_up_and_is_never_one_off(some: dict[str, float], total: int) -> None:
    shares = spread(some, total)
    whole = sum(map(Fraction, some.values()))
    assert sum(shares.values()) == total
    assert shares.keys() == some.keys()
    assert all(abs(shares[name] - Fraction(some[name]) * total / whole) < 1 for name in some)


@given(weights, st.randoms())
def test_the_order_of_the_names_does_not_matter(some: dict[str, float], random: object) -> None:
    shuffled = list(some.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spread(dict(shuffled)) == spread(some)


@given(weights)
def test_more_weight_never_gets_less(some: dict[str, float]) -> None:
    shares = spread(some)
    ordered = sorted(some, key=lambda name: some[name])
    assert all(shares[lo] <= shares[hi] for lo, hi in pairwise(ordered) if some[lo] < some[hi])


@given(weights)
def test_a_spread_of_a_spread_changes_nothing(some: dict[str, float]) -> None:
    shares = spread(some)
    assert spread({name: float(share) for name, share in shares.items()}) == shares


@pytest.mark.parametrize("wrong", [{}, {"a": 0.0}, {"a": -1.0, "b": 2.0}, {"a": float("nan")}, {"a": float("inf")}])
def test_weights_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weights must be finite"):
        spread(wrong)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([], {}),
        ([("a", 60), ("a", 30), ("b", 10)], {"a": 90, "b": 10}),
        ([("a", 0), ("b", 100)], {"b": 100}),
        ([("a", 10), ("b", 90)], {"b": 90, "a": 10}),
    ],
)
def test_merge(shares: list[tuple[str, int]], expected: dict[str, int]) -> None:
    assert list(merge(shares).items()) == list(expected.items())


@given(st.lists(st.tuples(names, st.integers(0, 100))))
def test_merging_loses_nothing(shares: list[tuple[str, int]]) -> None:
    merged = merge(shares)
    assert sum(merged.values()) == sum(percent for _, percent in shares)
    assert all(merged.values())
    assert list(merged.values()) == sorted(merged.values(), reverse=True)


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        ({"A": 90, "B": 10}, "A 90 %, B 10 %"),
        ({"b": 10, "a": 90}, "a 90 %, b 10 %"),
        ({"b": 50, "a": 50}, "a 50 %, b 50 %"),
        ({"LATEST": 100}, "LATEST 100 %"),
        ({}, "no traffic"),
    ],
)
def test_describe(traffic: dict[str, int], words: str) -> None:
    assert describe(traffic) == words
