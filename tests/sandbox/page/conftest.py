"""A town, a bot and the page as a whole, and Chromium before it; one of each for a module."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.sandbox.page.keeper import Keeper
from bot.sandbox.page.serve import Served
from bot.sandbox.rehearsal import Rehearsal

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 120_000
# Without its sandbox, which root and nested namespaces may not make; it opens nothing but our own page.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@dataclass
class Living:
    """The page with everything behind it."""

    town: Rehearsal
    keeper: Keeper
    served: Served


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with Rehearsal(tmp_path_factory.mktemp("town"), rate=10.0) as town:
        keeper = Keeper(town, mourned_s=0.5)
        keeper.start()
        with Served(town, keeper) as served:
            yield Living(town, keeper, served)
        keeper.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator["object"]:
    """Debian's chromium, driven by Playwright, which brings none of its own."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()
