"""Slack goes away in the middle of a rollback: the rollback goes on, and the message is right when Slack is back."""

import time

import pytest

from bot.doors.slack.memory import RETRY_S
from bot.sandbox.crash_town import GOOD, SERVICE, Town
from bot.sandbox.incident import CHANNEL, Json
from bot.sandbox.transcript import lines
from tests.faults.scene import Scene

UNSURE = "nobody could be asked whether you are still active; try again, or use the terminal"


@pytest.fixture
def outage(scene: Scene) -> Scene:
    """The bad release serves, and the bot runs."""
    scene.begin()
    return scene


def state(outage: Scene) -> str:
    """Of the one change."""
    return outage.books.changes()[0][1]


def details(outage: Scene, card: Json) -> list[str]:
    """What is said in the thread of the change."""
    return ["\n".join(lines(one)) for one in outage.people.replies(CHANNEL, card["ts"])]


def are_right(outage: Scene, card: Json) -> bool:
    """There is one reply, and it says how the write ended."""
    said = details(outage, card)
    assert len(said) <= 1
    return "succeeded" in "".join(said)


@pytest.mark.parametrize("dies", [False, True])
def test_slack_is_down_while_traffic_moves(town: Town, outage: Scene, dies: bool) -> None:
    """Also when the bot dies meanwhile, and another one finds Slack away from its first moment on."""
    card = outage.plan("rollback backend")
    assert card is not None
    outage.cloud.fault("slow_rollout", seconds=300)
    outage.people.do("faults", kind="down", method="chat.update")  # first, so that nothing is told in between
    outage.approve(card)
    outage.until(lambda: state(outage) != "waiting")  # Slack has said who clicked
    outage.people.do("faults", kind="down")
    if dies:
        town.bot.kill()
        town.bot.start()
    outage.until(lambda: state(outage) == "applied")
    assert outage.cloud.service(SERVICE)["traffic"] == {GOOD: 100}
    assert "Done" not in outage.told()
    outage.people.clear_faults()
    outcome = outage.outcome()
    assert (outcome.state, outcome.judged, outcome.fates) == ("applied", "holds", ["committed"])
    assert "✅ Done" in outcome.told and "Errors fell from" in outcome.told
    outage.until(lambda: are_right(outage, card))


@pytest.mark.parametrize(
    "kind",
    ["lost_answer", *(pytest.param(one, marks=pytest.mark.slow) for one in ("reset", "server_error")), "ratelimited"],
)
def test_the_first_message_meets_a_fault(outage: Scene, kind: str) -> None:
    """The plan is shown once, whatever became of the first try to show it."""
    outage.people.do("faults", kind=kind, method="chat.postMessage")
    card = outage.plan("rollback backend")
    assert card is not None
    outage.approve(card)
    assert outage.outcome().state == "applied"
    assert len(outage.messages()) == 1
    outage.until(lambda: are_right(outage, card))


def test_slack_cannot_say_who_clicks(outage: Scene) -> None:
    """Whoever may have been deactivated approves nothing and is told why; the next click counts, once Slack answers."""
    card = outage.plan("rollback backend")
    assert card is not None
    outage.people.do("faults", kind="down", method="users.info")
    outage.approve(card)
    outage.until(lambda: outage.told_alone("U0BEN"))
    assert UNSURE in "\n".join(lines(outage.told_alone("U0BEN")[0]))
    assert (state(outage), outage.updates()) == ("waiting", [])
    outage.people.clear_faults()
    time.sleep(RETRY_S)  # nobody is looked up in between
    outage.approve(outage.waiting())
    outcome = outage.outcome()
    assert (outcome.state, outcome.judged, outcome.serves) == ("applied", "holds", {GOOD: 100})
