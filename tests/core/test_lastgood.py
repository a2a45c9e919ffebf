"""Which release served all traffic last, and served it well."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lastgood import Bar, Found, Health, Past, last_good, merged, percent, spans_of
from bot.core.ports import Requests
from bot.core.system import Serving

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BAR = Bar(now=NOW, max_age=timedelta(days=30), min_requests=500, error_ratio=0.005)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def span(split: dict[str, int], until_h: float, total: int = 0, errors: int = 0, counted: bool = True) -> Serving:
    """One hour of serving that ended so many hours ago."""
    return Serving(
        split=split,
        version="7",
        since=ago(until_h + 1),
        until=ago(until_h),
        total=total,
        errors=errors,
        counted_until=ago(until_h) if counted else None,
    )


def past(release: str, health: Health = "good", total: int = 1000, errors: int = 0, until_h: float = 1) -> Past:
    return Past(release=release, until=ago(until_h), total=total, errors=errors, health=health)


@pytest.mark.parametrize(
    "share, says",
    [
        (0, "0 %"),
        (0.00001, "under 0.01 %"),
        (0.0001, "0.01 %"),
        (0.0002, "0.02 %"),
        (0.00094, "0.09 %"),
        (0.00097, "0.1 %"),
        (0.001, "0.1 %"),
        (0.005, "0.5 %"),
        (0.01, "1 %"),
        (0.015, "1.5 %"),
        (0.0951, "9.5 %"),
        (0.09, "9 %"),
        (0.0999, "10 %"),
        (0.1, "10 %"),
        (0.104, "10 %"),
        (0.12, "12 %"),
        (0.125, "12 %"),
        (0.9951, "100 %"),
        (1, "100 %"),
    ],
)
def test_percent(share: float, says: str) -> None:
    assert percent(share) == says


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_greater_share_never_reads_as_a_smaller_one(one: float, other: float) -> None:
    def number(share: float) -> float:
        return float(percent(share).removesuffix(" %").replace("under 0.01", "0.001"))

    assert (number(min(one, other)) <= number(max(one, other))) and len(percent(one)) <= 12


@pytest.mark.parametrize(
    "total, errors, counted, health",
    [
        (500, 0, True, "good"),
        (500, 2, True, "good"),
        (500, 3, True, "bad"),
        (100_000, 500, True, "good"),
        (100_000, 501, True, "bad"),
        (499, 0, True, "few"),
        (499, 2, True, "few"),
        (3, 2, True, "few"),
        (3, 3, True, "bad"),
        (0, 0, True, "few"),
        (0, 0, False, "unknown"),
        (12, 0, False, "unknown"),
    ],
)
def test_health(total: int, errors: int, counted: bool, health: str) -> None:
    (found,) = BAR.pasts([span({"a": 100}, 1, total, errors, counted)])
    assert (found.health, found.total, found.errors) == (health, total, errors)


def test_only_spans_of_one_release_count() -> None:
    spans = [span({"b": 10, "a": 90}, 0, 900), span({"a": 100}, 1, 900), span({"c": 50, "a": 50}, 2, 900)]
    assert [(one.release, one.total, one.until) for one in BAR.pasts(spans)] == [("a", 900, ago(1))]


def test_all_spans_of_a_release_together() -> None:
    spans = [
        span({"b": 100}, 0, 400, 300),
        span({"a": 100}, 1, 300),
        span({"b": 100}, 2, 9_600),
        span({"a": 100}, 3, 300),
    ]
    b, a = BAR.pasts(spans)
    assert (b.release, b.health, b.total, b.until) == ("b", "bad", 10_000, ago(0))
    assert (a.release, a.health, a.total, a.until) == ("a", "good", 600, ago(1))


def test_what_is_too_old_is_forgotten() -> None:
    spans = [span({"a": 100}, 24 * 30, 900), span({"b": 100}, 24 * 30 + 0.1, 900)]
    assert [one.release for one in BAR.pasts(spans)] == ["a"]


@pytest.mark.parametrize(
    "one, says",
    [
        (past("a", "good", 12_000, 6), " with 0.05 % errors in 12,000 requests"),
        (past("a", "bad", 500, 50), " with 10 % errors in 500 requests"),
        (past("a", "few", 12), " with 0 % errors in 12 requests, too few to tell"),
        (past("a", "few", 0), " with 0 % errors in 0 requests, too few to tell"),
        (past("a", "unknown", 0), "; how well could not be read"),
    ],
)
def test_how_a_release_did(one: Past, says: str) -> None:
    assert one.sentence() == f"a served all traffic until 2026-11-20 11:00 UTC{says}"


GOOD, BAD, FEW, NONE = past("a"), past("a", "bad", 900, 90), past("a", "few", 12), past("a", "unknown", 0)
TOO_BAD = "Not a: it had 10 % errors, where 0.5 % are allowed."
TOO_FEW = "Not a: it answered only 12 requests, and 500 are needed to tell."
NO_REQUEST = "Not a: it answered no request, and 500 are needed to tell."
GONE = "a served before, but was deleted since."


@pytest.mark.parametrize(
    "pasts, existing, blind, release, skipped",
    [
        ([], "ab", False, "", []),
        ([GOOD, past("b")], "ab", False, "a", []),
        ([BAD, past("b")], "ab", False, "b", [TOO_BAD]),
        ([BAD, past("b")], "ab", True, "b", [TOO_BAD]),
        ([FEW, past("b")], "ab", False, "b", [TOO_FEW]),
        ([FEW, past("b")], "ab", True, "a", []),
        ([NONE], "ab", False, "", [NO_REQUEST]),
        ([NONE], "ab", True, "a", []),
        ([GOOD, past("b")], "b", False, "b", [GONE]),
        ([GOOD], "", True, "", [GONE]),
        ([BAD, past("c", "bad", 900, 90)], "ac", True, "", [TOO_BAD, TOO_BAD.replace("a:", "c:")]),
    ],
)
def test_the_last_good_release(pasts: list[Past], existing: str, blind: bool, release: str, skipped: list[str]) -> None:
    assert last_good(pasts, existing, BAR, blind=blind) == Found(release=release, skipped=tuple(skipped))


def requests(release: str, until_h: float, total: int, errors: int = 0) -> Requests:
    return Requests(release=release, until=ago(until_h), total=total, errors=errors)


def test_spans_from_counts() -> None:
    counts = [requests("a", 3, 100, 1), requests("a", 2, 90, 2), requests("b", 2, 10, 3), requests("b", 1, 50)]
    found = spans_of(counts, 3600, frozenset())
    assert [(one.split, one.total, one.errors) for one in found] == [
        ({"b": 100}, 50, 0),
        ({"a": 90, "b": 10}, 100, 5),
        ({"a": 100}, 100, 1),
    ]
    assert (found[0].since, found[0].until, found[0].counted_until) == (ago(2), ago(1), ago(1))


@pytest.mark.parametrize(
    "counts, splits",
    [
        ([], []),
        ([requests("a", 1, 0)], []),
        ([requests("a", 1, 100), requests("preview", 1, 3)], [{"a": 100}]),
        ([requests("preview", 1, 3)], []),
        ([requests("a", 1, 999), requests("b", 1, 1)], [{"a": 100, "b": 0}]),
        ([requests("a", 1, 100), requests("b", 1, 0)], [{"a": 100}]),
        ([requests("a", 1, 1), requests("b", 1, 1), requests("c", 1, 1)], [{"a": 33, "b": 33, "c": 33}]),
    ],
)
def test_what_a_span_is_of(counts: list[Requests], splits: list[dict[str, int]]) -> None:
    assert [one.split for one in spans_of(counts, 60, frozenset({"preview"}))] == splits


def test_a_stray_request_makes_a_split_and_so_no_proof() -> None:
    spans = spans_of([requests("a", 1, 99_999), requests("b", 1, 1)], 60, frozenset())
    assert BAR.pasts(spans) == ()


def test_who_saw_more_tells_how_well_and_both_tell_until_when() -> None:
    own = (past("a", "few", 10, until_h=1), past("b", "good", 900, until_h=2), past("d", until_h=9))
    counted = (past("a", "good", 5_000, until_h=3), past("b", "bad", 800, 80, until_h=0.5), past("c", until_h=5))
    found = [(one.release, one.health, one.total, one.until) for one in merged(own, counted)]
    assert found == [
        ("b", "good", 900, ago(0.5)),
        ("a", "good", 5_000, ago(1)),
        ("c", "good", 1_000, ago(5)),
        ("d", "good", 1_000, ago(9)),
    ]


def test_who_saw_as_much_tells_no_better_than_we_do() -> None:
    assert merged((past("a", "bad", 900, 90),), (past("a", "good", 900),))[0].health == "bad"


pasts_of_few = st.lists(
    st.builds(
        past,
        st.sampled_from("abc"),
        st.sampled_from(["good", "bad", "few", "unknown"]),
        st.integers(0, 1000),
        st.just(0),
        st.floats(0, 700),
    ),
    max_size=6,
    unique_by=lambda one: one.release,
)


@given(pasts_of_few, pasts_of_few)
def test_merging_forgets_nobody(own: list[Past], counted: list[Past]) -> None:
    found = merged(own, counted)
    assert {one.release for one in found} == {one.release for one in (*own, *counted)}
    assert [one.until for one in found] == sorted((one.until for one in found), reverse=True)
    assert merged(found, ()) == found


@given(pasts_of_few, st.booleans())
def test_a_release_that_is_known_to_be_bad_is_never_chosen(pasts: list[Past], blind: bool) -> None:
    found = last_good(pasts, "ab", BAR, blind=blind)
    health = {one.release: one.health for one in pasts}
    assert found.release != "c" and health.get(found.release) in (
        {None, "good"} if not blind else {None, *health.values()}
    )
    assert health.get(found.release) != "bad"


def test_a_release_without_requests_has_no_error_rate() -> None:
    assert (past("a", total=0).error_rate, past("a", total=10, errors=1).error_rate) == (0.0, 0.1)
