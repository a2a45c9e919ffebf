"""Who is in front of a terminal."""

import getpass

import pytest

from bot.doors.cli.people import Accounts, Players, known_zone

ME = getpass.getuser()


def test_whoever_runs_this_is_active_and_has_the_terminals_zone() -> None:
    person = Accounts(ME, "Europe/Berlin").person(ME)
    assert (person.name, person.active, person.zone) == (ME, True, "Europe/Berlin")


def test_somebody_without_a_name_here_may_still_run_this() -> None:
    assert Accounts("4242", "UTC").person("4242").active is True


def test_another_account_of_this_machine_is_active() -> None:
    person = Accounts("4242", "Europe/Berlin").person("root")
    assert (person.active, person.zone) == (True, "UTC")


def test_of_an_account_elsewhere_nothing_is_known() -> None:
    assert Accounts(ME, "UTC").person("nobody-of-that-name").active is None


def test_in_a_rehearsal_everybody_is_who_they_say() -> None:
    assert Players().person("U0ANA").active is True


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("UTC", "UTC"), ("", "UTC"), ("CET-1CEST", "UTC"), ("../etc/passwd", "UTC"),
        ("Mars/Olympus", "UTC"), ("Europe", "UTC"),
    ],
)  # fmt: skip
def test_a_zone_that_is_none_is_utc(name: str, zone: str) -> None:
    assert known_zone(name) == zone
