"""Exit codes: the contract with scripts."""

import pytest

from bot.core.errors import Away, ConfigError, Denied, StoreError, UserError
from bot.core.request import LEFT_AS_IT_IS, STATES
from bot.doors.cli import exits
from tests.doors.cli.fakes import a_look, a_record, an_answer

CODES = {
    "accepted": 4, "waiting": 4, "queued": 4, "running": 4, "answered": 0, "planned": 0, "rejected": 2,
    "nothing_to_do": 0, "applied": 0, "denied": 3, "failed": 5, "cancelled": 5, "expired": 4, "uncertain": 6,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_code(state: str) -> None:
    assert exits.of_record(a_record(state)) == CODES[state]


def test_what_failed_and_was_not_put_back_wants_a_look() -> None:
    assert exits.of_record(a_record("failed", detail=f"{LEFT_AS_IT_IS}: somebody changed it")) == 6
    assert exits.of_record(a_record("failed", detail="no quota; put back as it was")) == 5


def test_a_look_that_found_something_wrong_wants_a_look() -> None:
    assert exits.of_record(a_look(an_answer(good=False))) == 6
    assert exits.of_record(a_look(an_answer(good=True))) == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [(UserError("x"), 2), (ConfigError("x", file="f"), 2), (StoreError("x"), 2), (Away("x"), 5), (Denied("x"), 3)],
)
def test_errors_before_anything_began(error: Exception, code: int) -> None:
    assert exits.of_error(error) == code  # type: ignore[arg-type]


def test_every_code_is_explained() -> None:
    assert {code for code, _ in exits.MEANING} == {*CODES.values(), exits.BUG}
