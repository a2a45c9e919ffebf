"""Imported once by the fork server: what a forked bot then need not import."""

import gc
import importlib
import pkgutil
from contextlib import suppress

from bot.sandbox.launcher import HEAVY, PACKAGES

for name in HEAVY:
    with suppress(ImportError):  # an extra that is not installed is not needed either
        importlib.import_module(name)
for package in map(importlib.import_module, PACKAGES):
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
gc.freeze()  # so that the collector of a child neither walks nor copies what it shares with the others
