"""The card of a rollout on the page: all of it is drawn, and its buttons can be pressed."""

import html
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.home import Home, Section
from bot.core.timeline import line
from bot.doors.slack.draw.cards import card
from bot.doors.slack.draw.home import home
from bot.doors.slack.draw.rollout import ADVANCE, BACK, HOLD
from bot.sandbox.page.blocks import blocks
from bot.sandbox.page.reader import Reader
from bot.sandbox.page.surface import Surface
from tests.doors.slack.harness import NOON
from tests.rollouts import NEW, SAID, rolling, until
from tests.sandbox.page.safe import harm

READER = Reader({}, ZoneInfo("Europe/Berlin"), NOON + timedelta(hours=1))
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


def page(*stages: object, **changed: object) -> str:
    shown = card(rolling(**changed), stages)  # type: ignore[arg-type]
    return str(blocks(list(shown.blocks), Surface("m", READER)))


@pytest.mark.parametrize("state", ["baking", "held", "passed", "broken"])
def test_everything_is_drawn(state: str) -> None:
    made = page(*until(2, state))
    assert "not drawn here" not in made and harm(made) == []
    assert "<svg" in made and "Errors" in made and "Answers over 300 ms" in made
    assert html.escape(SAID) in made or SAID in made
    assert f"send 25 % to {NEW}" in made and "watch 25 % for 10m or longer" in made


def test_timers_are_in_the_readers_zone() -> None:
    made = page(*until(2))
    assert "today 14:10" in made, "13:10 UTC in Berlin"
    assert '<time datetime="2026-11-20T13:10:00+00:00"' in made


def test_the_buttons_can_be_pressed() -> None:
    made = page(*until(2))
    for action, text in ((ADVANCE, "Promote now"), (HOLD, "Hold"), (BACK, "Roll back")):
        assert f">{text}</button>" in made and f"&#34;action&#34;:&#34;{action}&#34;" in made
    assert "Leave stage 2 (25 %) now?" in made and "Go back?" in made


def test_no_name_becomes_markup() -> None:
    made = page(*until(2, "held", sentence=HOSTILE, steered="hold", steered_by=HOSTILE))
    assert harm(made) == []


def test_the_timeline_in_the_home() -> None:
    told = line(rolling(), until(2))
    view = home(Home(sections=(Section(title="Releases", lines=(told,)),)), "D0BEN")
    made = str(blocks(view["blocks"], Surface("h", READER)))
    assert "Releases (1)" in made and "Stage 2 of 4 (25 %), watched until" in made and "today 14:10" in made
