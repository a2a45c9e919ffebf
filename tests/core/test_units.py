"""Durations, times, names, memory, bounds."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.core.units import Bounds, Duration, Memory, Name, Time, Weights, duration_text, hint, refuse

DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("text", "seconds", "short"),
    [
        ("500ms", 0.5, "500ms"),
        ("1000ms", 1, "1s"),
        ("300s", 300, "5m"),
        ("90s", 90, "90s"),
        ("15m", 900, "15m"),
        ("60m", 3600, "1h"),
        ("24h", 86400, "1d"),
        ("36h", 129600, "36h"),
        ("7d", 604800, "7d"),
        ("0s", 0, "0d"),
        ("1001ms", 1.001, "1001ms"),
    ],
)
def test_durations_are_read_and_written(text: str, seconds: float, short: str) -> None:
    read = DURATION.validate_python(text)
    assert read.total_seconds() == seconds
    assert duration_text(read) == short
    assert DURATION.validate_python(short) == read
    assert DURATION.dump_python(read, mode="json") == short


@pytest.mark.parametrize("wrong", ["", "5", "5 m", "-5m", "1.5h", "5w", "five m", "m", 300, None, "5M", "5m "])
def test_what_is_no_duration_is_refused_with_examples(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="write a duration such as 500ms, 300s, 15m, 24h or 7d"):
        DURATION.validate_python(wrong)


def test_a_timedelta_stays_one() -> None:
    assert DURATION.validate_python(timedelta(hours=2)) == timedelta(hours=2)


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "says"),
    [
        (Time, ["00:00", "03:00", "23:59"], ["3:00", "24:00", "03:60", "0300", "03:00:00", ""], "time of day"),
        (Name, ["a", "db", "api-gateway", "n1", "a" * 63], ["", "A", "-a", "a-", "a b", "a_b", "a" * 64, "é"], "lower"),
        (Memory, ["512Mi", "2Gi"], ["512", "2 Gi", "2GB", "0.5Gi", "Mi"], "512Mi or 2Gi"),
    ],
)
def test_texts_of_a_form(kind: Any, right: list[str], wrong: list[str], says: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    assert [adapter.validate_python(text) for text in right] == right
    assert str(adapter.json_schema()["pattern"]).startswith("^")
    for text in wrong:
        with pytest.raises(ValidationError, match=says):
            adapter.validate_python(text)


def test_bounds_are_in_order() -> None:
    assert Bounds(min=2, max=2).max == 2
    with pytest.raises(ValidationError, match="min 3 is above max 2"):
        Bounds(min=3, max=2)
    with pytest.raises(ValidationError):
        Bounds(min=-1, max=2)


def test_models_neither_change_nor_take_what_they_do_not_know() -> None:
    bounds = Bounds(min=1, max=2)
    with pytest.raises(ValidationError):
        bounds.min = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Bounds.model_validate({"min": 1, "max": 2, "mean": 1})


@pytest.mark.parametrize(
    ("word", "words", "said"),
    [("dbb", ["db", "redis"], "; did you mean `db`?"), ("zzz", ["db"], ""), ("x", [], "")],
)
def test_a_hint_names_the_nearest_word(word: str, words: list[str], said: str) -> None:
    assert hint(word, words) == said


def test_refuse_raises_every_fault_at_its_place() -> None:
    refuse("Thing", [])
    with pytest.raises(ValidationError) as caught:
        refuse("Thing", [(("a", "b"), "first is wrong"), (("c",), "second too")])
    assert [(e["loc"], e["msg"]) for e in caught.value.errors()] == [
        (("a", "b"), "first is wrong"),
        (("c",), "second too"),
    ]


@pytest.mark.parametrize(
    "said, weights",
    [(["10,25", "100"], (10, 25, 100)), ([10, 100], (10, 100)), (["5%", "100%"], (5, 100)), (("100",), (100,))],
)
def test_weights_rise_to_all_of_the_traffic(said: Any, weights: tuple[int, ...]) -> None:
    assert TypeAdapter(Weights).validate_python(said) == weights


@pytest.mark.parametrize("said", [[], ["100", "10"], ["10", "10", "100"], ["0", "100"], ["10", "101"], ["x"], 50])
def test_what_does_not_is_refused(said: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Weights).validate_python(said)
