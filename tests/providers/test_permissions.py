"""What each method needs is what it says, no more and no less; and docs/permissions.md has it by operation."""

import pytest

from bot import providers
from bot.core.folder import load
from bot.core.operation import Change
from bot.core.ports import Compute, Effects, Jobs
from bot.sandbox.process import SandboxProcess
from tests.operations.permissions import PAGE, Granted, page
from tests.operations.runner import COMMANDS
from tests.providers.asked import ACT_AS, DOWNLOAD, Asked
from tests.providers.conftest import Rig

GOOGLE = ("artifact_registry", "cloud_logging", "cloud_monitoring", "cloud_run", "secret_manager")
SAID = {method: needs for name in GOOGLE for method, needs in load(providers, name).PERMISSIONS.items()}
FOLLOWING = ("find", "poll")


@pytest.fixture(scope="module")
def asked(sandbox: SandboxProcess) -> Asked:
    """On the last of the clean services, which no other test has reached."""
    return Asked(Rig(sandbox, "c149"))


@pytest.fixture(scope="module")
def granted(asked: Asked) -> Granted:
    return Granted(asked)


@pytest.mark.parametrize("method", [method for method in SAID if method not in FOLLOWING])
def test_a_method_says_what_it_needs(asked: Asked, method: str) -> None:
    assert asked.needed(method) == set(SAID[method])


def test_following_says_what_it_needs(asked: Asked) -> None:
    """Of all kinds of writes."""
    assert frozenset().union(*asked.followed.values()) == {one for method in FOLLOWING for one in SAID[method]}


def test_every_kind_of_write_is_followed(asked: Asked) -> None:
    own = {name for port in (Compute, Jobs) for name in vars(port) if not name.startswith("_")}
    assert set(asked.followed) == own
    assert set(FOLLOWING) == {name for name in vars(Effects) if not name.startswith("_")}


# --- by operation


def test_the_page_is_up_to_date(granted: Granted) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(granted), "write it anew: python -m tests.operations.permissions"


@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_only_looks_changes_nothing(granted: Granted, name: str) -> None:
    looks, writes = granted.looks(COMMANDS[name]), granted.writes(COMMANDS[name])
    assert not [one for one in looks if one.rpartition(".")[2] not in ("get", "list")]
    assert issubclass(COMMANDS[name], Change) or not writes


@pytest.mark.parametrize("name", ["rollback", "traffic", "unpin"])
def test_who_moves_traffic_makes_nothing(granted: Granted, name: str) -> None:
    """It needs to be nobody's account, to read no image's content, and knows nothing of jobs."""
    writes = granted.writes(COMMANDS[name])
    assert "run.services.update" in writes
    assert not writes & {ACT_AS, DOWNLOAD}
    assert not [one for one in writes if one.startswith(("run.jobs", "run.executions"))]


@pytest.mark.parametrize("name", ["deploy", "promote"])
def test_who_makes_a_release_needs_more(granted: Granted, name: str) -> None:
    assert granted.writes(COMMANDS[name]) >= {"run.services.update", "run.jobs.run", ACT_AS, DOWNLOAD}


def test_books_of_our_own_need_nothing(granted: Granted) -> None:
    for name in ("lock", "unlock", "freeze", "unfreeze", "approve", "ops list", "audit", "whoami"):
        assert not granted.looks(COMMANDS[name]) | granted.writes(COMMANDS[name]), name


def test_judgements_look_at_monitoring(granted: Granted) -> None:
    """Checks and judgements of the plans are played too, not only the planning."""
    assert "monitoring.timeSeries.list" in granted.looks(COMMANDS["traffic"])
    assert "monitoring.timeSeries.list" not in granted.looks(COMMANDS["scale"])
