"""People as Slack knows them, over a real connection; and what is known when Slack does not answer."""

import asyncio
from collections.abc import Callable

import pytest

from bot.doors.slack.memory import FRESH_S, RETRY_S, Memory
from bot.doors.slack.people import SlackPeople
from bot.engine.people import Person
from bot.sandbox.slack import FakeSlack
from bot.sandbox.slack.faults import Fault, Kind
from tests.doors.slack.harness import TEAM, TOKEN, StillTime

Ask = Callable[[str], "asyncio.Future[Person]"]


@pytest.fixture
def people(slack: FakeSlack, time: StillTime) -> SlackPeople:
    return SlackPeople(TOKEN, f"{slack.base_url}/api/", TEAM, ["S0ONCALL", "S0LEADS"], time.monotonic)


async def ask(people: SlackPeople, id: str) -> Person:
    """In a thread, as the engine does."""
    return await asyncio.to_thread(people.person, id)


def asked(slack: FakeSlack) -> list[str]:
    return [call.method for call in slack.workspace.calls]


async def test_a_person_has_a_name_a_zone_and_the_groups_that_give_roles(people: SlackPeople) -> None:
    assert await ask(people, "U0ANA") == Person(
        name="Ana Alvarez", active=True, zone="Europe/Berlin", groups=("S0ONCALL",)
    )
    assert (await ask(people, "U0DEV")).groups == (), "a group that no role names is not looked at"


@pytest.mark.parametrize(
    ("id", "why"),
    [
        ("U0EVE", "deactivated"),
        ("U0GST", "a guest"),
        ("U0FOX", "of another workspace"),
        ("U0CIBOT", "a bot"),
        ("U0NOBODY", "unknown to Slack"),
    ],
)
async def test_who_may_ask_for_nothing(id: str, why: str, people: SlackPeople) -> None:
    assert (await ask(people, id)).active is False, why


async def test_a_guest_of_one_channel_is_a_guest(people: SlackPeople, slack: FakeSlack) -> None:
    slack.workspace.people["U0DEV"].is_ultra_restricted = True
    assert (await ask(people, "U0DEV")).active is False


async def test_another_workspace_is_foreign_even_when_slack_does_not_call_it_strange(
    slack: FakeSlack, time: StillTime
) -> None:
    slack.workspace.people["U0FOX"].is_stranger = False
    address = f"{slack.base_url}/api/"
    assert (await ask(SlackPeople(TOKEN, address, TEAM, [], time.monotonic), "U0FOX")).active is False
    assert (await ask(SlackPeople(TOKEN, address, "", [], time.monotonic), "U0FOX")).active is True, "no team is set"


async def test_a_strange_zone_becomes_utc(people: SlackPeople, slack: FakeSlack) -> None:
    slack.workspace.people["U0ANA"].tz = "Mars/Olympus"
    slack.workspace.people["U0BEN"].tz = "../../etc/passwd"
    assert [(await ask(people, id)).zone for id in ("U0ANA", "U0BEN", "U0EVE")] == ["UTC", "UTC", "UTC"]


async def test_slack_is_asked_once_in_five_minutes(people: SlackPeople, slack: FakeSlack, time: StillTime) -> None:
    for _ in range(3):
        await ask(people, "U0ANA")
    assert asked(slack) == ["users.info", "usergroups.users.list", "usergroups.users.list"]
    await ask(people, "U0BEN")
    assert asked(slack)[3:] == ["users.info"], "groups are the same for everybody"
    time.advance(FRESH_S)
    slack.workspace.people["U0ANA"].deleted = True
    assert (await ask(people, "U0ANA")).active is False


async def test_a_group_that_does_not_exist_gives_nobody_a_role(
    slack: FakeSlack, time: StillTime, caplog: pytest.LogCaptureFixture
) -> None:
    people = SlackPeople(TOKEN, f"{slack.base_url}/api/", TEAM, ["S0GONE", "S0ONCALL"], time.monotonic)
    assert (await ask(people, "U0ANA")).groups == ("S0ONCALL",)
    assert "roles.yaml names the user group S0GONE" in caplog.text


class TestSlackDoesNotAnswer:
    @pytest.mark.parametrize("kind", [Kind.DOWN, Kind.SERVER_ERROR, Kind.RATELIMITED, Kind.ERROR])
    async def test_nobody_can_say_who_somebody_new_is(self, kind: Kind, people: SlackPeople, slack: FakeSlack) -> None:
        slack.faults.add(Fault(kind, error="internal_error"))
        assert await ask(people, "U0ANA") == Person(name="U0ANA", active=None)

    async def test_a_token_without_the_scope_leaves_everybody_in_doubt(
        self, people: SlackPeople, slack: FakeSlack
    ) -> None:
        slack.workspace.app.scopes.discard("users:read")
        assert (await ask(people, "U0ANA")).active is None

    async def test_what_was_known_stays_but_is_in_doubt_after_five_minutes(
        self, people: SlackPeople, slack: FakeSlack, time: StillTime
    ) -> None:
        await ask(people, "U0ANA")
        slack.faults.add(Fault(Kind.DOWN))
        time.advance(FRESH_S - 1)
        assert (await ask(people, "U0ANA")).active is True
        time.advance(1)
        assert await ask(people, "U0ANA") == Person(
            name="Ana Alvarez", active=None, zone="Europe/Berlin", groups=("S0ONCALL",)
        )

    async def test_who_was_deactivated_stays_so(self, people: SlackPeople, slack: FakeSlack, time: StillTime) -> None:
        await ask(people, "U0EVE")
        slack.faults.add(Fault(Kind.DOWN))
        time.advance(FRESH_S)
        assert (await ask(people, "U0EVE")).active is False

    async def test_a_person_without_groups_that_could_be_read_is_in_doubt(
        self, people: SlackPeople, slack: FakeSlack
    ) -> None:
        slack.faults.add(Fault(Kind.SERVER_ERROR, "usergroups.users.list"))
        person = await ask(people, "U0ANA")
        assert (person.name, person.active, person.groups) == ("Ana Alvarez", None, ())

    async def test_after_a_failure_nobody_waits_for_the_next_one(
        self, people: SlackPeople, slack: FakeSlack, time: StillTime
    ) -> None:
        slack.faults.add(Fault(Kind.DOWN))
        for id in ("U0ANA", "U0BEN", "U0CHO"):
            await ask(people, id)
        assert asked(slack) == ["users.info"]
        slack.faults.clear()
        time.advance(RETRY_S)
        assert (await ask(people, "U0BEN")).active is True

    async def test_a_slack_that_is_not_there_at_all(self, time: StillTime) -> None:
        people = SlackPeople(TOKEN, "http://127.0.0.1:9/api/", TEAM, [], time.monotonic)
        assert (await ask(people, "U0ANA")).active is None


class TestMemory:
    def test_a_failure_that_was_not_foreseen_is_not_swallowed(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))
        with pytest.raises(ZeroDivisionError):
            memory.recall("x", lambda: 1 // 0)

    def test_an_answer_ends_the_failure(self, time: StillTime) -> None:
        memory = Memory(time.monotonic, (OSError,))

        def fails() -> int:
            raise OSError

        assert memory.recall("x", fails) == (None, False)
        time.advance(RETRY_S)
        assert memory.recall("x", lambda: 1) == (1, True)
        assert memory.recall("y", lambda: 2) == (2, True)
