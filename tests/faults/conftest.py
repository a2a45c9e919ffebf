"""The whole bot: as the engine's tests have it, and as a process in a town of its own."""

from collections.abc import Iterator

import pytest

from bot.sandbox import crash_town
from bot.sandbox.crash_town import Town
from tests.engine.conftest import bot, shipped_catalog, shipped_policies
from tests.faults.outage import Outage, outage_in
from tests.faults.releases import town_of_two
from tests.faults.scene import Scene, played_in

__all__ = ["bot", "shipped_catalog", "shipped_policies"]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with crash_town.town() as made:
        yield made


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of two services, of which one has a migration."""
    with town_of_two(tmp_path_factory.mktemp("two")) as made:
        yield made


@pytest.fixture
def scene(town: Town) -> Iterator[Scene]:
    with played_in(town, Scene) as made:
        yield made


@pytest.fixture
def outage(town: Town) -> Iterator[Outage]:
    with outage_in(town, town.bot) as made:
        yield made
