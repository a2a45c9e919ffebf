"""The policies that are shipped, with the operations and the catalog that are shipped."""

from pathlib import Path

import pytest

from bot import operations
from bot.core import folder
from bot.core.rules import Act, PolicyFiles, Traits, acts, traits
from bot.engine.policy import Policy
from bot.stores.catalog_files import load_catalog
from bot.stores.policy_files import policy_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def shipped_files() -> PolicyFiles:
    return policy_files(ROOT / "policies")


@pytest.fixture(scope="session")
def shipped_acts() -> dict[str, Act]:
    found = [folder.load(operations, name) for name in folder.names(operations)]
    return acts({operation.command(): operation for operation in found})


@pytest.fixture(scope="session")
def shipped_targets() -> dict[str, Traits]:
    return traits(load_catalog(ROOT / "catalog"))


@pytest.fixture(scope="session")
def shipped(shipped_files: PolicyFiles, shipped_acts: dict[str, Act], shipped_targets: dict[str, Traits]) -> Policy:
    return Policy(shipped_files, shipped_acts, shipped_targets)
