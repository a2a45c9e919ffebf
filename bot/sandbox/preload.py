"""Imported once by the fork server: what a forked bot then need not import."""

import importlib
from contextlib import suppress

from bot.sandbox.launcher import HEAVY

for name in HEAVY:
    with suppress(ImportError):  # an extra that is not installed is not needed either
        importlib.import_module(name)
