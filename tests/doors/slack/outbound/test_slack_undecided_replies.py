"""That a stage waits for a person is said in the thread of its rollout: once, in time, and whatever Slack does."""

from collections.abc import Callable

import pytest

from bot.core.plan import Checked
from bot.core.stages import StageState
from bot.core.system import StageRecord
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Message
from tests.both import url_of_sqlite as url
from tests.doors.slack.harness import ANA, BEN, StillTime, Teller
from tests.rollouts import staged_plan

__all__ = ["url"]
Thread = Callable[..., list[Message]]
FIRST, SECOND = staged_plan().asking[:2]
WAITS = "✋ Waiting for a decision: rollback ai-square/prod/backend"
SAID = "Hold at 10 %: 0.2 % errors in 604 requests."


class Rollout:
    """One that is at its first stage, as the engine would move its rows."""

    def __init__(self, tell: Teller) -> None:
        self.ledger, self.id = tell.ledger, tell.asked()
        tell.planned(self.id, plan=staged_plan())
        tell.approve(self.id)
        self.token = tell.run(self.id)
        self.begins(FIRST)

    def begins(self, position: int) -> StageRecord:
        return self.ledger.stage(self.id, self.token, position)

    def is_found(self, state: StageState, position: int = FIRST) -> None:
        found = Checked(state="not yet", sentence=SAID)
        self.ledger.found(self.id, self.token, position, state, found)


@pytest.fixture
def rollout(tell: Teller) -> Rollout:
    return Rollout(tell)


@pytest.fixture
def told(thread: Thread) -> Callable[[], list[Message]]:
    """What was said of stages."""
    return lambda: [one for one in thread() if one.metadata["event_payload"]["kind"].startswith("undecided")]


async def rounds(gateway: Gateway, time: StillTime, times: int = 4) -> None:
    for _ in range(times):
        await gateway.round()
        time.advance(6)


async def test_it_is_said_once_and_in_the_channel_too(
    gateway: Gateway, rollout: Rollout, time: StillTime, told: Callable[[], list[Message]]
) -> None:
    rollout.is_found("baking")
    await rounds(gateway, time)
    assert told() == []
    rollout.is_found("held")
    await rounds(gateway, time)
    (said,) = told()
    assert said.text.startswith(f"{WAITS}\nStage 1 of 4 (10 %)") and SAID in said.text
    assert said.broadcast
    rollout.ledger.found(rollout.id, rollout.token, FIRST, "held", Checked(state="not yet", sentence="More was found."))
    await rounds(gateway, time)
    assert len(told()) == 1


async def test_what_somebody_holds_is_said_in_the_thread_alone(
    gateway: Gateway, rollout: Rollout, time: StillTime, told: Callable[[], list[Message]]
) -> None:
    rollout.ledger.steer(rollout.id, FIRST, "hold", BEN)
    await rounds(gateway, time)
    (said,) = told()
    assert "held by Ben Brooks until somebody decides" in said.text and not said.broadcast


async def test_each_stage_is_said_for_itself(
    gateway: Gateway, rollout: Rollout, time: StillTime, told: Callable[[], list[Message]]
) -> None:
    rollout.is_found("held")
    await rounds(gateway, time)
    rollout.ledger.steer(rollout.id, FIRST, "advance", BEN)
    rollout.begins(SECOND)
    await rounds(gateway, time)
    assert len(told()) == 1
    rollout.is_found("held", SECOND)
    await rounds(gateway, time)
    assert [one.text.splitlines()[1][:12] for one in told()] == ["Stage 1 of 4", "Stage 2 of 4"]


@pytest.mark.parametrize("end", ["advance", "cancel"])
async def test_what_was_decided_before_it_could_be_said_is_not_said(
    end: str, gateway: Gateway, rollout: Rollout, time: StillTime, told: Callable[[], list[Message]]
) -> None:
    await rounds(gateway, time)
    rollout.is_found("held")
    if end == "advance":
        rollout.ledger.steer(rollout.id, FIRST, "advance", BEN)
    else:
        rollout.ledger.cancel(rollout.id, ANA.name)
    await rounds(gateway, time)
    assert told() == []


@pytest.mark.parametrize("kind", [Kind.LOST_ANSWER, Kind.SERVER_ERROR])
async def test_a_lost_answer_or_a_restart_makes_no_second_one(
    kind: Kind,
    another_gateway: Callable[[], Gateway],
    rollout: Rollout,
    time: StillTime,
    slack: FakeSlack,
    told: Callable[[], list[Message]],
) -> None:
    await rounds(another_gateway(), time, 6)  # its message and the details stand
    rollout.is_found("held")
    slack.faults.add(Fault(kind, "chat.postMessage"))
    for _ in range(8):
        await another_gateway().round()
        time.advance(15)
    assert len(told()) == 1
