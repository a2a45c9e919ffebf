"""Keeps this process's logging as it was: what is tested takes it over, as a process of its own would."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

TOUCHED = ("dbos", "alembic", "asyncio", "slack_bolt", "slack_sdk", "urllib3", "google", "grpc")


@contextmanager
def kept() -> Iterator[None]:
    """Inside, the root logger begins without handlers; afterwards all is as before."""
    root = logging.getLogger()
    others = [(one, one.level, one.propagate, list(one.handlers)) for one in map(logging.getLogger, TOUCHED)]
    before = root.level, list(root.handlers), sys.excepthook, threading.excepthook
    root.handlers.clear()
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.level, root.handlers[:], sys.excepthook, threading.excepthook = before
        for logger, level, propagate, handlers in others:
            logger.setLevel(level)
            logger.propagate, logger.handlers[:] = propagate, handlers
        logging.captureWarnings(False)
