"""A rollout on its card, from end to end: it follows the row; a button asks policy, and means the stage shown."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.plan import Checked
from bot.doors.slack.draw.rollout import ADVANCE, BACK, HOLD
from bot.doors.slack.inbound import from_click
from bot.engine.registry import Registry
from bot.sandbox.slack.elements import interactive
from tests.doors.slack.harness import CHANNEL, TEAM
from tests.doors.slack.room import Room, until
from tests.engine.conftest import Bot
from tests.engine.toys.stepwise import Stepwise

ANA, BEN, CHO, DEV = "U0ANA", "U0BEN", "U0CHO", "U0DEV"
FIRST, SECOND = 1, 3  # positions of stages
RUNS = "🔄 In progress: stepwise ai-square/prod/backend."
Begin = Callable[[int], None]


@pytest.fixture
def bot(bot: Bot) -> Bot:
    """Which knows a rollout of three stages."""
    bot.registry = Registry({**bot.registry.operations, "stepwise": Stepwise})
    return bot


@pytest.fixture
async def rollout(room: Room, bot: Bot) -> tuple[str, int]:
    """One that is at its first stage, by hand; its id and its token."""
    id = await room.asks(ANA, "stepwise backend")
    assert "it begins now" in await room.is_told(BEN, "aisq.approve")
    await room.shows("⏳ About to begin")
    token = bot.ledger.claim(id, "this process")
    assert isinstance(token, int)
    bot.ledger.begin(id, token, "in progress")
    bot.ledger.stage(id, token, FIRST)
    await room.shows(f"{RUNS} Stage 1 of 3 (10 %)")
    return id, token


def states(bot: Bot, id: str) -> list[str]:
    return [one.state for one in bot.ledger.stages(id)]


def buttons(room: Room) -> dict[str, str]:
    return {one.action_id: one.body["value"] for one in interactive(room.card.blocks)}


async def test_the_card_follows_what_is_found(room: Room, bot: Bot, rollout: tuple[str, int]) -> None:
    id, token = rollout
    said = "Hold at 10 %: 0.2 % errors in 604 requests."
    bot.ledger.found(id, token, FIRST, "baking", Checked(state="not yet", sentence=said))
    await until(lambda: said in room.card.text)
    bot.ledger.found(id, token, FIRST, "held", Checked(state="not yet", sentence=said))
    await room.shows("✋ Waiting for a decision: stepwise ai-square/prod/backend. Stage 1 of 3 (10 %)")
    assert list(buttons(room)) == [ADVANCE, BACK]
    assert len(room.cards) == 1, "edited, never posted again"


async def test_who_may_not_is_told_and_nothing_moves(room: Room, bot: Bot, rollout: tuple[str, int]) -> None:
    id, _ = rollout
    for action in (ADVANCE, HOLD, BACK):
        assert await room.is_told(DEV, action)
    assert states(bot, id) == ["baking"] and not bot.ledger.operation(id).cancel_by


async def test_hold_then_promote(room: Room, bot: Bot, rollout: tuple[str, int]) -> None:
    id, _ = rollout
    assert "stage 1 (10 %) is held until somebody decides" in await room.is_told(BEN, HOLD)
    await room.shows("✋ Waiting for a decision")
    assert "held by Ben Brooks until somebody decides" in room.card.text
    assert "stage 1 (10 %) is left, and it goes on" in await room.is_told(CHO, ADVANCE)
    await until(lambda: list(buttons(room)) == [BACK])
    assert states(bot, id) == ["passed"]


async def test_a_late_or_double_click_never_skips_another_stage(room: Room, bot: Bot, rollout: tuple[str, int]) -> None:
    id, token = rollout
    seen = buttons(room)[ADVANCE]
    assert seen == f"{id} 1"
    await room.is_told(BEN, ADVANCE)
    bot.ledger.stage(id, token, SECOND)
    await room.shows(f"{RUNS} Stage 2 of 3 (50 %)")
    late: dict[str, Any] = {
        "team": {"id": TEAM},
        "user": {"id": CHO, "team_id": TEAM},
        "channel": {"id": CHANNEL},
        "container": {"message_ts": room.card.ts},
        "actions": [{"action_id": ADVANCE, "value": seen, "action_ts": "1790000009.1"}],
    }
    clicked = await bot.front.quickly(bot.front.submit, from_click(late, "v0=late"))
    await until(lambda: bot.ledger.operation(clicked.id).state != "accepted")
    assert states(bot, id) == ["passed", "baking"]
    assert buttons(room)[ADVANCE] == f"{id} 2"


async def test_roll_back_is_heard_at_any_stage(room: Room, bot: Bot, rollout: tuple[str, int]) -> None:
    id, _ = rollout
    assert "puts back what it changed" in await room.is_told(BEN, BACK)
    await until(lambda: "Ben Brooks asked to cancel it" in room.card.text)
    assert buttons(room) == {} and bot.ledger.operation(id).cancel_by == "Ben Brooks"
