"""Keeps the root logger of this process as it was: commands take it over, as processes of their own."""

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def the_root_logger() -> Iterator[None]:
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = root.level, list(root.handlers), list(dbos.handlers), sys.excepthook, threading.excepthook
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.level, root.handlers[:], dbos.handlers[:], sys.excepthook, threading.excepthook = before
    logging.captureWarnings(False)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment of this test's own: a state directory, the shipped catalog and policies, and nothing of ours."""
    for name in ("TZ", "COLUMNS", "NO_COLOR", "FORCE_COLOR", settings.COMPLETION):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("AISQ_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AISQ_SANDBOX", "true")
    return tmp_path
