"""So many calls a minute and no more."""

import pytest

from bot.core.errors import UserError
from bot.core.ports import LogReads
from bot.engine.bind import RARELY
from bot.engine.rate import Rate
from tests.engine.conftest import Bot, StillClock


def test_one_too_many_is_told_when() -> None:
    clock = StillClock()
    rate = Rate(clock, "The logs", 2)
    rate.take("shop")
    clock.advance(20)
    rate.take("shop")
    rate.take("blog")
    with pytest.raises(UserError) as refused:
        rate.take("shop")
    assert str(refused.value) == (
        "The logs of shop were read 2 times in the last minute, which others have to share: ask again in 40 s."
    )
    clock.advance(40)
    rate.take("shop")
    with pytest.raises(UserError, match=r"again in 20 s\.$"):
        rate.take("shop")


def test_what_was_refused_does_not_count() -> None:
    clock = StillClock()
    rate = Rate(clock, "The logs", 1)
    rate.take("shop")
    for _ in range(5):
        clock.advance(10)
        with pytest.raises(UserError):
            rate.take("shop")
    clock.advance(10)
    rate.take("shop")


def test_logs_are_read_so_often_and_services_as_often_as_people_like(bot: Bot) -> None:
    _, most = RARELY[LogReads]
    target = bot.catalog.target("ai-square", "prod", "backend")
    logs, now = bot.binder.port(LogReads), bot.clock.now()
    for _ in range(most):
        logs.logs(target, since=now, until=now, limit=1)
    with pytest.raises(UserError, match="The logs of ai-square-prod were read 20 times"):
        logs.logs(target, since=now, until=now, limit=1)
    bot.clock.advance(60)
    logs.logs(target, since=now, until=now, limit=1)
