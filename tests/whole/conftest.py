"""Whole rollouts and rescues, from the words to the outcome: the bot of the engine's tests, hours of its clock."""

from tests.engine.conftest import bot, shipped_catalog, shipped_policies, url

__all__ = ["bot", "shipped_catalog", "shipped_policies", "url"]
