"""Commands typed wrong: the whole answer, to the one who typed, and nothing happens."""

import html
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.doors.slack.room import Room
from tests.engine.conftest import Bot

CASES: list[dict[str, Any]] = YAML(typ="safe").load(Path(__file__).with_name("typed_wrong.yaml"))
RIGHT = [
    "rollback backend",
    "Rollback  BACKEND",
    "rollback ai-square/prod/backend",
    "rollback backend —to backend-00041-kex",
    "rollback backend --to=backend-00041-kex",
    "rollback backend \u2013reason “p99 > 2 s & rising”",
    "rollback backend reason='it\u2019s slow'",
    "`rollback backend`",
    "rollback\u00a0backend",
]


async def test_ten_at_least() -> None:
    assert sum(case["typed"].startswith(("rollback", "rolback")) for case in CASES) >= 10


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_the_answer_says_what_to_write_instead(case: dict[str, Any], room: Room, bot: Bot) -> None:
    room.channel = case.get("channel", room.channel)
    assert html.unescape(await room.hears("U0ANA", case["typed"])).splitlines()[0] == case["answer"]
    assert (room.cards, bot.platform.writes) == ([], [])


@pytest.mark.parametrize("length", [4001, 20_000])
async def test_a_text_that_is_too_long(length: int, room: Room) -> None:
    typed = "rollback backend --reason " + "x" * (length - 26)
    assert await room.hears("U0ANA", typed) == f"That is {length:,} characters; write at most 4,000."
    assert room.operations() == ()


@pytest.mark.parametrize("typed", RIGHT)
async def test_what_phones_and_people_make_of_it_is_understood(typed: str, room: Room) -> None:
    await room.asks("U0ANA", typed)
    assert room.card.text.startswith("✋ Waiting for approval: rollback ai-square/prod/backend.")
