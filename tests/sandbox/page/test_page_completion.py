"""What could be typed next, of an `aisq` that only pretends."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.sandbox.page.completion import Completion

HELP = """Commands

command       what it does
audit         Show the audit record.
ops list      List operations.
ops show      Show an operation.
rollback      Send all traffic back.

A service is written so.

For whoever runs aisq

command                   what it does
serve                     Run the bot.

In a terminal

option        what it does
--json        One document.
--as ID       Be somebody.
"""
VALUES = "plain\nbackend\n_\nplain\nbackend-eu\n_\n"
FLAGS = "plain\n--reason\nWhy.\nplain\n--json\nOne document.\nplain\n--as\nBe somebody.\n"


class Pretended(Completion):
    """Answers as `aisq` does, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked: list[str] = []
        self.empty = False

    async def _run(self, words: Sequence[str], more: Mapping[str, str]) -> str:
        await asyncio.sleep(0)
        self.asked.append(more.get("COMP_WORDS", " ".join(words)))
        if words:
            return HELP
        return "\n" if self.empty else FLAGS if more["COMP_WORDS"].endswith("--") else VALUES


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("", ["audit", "ops list", "ops show", "rollback"]),
        ("ro", ["rollback"]),
        ("ops ", ["ops list", "ops show"]),
        ("ops l", ["ops list"]),
        ("rollback ", ["rollback backend", "rollback backend-eu"]),
        ("rollback backend-", ["rollback backend-eu"]),
        ("rollback --", ["rollback --reason"]),  # what only a terminal understands is not offered
        ("serve", []),
        ("nonsense ", []),
        ("rollback 'half a", []),
    ],
)
async def test_what_is_offered(typed: str, offered: list[str]) -> None:
    assert [whole for whole, _ in await Pretended().next(typed)] == offered


async def test_each_comes_with_its_meaning() -> None:
    completion = Pretended()
    assert await completion.next("rol") == [("rollback", "Send all traffic back.")]
    assert await completion.next("rollback --r") == [("rollback --reason", "Why.")]
    assert await completion.next("rollback b") == [("rollback backend", ""), ("rollback backend-eu", "")]


async def test_who_asks_the_same_waits_for_the_same_answer() -> None:
    completion = Pretended()
    await asyncio.gather(*(completion.next(f"rollback {'backend'[:count]}") for count in range(7)))
    assert completion.asked == ["help", "aisq rollback ''"]
    await completion.warm()
    assert completion.asked.count("help") == 1 and completion.asked.count("aisq rollback ''") == 1


async def test_nothing_is_not_believed_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may not find out in time, and then says nothing."""
    completion = Pretended()
    completion.empty = True
    assert await completion.next("rollback ") == []
    completion.empty = False
    assert await completion.next("rollback ") == []
    monkeypatch.setattr("bot.sandbox.page.completion.EMPTY_KEPT_S", 0.0)
    assert len(await completion.next("rollback ")) == 2


async def test_who_stops_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    real = asyncio.create_subprocess_exec

    async def noted(*command: str, **more: Any) -> asyncio.subprocess.Process:
        started.append(await real(sys.executable, "-c", "import time; time.sleep(60)", **more))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    completion = Completion({})
    asking = asyncio.create_task(completion.next("rollback "))
    while not started:
        await asyncio.sleep(0.01)
    await completion.close()
    assert started[0].returncode is not None
    await asyncio.gather(asking, return_exceptions=True)


async def test_of_a_program_that_hangs_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.page.completion.WITHIN_S", 0.05)
    assert await Completion({})._run(["sandbox", "--help"], {}) == ""
