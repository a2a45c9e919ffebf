"""How fast this process may go out to Slack: its share of the rates, and its pace, from the settings."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot import __main__ as entry
from bot import settings

SECRETS = {"bot_token": "xoxb-test", "signing_secret": "0123456789abcdef"}


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """What the door would be given, with so many replicas."""

    def given(replicas: int, *, lease_s: float = 15.0, rate: float = 1.0, **slack: Any) -> Any:
        taken: dict[str, Any] = {}
        monkeypatch.setattr("bot.doors.slack.SlackDoor", lambda *_, **more: taken.update(more))
        configured = settings.Settings(
            state_dir=tmp_path,
            lease_s=lease_s,
            clock=settings.ClockSettings(rate=rate),
            slack=settings.SlackSettings.model_validate(SECRETS | slack),
        )
        leases = SimpleNamespace(alive=lambda: set(range(replicas)))
        people = SimpleNamespace(source=lambda _: None)
        app: Any = SimpleNamespace(
            settings=configured, leases=leases, people=people, front=None, messages=None, clock=None
        )
        entry.slack(app)
        return SimpleNamespace(**taken)

    return given


@pytest.mark.parametrize(("replicas", "factor", "share"), [(0, 1, 1.0), (1, 1, 1.0), (4, 1, 0.25), (2, 10, 5.0)])
def test_replicas_share_what_slack_grants(door: Any, replicas: int, factor: float, share: float) -> None:
    assert door(replicas, rate_factor=factor).share() == share


def test_messages_are_edited_every_three_seconds_unless_slack_grants_more(door: Any) -> None:
    assert door(1).pace.edit_every_s == 3.0
    assert door(1, rate_factor=0.5).pace.edit_every_s == 3.0
    assert door(1, rate_factor=10).pace.edit_every_s == 0.3


def test_nobody_waits_longer_for_a_lost_post_than_until_it_is_taken_over(door: Any) -> None:
    assert (door(1).pace.takeover_s, door(1).pace.edit_takeover_s) == (30.0, 12.0)
    assert (door(1, lease_s=4).pace.takeover_s, door(1, lease_s=4).pace.edit_takeover_s) == (8.0, 8.0)


def test_what_people_see_goes_by_their_clock(door: Any) -> None:
    pace = door(1, rate=60.0).pace
    assert (pace.answers_for, pace.recent) == (timedelta(hours=5), timedelta(hours=10))
