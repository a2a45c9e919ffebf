"""The whole bot, as the engine's tests have it."""

from tests.engine.conftest import bot, shipped_catalog, shipped_policies

__all__ = ["bot", "shipped_catalog", "shipped_policies"]
