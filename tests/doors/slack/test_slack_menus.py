"""What menus offer is asked once for a moment, however often Slack asks."""

import asyncio

import pytest

from bot.core.home import Choice
from bot.doors.slack.menus import KEPT_S, Every, Menus
from bot.engine.choices import Question
from tests.doors.slack.harness import StillTime

TO = Question(actor="slack:U0ANA", operation="rollback", field="to", entered={"service": "a"})


class Cloud:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.answer: Every = (Choice(value="r-1"),)
        self.may = asyncio.Event()
        self.may.set()

    async def every(self, question: Question) -> Every:
        self.asked.append(question)
        await self.may.wait()
        return self.answer


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def menus(cloud: Cloud, time: StillTime) -> Menus:
    return Menus(cloud.every, time.monotonic)


async def test_one_question_for_every_beginning(menus: Menus, cloud: Cloud) -> None:
    for begun in ("", "r", "r-"):
        assert await menus.every(TO.model_copy(update={"begun": begun})) == cloud.answer
    assert len(cloud.asked) == 1


async def test_while_it_is_being_answered_nobody_asks_again(menus: Menus, cloud: Cloud) -> None:
    cloud.may.clear()
    both = [asyncio.ensure_future(menus.every(TO)) for _ in range(2)]
    await asyncio.sleep(0)
    both[0].cancel()
    cloud.may.set()
    assert await both[1] == cloud.answer, "one who went away takes nothing from the other"
    assert len(cloud.asked) == 1


async def test_after_a_moment_it_is_asked_again(menus: Menus, cloud: Cloud, time: StillTime) -> None:
    await menus.every(TO)
    time.advance(KEPT_S)
    await menus.every(TO)
    assert len(cloud.asked) == 2


@pytest.mark.parametrize("changed", [{"actor": "slack:U0BEN"}, {"entered": {"service": "b"}}, {"field": "x"}])
async def test_another_question_has_another_answer(menus: Menus, cloud: Cloud, changed: dict[str, object]) -> None:
    await menus.every(TO)
    await menus.every(TO.model_copy(update=changed))
    assert len(cloud.asked) == 2


async def test_what_could_not_be_known_is_asked_again_at_once(menus: Menus, cloud: Cloud) -> None:
    cloud.answer = None
    assert await menus.every(TO) is None
    cloud.answer = ()
    assert await menus.every(TO) == ()
    assert len(cloud.asked) == 2
