"""Slack goes away in the middle of a rollback: the rollback goes on, and the message is right when Slack is back."""

import time
from collections.abc import Iterator

import pytest

from bot.doors.slack.memory import RETRY_S
from bot.sandbox import crash_town
from bot.sandbox.crash_town import CHANNEL, GOOD, SERVICE, Town
from bot.sandbox.transcript import lines
from tests.faults.incident import Incident, incident

UNSURE = "nobody could be asked whether you are still active; try again, or use the terminal"


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with crash_town.town() as made:
        yield made


@pytest.fixture
def scene(town: Town) -> Iterator[Incident]:
    with incident(town) as made:
        made.begin()
        yield made
        made.people.clear_faults()


def state(scene: Incident) -> str:
    """Of the one change."""
    return scene.books.changes()[0][1]


@pytest.mark.parametrize("dies", [False, True])
def test_slack_is_down_while_traffic_moves(town: Town, scene: Incident, dies: bool) -> None:
    """Also when the bot dies meanwhile, and another one finds Slack away from its first moment on."""
    card = scene.ask("rollback backend")
    assert card is not None
    scene.cloud.fault("slow_rollout", seconds=300)
    scene.people.do("faults", kind="down", method="chat.update")  # first, so that nothing is told in between
    scene.approve(card)
    scene.until(lambda: state(scene) != "waiting")  # Slack has said who clicked
    scene.people.do("faults", kind="down")
    if dies:
        town.bot.kill()
        town.bot.start()
    scene.until(lambda: state(scene) == "applied")
    assert scene.cloud.service(SERVICE)["traffic"] == {GOOD: 100}
    assert "Done" not in scene.told()
    scene.people.clear_faults()
    outcome = scene.outcome()
    assert (outcome.state, outcome.judged, outcome.fates) == ("applied", "holds", ["committed"])
    assert "✅ Done" in outcome.told and "Errors fell from" in outcome.told


@pytest.mark.parametrize("kind", ["lost_answer", "reset", "server_error", "ratelimited"])
def test_the_first_message_meets_a_fault(scene: Incident, kind: str) -> None:
    """The plan is shown once, whatever became of the first try to show it."""
    scene.people.do("faults", kind=kind, method="chat.postMessage")
    card = scene.ask("rollback backend")
    assert card is not None
    scene.approve(card)
    assert scene.outcome().state == "applied"
    assert len(scene.people.messages(CHANNEL, after=scene.before)) == 1


def test_slack_cannot_say_who_clicks(scene: Incident) -> None:
    """Whoever may have been deactivated approves nothing and is told why; the next click counts, once Slack answers."""
    card = scene.ask("rollback backend")
    assert card is not None
    scene.people.do("faults", kind="down", method="users.info")
    scene.approve(card)
    scene.until(lambda: scene.told_alone("U0BEN"))
    assert UNSURE in "\n".join(lines(scene.told_alone("U0BEN")[0]))
    assert (state(scene), scene.updates()) == ("waiting", [])
    scene.people.clear_faults()
    time.sleep(RETRY_S)  # nobody is looked up in between
    scene.approve(scene.waiting())
    outcome = scene.outcome()
    assert (outcome.state, outcome.judged, outcome.serves) == ("applied", "holds", {GOOD: 100})
