"""The tree of errors that are raised on purpose, and what each carries."""

import re

import pytest

from bot.core import errors
from bot.core.errors import (
    BotError,
    CloudError,
    ConfigError,
    ConfigErrors,
    Denied,
    Forbidden,
    NotFound,
    Permanent,
    Refused,
    Transient,
    Uncertain,
    UserError,
)

CLASSES = {name: one for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, BotError)}


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    """Each line's mark and depth say which class is its parent."""
    drawn, path = {}, [""]
    for mark in re.finditer(r"^( *)[*x+-] (\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(mark[1]) // 2
        path[depth:] = [mark[2]]
        drawn[mark[2]] = path[depth - 1] if depth else "Exception"
    assert drawn == {name: one.__bases__[0].__name__ for name, one in CLASSES.items()}


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_says_when_it_is_raised(name: str) -> None:
    assert (CLASSES[name].__doc__ or "").strip().endswith((".", '"'))


def test_wrong_input_offers_what_would_be_right() -> None:
    assert UserError("no").choices == ()
    assert UserError("no", choices=("a", "b")).choices == ("a", "b")


def test_a_refusal_names_its_policy_and_remedy() -> None:
    plain, full = Denied("no"), Denied("no", policy="guard.freeze", remedy="needs break-glass")
    assert (str(plain), plain.policy, plain.remedy) == ("no", "", "")
    assert (full.policy, full.remedy) == ("guard.freeze", "needs break-glass")


@pytest.mark.parametrize(
    "more, says",
    [
        ({}, "a.yaml: is wrong"),
        ({"line": 7}, "a.yaml:7: is wrong"),
        ({"field": "slo"}, "a.yaml: slo: is wrong"),
        ({"line": 7, "field": "slo"}, "a.yaml:7: slo: is wrong"),
    ],
)
def test_a_wrong_file_says_where(more: dict[str, object], says: str) -> None:
    error = ConfigError("is wrong", file="a.yaml", **more)  # type: ignore[arg-type]
    assert str(error) == says
    assert (error.file, error.problem) == ("a.yaml", "is wrong")
    assert (error.line, error.field) == (more.get("line", 0), more.get("field", ""))


def test_several_wrong_places_are_one_error() -> None:
    both = ConfigErrors((ConfigError("x", file="a.yaml", line=1), ConfigError("y", file="b.yaml", field="f")))
    assert str(both) == "a.yaml:1: x\nb.yaml: f: y"
    assert (both.file, both.line, len(both.errors)) == ("a.yaml", 1, 2)


def test_what_the_cloud_says_beside_its_message() -> None:
    assert (Transient("busy").retry_after_s, Transient("busy", retry_after_s=3).retry_after_s) == (0.0, 3)
    assert (Forbidden("no").permission, Forbidden("no", permission="run.services.get").permission) == (
        "",
        "run.services.get",
    )


@pytest.mark.parametrize(
    "error, executed", [(Transient, False), (NotFound, False), (Refused, False), (Uncertain, None)]
)
def test_only_uncertain_may_have_been_executed(error: type[CloudError], executed: bool | None) -> None:
    said = (error.__doc__ or "") + (error.__bases__[0].__doc__ or "")
    assert ("Not executed" in said) == (executed is False)
    assert issubclass(error, Permanent) == (error is NotFound)
