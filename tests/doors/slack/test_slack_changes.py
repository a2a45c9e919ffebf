"""What Slack says about people: what was known of them is not trusted from then on, and nothing else changes."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.doors.slack.changes import Changes, Nobody
from bot.doors.slack.draw.cards import APPROVE
from bot.doors.slack.guard import Refusals
from bot.doors.slack.memory import Memory
from bot.doors.slack.people import SlackPeople
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from tests.doors.slack.harness import TEAM, TOKEN, StillTime
from tests.doors.slack.room import Room, room_of
from tests.doors.slack.test_slack_surfaces import BACKEND, form
from tests.engine.conftest import Bot

ANA, BEN, DEV, EVE, GUEST, FOX, CIBOT = "U0ANA", "U0BEN", "U0DEV", "U0EVE", "U0GST", "U0FOX", "U0CIBOT"


class Known:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def person_changed(self, id: str) -> None:
        self.told.append(f"person {id}")

    def group_changed(self, id: str) -> None:
        self.told.append(f"group {id}")


HEARD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "somebody changed": ({"type": "user_change", "user": {"id": ANA}}, ["person U0ANA"]),
    "somebody is new": ({"type": "team_join", "user": {"id": DEV}}, ["person U0DEV"]),
    "a person by id alone": ({"type": "user_change", "user": ANA}, ["person U0ANA"]),
    "members": ({"type": "subteam_members_changed", "subteam_id": "S0ONCALL"}, ["group S0ONCALL"]),
    "a group": ({"type": "subteam_updated", "subteam": {"id": "S0ONCALL"}}, ["group S0ONCALL"]),
    "nobody in particular": ({"type": "user_change"}, ["person "]),
    "no group in particular": ({"type": "subteam_updated", "subteam": None}, ["group "]),
}


@pytest.mark.parametrize("name", HEARD)
def test_heard(name: str) -> None:
    event, wanted = HEARD[name]
    known, refusals, times = Known(), Refusals(), list[int]()
    Changes(known, TEAM, refusals, lambda: times.append(1)).heard({"team_id": TEAM, "event": event})
    assert (known.told, refusals, times) == (wanted, {}, [1])


def test_what_another_workspace_says_is_counted_and_nothing_else() -> None:
    known, refusals = Known(), Refusals()
    event = {"type": "user_change", "user": {"id": ANA}}
    Changes(known, TEAM, refusals, lambda: None).heard({"team_id": "T0OTHER", "event": event})
    assert (known.told, refusals) == ([], {"another workspace": 1})


def test_who_remembers_nothing_has_nothing_to_doubt() -> None:
    Nobody().person_changed(ANA)
    Nobody().group_changed("S0ONCALL")


class TestDoubt:
    def test_what_is_doubted_is_asked_again_and_stays_known_meanwhile(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))
        assert memory.recall("x", lambda: 1) == (1, True)
        memory.doubt("x")

        def fails() -> int:
            raise OSError

        assert memory.recall("x", fails) == (1, False)
        time.advance(5)
        assert memory.recall("x", lambda: 2) == (2, True)

    def test_what_was_never_asked_takes_no_room(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))
        memory.doubt("x")
        assert memory._known == {}

    def test_an_answer_that_was_on_its_way_is_of_before(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))

        def told_late() -> int:
            memory.doubt("x")
            return 1

        assert memory.recall("x", told_late) == (1, True)
        assert memory.recall("x", lambda: 2) == (2, True), "it was good for that one request alone"

    def test_other_things_stay_good(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))
        memory.recall("x", lambda: 1)
        memory.doubt("y")
        assert memory.recall("x", lambda: 2) == (1, True)


# --- end to end: the bot's people are Slack's, and the door is told


@pytest.fixture
def people(bot: Bot, live_slack: FakeSlack, time: StillTime) -> SlackPeople:
    """ana and ben approve because of a user group alone."""
    people = SlackPeople(TOKEN, f"{live_slack.base_url}/api/", TEAM, ["S0ONCALL"], time.monotonic)
    bot.people._sources["slack"] = people
    lead = bot.people._roles.roles["sre-oncall"].model_copy(update={"slack_users": (), "slack_groups": ("S0ONCALL",)})
    bot.people._roles = bot.people._roles.model_copy(update={"roles": {**bot.people._roles.roles, "sre-oncall": lead}})
    return people


@pytest.fixture
def in_room(bot: Bot, live_slack: FakeSlack, people: SlackPeople) -> Callable[[], Any]:
    return lambda: room_of(bot, live_slack, people)


async def test_a_role_that_is_taken_between_card_and_click_is_gone_at_once(
    in_room: Callable[[], Any], bot: Bot
) -> None:
    async with in_room() as room:
        id = await room.asks(ANA, "rollback backend")
        assert "sre-oncall" in await room.hears(BEN, "whoami"), "it is known, and good for five minutes"
        await _members(room, "S0ONCALL", [ANA])
        await room.is_told(BEN, APPROVE)
        assert bot.ledger.operation(id).approvals == ()
        await _members(room, "S0ONCALL", [ANA, BEN])
        assert "it begins now" in await room.is_told(BEN, APPROVE)


async def _members(room: Room, group: str, users: list[str]) -> None:
    room.slack.workspace.groups[group].users = users
    await room.slack.event({"type": "subteam_members_changed", "subteam_id": group, "team_id": TEAM})


async def test_without_the_event_what_is_known_is_good_for_five_minutes(
    in_room: Callable[[], Any], time: StillTime
) -> None:
    async with in_room() as room:
        assert "sre-oncall" in await room.hears(BEN, "whoami")
        room.slack.workspace.groups["S0ONCALL"].users = [ANA]
        assert "sre-oncall" in await room.hears(BEN, "whoami")
        time.advance(300)
        assert "no role" in await room.hears(BEN, "whoami")


async def test_who_is_deactivated_approves_nothing_from_then_on(in_room: Callable[[], Any], bot: Bot) -> None:
    async with in_room() as room:
        id = await room.asks(ANA, "rollback backend")
        await room.hears(BEN, "whoami")
        room.slack.workspace.people[BEN].deleted = True
        await room.slack.event({"type": "user_change", "user": {"id": BEN}})
        assert "(guard.deactivated)" in await room.is_told(BEN, APPROVE)
        assert bot.ledger.operation(id).approvals == ()


async def test_while_slack_cannot_say_changes_are_refused_and_looks_go_on(
    in_room: Callable[[], Any], time: StillTime
) -> None:
    async with in_room() as room:
        await room.hears(ANA, "status backend")
        time.advance(300)
        for method in ("users.info", "usergroups.users.list"):
            room.slack.faults.add(Fault(Kind.SERVER_ERROR, method, times=100))
        assert "serving" in (await room.hears(ANA, "status backend")).lower()
        assert "nobody could be asked whether you are still active" in await room.hears(ANA, "rollback backend")
        assert room.operations() == () or room.operations()[0].state == "denied"
        assert room.cards == []


@pytest.mark.parametrize("user", [EVE, GUEST, CIBOT, FOX, DEV])
async def test_who_may_not_ask_may_not_click_either(user: str, in_room: Callable[[], Any], bot: Bot) -> None:
    async with in_room() as room:
        id = await room.asks(ANA, "rollback backend")
        room.slack.workspace.channels[room.channel].members.append(user)
        await room.is_told(user, APPROVE)
        assert (bot.ledger.operation(id).state, bot.ledger.operation(id).approvals) == ("waiting", ())


@pytest.mark.parametrize("user", [EVE, GUEST, CIBOT, DEV])
async def test_who_may_not_ask_may_not_submit_either(user: str, in_room: Callable[[], Any]) -> None:
    async with in_room() as room:
        modal = await form(room, "rollback", user)
        assert (await modal.submits(service=BACKEND)).ok
        assert modal.is_open
        assert "⛔" in str(modal.view.body["blocks"][0])
        assert room.cards == []


async def test_who_is_deactivated_while_a_form_is_open_submits_nothing(in_room: Callable[[], Any]) -> None:
    async with in_room() as room:
        modal = await form(room, "rollback", ANA)
        room.slack.workspace.people[ANA].deleted = True
        await room.slack.event({"type": "user_change", "user": {"id": ANA}})
        assert (await modal.submits(service=BACKEND)).ok
        assert "guard.deactivated" in str(modal.view.body["blocks"][0])
        assert room.cards == []
