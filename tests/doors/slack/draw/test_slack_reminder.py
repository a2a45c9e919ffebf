"""The reminder: at half of the time that people have, to those who may still decide."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.request import STATES, Actor, Approval, State
from bot.doors.slack.draw.reminder import is_due, reminder
from tests.doors.slack.draw.test_slack_cards import read, valid
from tests.doors.slack.harness import BEN, NOON, plan, record

MINUTES = [(0, False), (14.9, False), (15, True), (29.9, True), (30, False), (31, False)]


@pytest.mark.parametrize(("minutes", "due"), MINUTES)
def test_it_is_due_from_half_time_until_the_plan_expires(minutes: float, due: bool) -> None:
    assert is_due(record(), NOON + timedelta(minutes=minutes)) is due


@pytest.mark.parametrize("state", [state for state in STATES if state != "waiting"])
def test_what_was_decided_needs_none(state: State) -> None:
    assert not is_due(record(state), NOON + timedelta(minutes=20))


def test_what_does_not_expire_needs_none() -> None:
    assert not is_due(record(expires_at=None), NOON + timedelta(days=1))


def test_it_names_who_may_not_approve_and_until_when_others_may() -> None:
    shown = reminder(record())
    valid(shown)
    expires = int((NOON + timedelta(minutes=30)).timestamp())
    assert shown.text.startswith("⏰ Still waiting for approval: rollback ai-square/prod/backend")
    assert "🟡 GO WITH RISK. ai-square/prod/backend: all traffic to backend-00041-kex" in read(shown)
    assert "It needs one other person to approve it; Ana Alvarez cannot." in read(shown)
    assert f"It expires <!date^{expires}^{{date_short_pretty}} {{time}}|2026-11-20 12:30 UTC>." in read(shown)


def test_who_has_approved_already_is_named_too() -> None:
    given = Approval(actor=BEN, digest="c0ffee" * 8, given_at=NOON)
    shown = read(reminder(record(approvals_needed=3, approvals=(given,))))
    assert "It needs 2 other people to approve it; Ana Alvarez and Ben Brooks cannot." in shown


def test_a_plan_without_a_verdict_and_no_plan() -> None:
    valid(reminder(record(plan=plan(verdict=None))))
    bare = reminder(record(plan=None, expires_at=None))
    valid(bare)
    assert "expires" not in read(bare)


@given(st.text(max_size=2000), st.text(max_size=2000))
@settings(max_examples=40, deadline=None)
def test_whatever_people_are_called_it_fits(name: str, summary: str) -> None:
    given = Approval(actor=Actor(id="slack:U1", name=name), digest="", given_at=NOON)
    valid(reminder(record(plan=plan(summary=summary), approvals=(given,) * 12, approvals_needed=20)))
