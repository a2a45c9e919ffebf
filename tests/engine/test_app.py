"""What the composition root puts together."""

from bot.core.request import Target


def test_only_services_that_some_platform_shows_are_watched(bot):
    names = {target.full_name for target in bot.watched()}
    assert "ai-square/prod/backend" in names
    assert "ai-square/mvp/vertex" not in names  # no provider of its type
    assert not any(bot.catalog.entry(target).planned for target in bot.watched())
    assert all(isinstance(target, Target) for target in bot.watched())
