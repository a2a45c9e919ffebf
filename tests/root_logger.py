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
    others = [(logging.getLogger(name), logging.getLogger(name).level) for name in TOUCHED]
    before = root.level, list(root.handlers), sys.excepthook, threading.excepthook
    durable = logging.getLogger("dbos")
    handlers = list(durable.handlers)
    root.handlers.clear()
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.level, root.handlers[:], sys.excepthook, threading.excepthook = before
        durable.handlers[:] = handlers
        for logger, level in others:
            logger.setLevel(level)
        logging.captureWarnings(False)
