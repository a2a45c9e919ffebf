"""Who somebody is, by the door that they came through."""

import pytest

from bot.core.rules import Role, Roles
from bot.engine.people import People
from tests.engine.conftest import Everybody

ROLES = Roles(roles={"operator": Role(description="Changes things.", slack_users=("U0ANA",), os_users=("ana",))})


@pytest.fixture
def everybody() -> Everybody:
    return Everybody()


@pytest.fixture
def people(everybody: Everybody) -> People:
    return People(ROLES, {"slack": everybody})


def test_a_door_knows_its_people(people: People, everybody: Everybody) -> None:
    ana = people.actor("slack:U0ANA")
    assert (ana.name, ana.active, ana.zone) == ("ana", True, "Europe/Berlin")
    assert "operator" in ana.roles
    assert people.actor("slack:U0EVE").active is False
    assert people.source("slack") is everybody


def test_whether_somebody_of_another_door_is_active_is_not_known(people: People) -> None:
    ana = people.actor("os:ana")
    assert (ana.name, ana.active, ana.zone) == ("ana", None, "UTC")
    assert "operator" in ana.roles
    assert people.source("os") is None


def test_nor_while_the_door_cannot_ask(people: People, everybody: Everybody) -> None:
    everybody.silent = True
    assert people.actor("slack:U0ANA").active is None
