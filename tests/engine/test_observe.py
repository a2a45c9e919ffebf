"""Serving history grows each minute, with what monitoring counted, and survives clouds that do not answer."""

from datetime import timedelta

from bot.core.errors import Permanent, Transient
from bot.engine.observe import Observer

GOOD, BAD = "backend-00041-kex", "backend-00042-bad"


def observer(bot):
    target = bot.catalog.target("ai-square", "prod", "backend")
    return target, Observer([target], bot.binder, bot.history, bot.clock)


def test_spans_grow_and_are_counted_once(bot):
    target, looking = observer(bot)
    bot.platform.somebody_sets({GOOD: 100})
    for _ in range(10):
        at = bot.clock.now()
        bot.platform.serve(GOOD, minutes=1, until=at, per_minute=100, error_rate=0.01)
        bot.platform.serve(BAD, minutes=1, until=at, per_minute=5)
        looking.look()
        bot.clock.advance(60)
    span = bot.history.served(target)[0]
    assert (span.split, span.until - span.since) == ({GOOD: 100}, timedelta(minutes=9))
    counted_minutes = (span.counted_until - span.since) // timedelta(minutes=1)
    assert (span.total, span.errors) == (100 * counted_minutes, counted_minutes) and counted_minutes >= 5


def test_splits_are_remembered_and_not_counted(bot):
    target, looking = observer(bot)
    bot.platform.somebody_sets({GOOD: 50, BAD: 50})
    for _ in range(8):
        looking.look()
        bot.clock.advance(60)
    (span,) = bot.history.served(target)
    assert (span.split, span.counted_until) == ({GOOD: 50, BAD: 50}, None)


def test_what_cannot_be_read_is_left_for_the_next_round(bot, caplog):
    caplog.set_level("INFO")
    target, looking = observer(bot)
    bot.platform.fail("service", *[Transient("503")] * 20)
    looking.look()
    assert "was not observed: 503" in caplog.text
    bot.platform._failing.clear()
    looking.look()
    bot.clock.advance(600)
    bot.platform.fail("requests", Permanent("no"))
    looking.look()
    assert len(bot.history.served(target)) == 1
