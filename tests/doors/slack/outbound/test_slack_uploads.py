"""A plan that is too long for a message: a file in the thread, shared once, whatever becomes of the answers."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.core.plan import Finding, Verdict
from bot.doors.slack.draw.details import whole
from bot.doors.slack.outbound.gateway import Gateway
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from bot.sandbox.slack.state import Message
from tests.both import url_of_sqlite as url
from tests.doors.slack.harness import StillTime, Teller, calls_of, plan

__all__ = ["url"]
Thread = Callable[..., list[Message]]
BEGIN, UPLOAD, COMPLETE = "files.getUploadURLExternal", "upload", "files.completeUploadExternal"
LONG = plan(
    verdict=Verdict(
        findings=tuple(Finding(level="risk", subject=f"s{at}", sentence=f"{at} is odd. " * 20) for at in range(60))
    )
)


def files(thread: Thread) -> list[Message]:
    return [message for message in thread() if message.files]


def asked(tell: Teller, **changed: Any) -> str:
    """A change whose plan is long; its id."""
    id = tell.asked()
    tell.planned(id, plan=LONG, **changed)
    return id


async def rounds(gateway: Gateway, time: StillTime, seconds: float, every_s: float = 3.0) -> None:
    for _ in range(int(seconds / every_s)):
        await gateway.round()
        time.advance(every_s)


async def test_the_whole_plan_is_in_the_thread_and_the_details_say_so(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
) -> None:
    id = asked(tell)
    await rounds(gateway, time, 6)
    (shared,) = files(thread)
    upload = slack.workspace.uploads[shared.files[0]["id"]]
    assert (upload.name, upload.title) == (f"plan-{id}.txt", f"The whole plan of {id}")
    assert upload.data.decode() == whole(tell.ledger.operation(id))
    (details,) = [message for message in thread() if not message.files]
    assert "The whole plan is in a file in this thread" in details.text


async def test_it_is_shared_once_however_the_change_goes_on(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
) -> None:
    id = asked(tell)
    await rounds(gateway, time, 6)
    tell.approve(id)
    await rounds(gateway, time, 6)
    tell.finish(id, tell.run(id))
    await rounds(gateway, time, 60)
    assert (len(files(thread)), calls_of(slack, BEGIN), calls_of(slack, COMPLETE)) == (1, 1, 1)


async def test_a_plan_that_fits_has_none(gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack) -> None:
    tell.waiting()
    await rounds(gateway, time, 6)
    assert calls_of(slack, BEGIN) == 0


FAULTS = [
    pytest.param(kind, step, id=f"{kind.value} at {step}", marks=() if often else pytest.mark.slow)
    for kind, often in (
        (Kind.LOST_ANSWER, True),
        (Kind.RESET, False),
        (Kind.SERVER_ERROR, True),
        (Kind.RATELIMITED, False),
    )
    for step in (BEGIN, UPLOAD, COMPLETE)
]


@pytest.mark.parametrize(("kind", "step"), FAULTS)
async def test_whatever_happens_to_a_step_there_is_one_copy(
    kind: Kind, step: str, gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
) -> None:
    slack.faults.add(Fault(kind, step))
    asked(tell)
    await rounds(gateway, time, 30)
    (shared,) = files(thread)
    assert slack.workspace.uploads[shared.files[0]["id"]].state == "complete"
    lost = (kind, step) == (Kind.LOST_ANSWER, COMPLETE)
    assert calls_of(slack, COMPLETE) == (1 if lost or step != COMPLETE else 2)


@pytest.mark.parametrize("kind", [Kind.LOST_ANSWER, pytest.param(Kind.RESET, marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", [BEGIN, UPLOAD, COMPLETE])
async def test_a_crash_after_a_step_makes_no_second_copy(
    kind: Kind,
    step: str,
    another_gateway: Callable[[], Gateway],
    tell: Teller,
    time: StillTime,
    slack: FakeSlack,
    thread: Thread,
) -> None:
    """What the next life finds: nobody knows what became of the step."""
    slack.faults.add(Fault(kind, step))
    asked(tell)
    await another_gateway().round()
    await rounds(another_gateway(), time, 60)
    assert len(files(thread)) == 1


async def test_between_upload_and_completion_the_id_is_noted(
    another_gateway: Callable[[], Gateway], tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
) -> None:
    slack.faults.add(Fault(Kind.RESET, COMPLETE))
    asked(tell)
    await another_gateway().round()
    (uploaded,) = slack.workspace.uploads.values()
    await rounds(another_gateway(), time, 60)
    assert [message.files[0]["id"] for message in files(thread)] == [uploaded.id], "the same file is completed"


async def test_two_processes_at_once_share_it_once(
    another_gateway: Callable[[], Gateway], tell: Teller, time: StillTime, slack: FakeSlack, thread: Thread
) -> None:
    asked(tell)
    both = another_gateway(), another_gateway()
    for _ in range(20):
        for one in both:
            await one.round()
        time.advance(3)
    assert (len(files(thread)), calls_of(slack, COMPLETE)) == (1, 1)


@pytest.mark.parametrize(
    ("step", "error"), [(BEGIN, "missing_scope"), (COMPLETE, "file_not_found"), (COMPLETE, "not_in_channel")]
)
async def test_what_slack_refuses_is_given_up(
    step: str,
    error: str,
    gateway: Gateway,
    tell: Teller,
    time: StillTime,
    slack: FakeSlack,
    thread: Thread,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slack.faults.add(Fault(Kind.ERROR, step, error=error))
    id = asked(tell)
    await rounds(gateway, time, 60)
    assert (files(thread), calls_of(slack, step)) == ([], 1)
    assert f"the plan of {id} is not shared as a file" in caplog.text
    assert slack.workspace.ephemerals == [], "it is said in the details how to see the plan"


async def test_it_waits_for_its_budget(
    gateway: Gateway, tell: Teller, time: StillTime, slack: FakeSlack, budgets: Any, thread: Thread
) -> None:
    while budgets.allows(COMPLETE, spare=True):
        budgets.spend(COMPLETE)
    asked(tell)
    await gateway.round()
    assert calls_of(slack, BEGIN) == 0
    await rounds(gateway, time, 6)
    assert len(files(thread)) == 1
