"""What one person sees at a glance."""

from datetime import timedelta

import pytest

from bot.core.home import Home, Section
from bot.core.request import OPEN
from bot.core.rules import Freeze, Freezes
from bot.engine.gate import Gate
from bot.engine.overview import RECENT, SHOWN, Overview
from bot.stores.tables import OperationRow
from tests.engine.conftest import ANA, BEN, CHO, EVE, NOON, Bot


def home(bot: Bot, actor: str = BEN) -> Home:
    return bot.front.overview.of(actor)


def section(found: Home, title: str) -> Section:
    return next(one for one in found.sections if one.title == title)


def ids(found: Home, title: str) -> list[str]:
    return [one.id for one in section(found, title).operations]


WAITING, RUNNING = "Waiting for your approval", "In progress"


def test_nothing_yet(bot: Bot) -> None:
    found = home(bot)
    assert [one.title for one in found.sections] == [WAITING, RUNNING, "Recent", "Releases", "Pins", "Locks", "Freezes"]
    assert not any(one.operations or one.lines for one in found.sections)
    assert all(one.empty for one in found.sections)


def test_what_waits_is_for_those_who_may_approve_it(bot: Bot) -> None:
    id = bot.ask(ANA, "rollback backend")
    for actor in (BEN, CHO):
        assert (ids(home(bot, actor), WAITING), ids(home(bot, actor), RUNNING)) == ([id], [])
    assert (ids(home(bot, ANA), WAITING), ids(home(bot, ANA), RUNNING)) == ([], [id])
    assert section(home(bot), WAITING).to_decide
    assert not section(home(bot), RUNNING).to_decide


def test_it_moves_on(bot: Bot) -> None:
    id = bot.approved()
    assert (ids(home(bot), WAITING), ids(home(bot), RUNNING), ids(home(bot), "Recent")) == ([], [id], [])
    bot.work(id)
    assert (ids(home(bot), RUNNING), ids(home(bot), "Recent")) == ([], [id])
    (pin,) = section(home(bot), "Pins").lines
    assert pin.text.startswith("ai-square/prod/backend: ")
    assert "by ana since 2026-11-20 12:00 UTC" in pin.text


def test_what_one_has_approved_waits_for_others(bot: Bot) -> None:
    id = bot.ask(ANA, "rollback backend")
    with bot.ledger._transaction() as session:
        session.get_one(OperationRow, id).approvals_needed = 2
    bot.say(BEN, f"approve {id}")
    assert (ids(home(bot, BEN), WAITING), ids(home(bot, BEN), RUNNING)) == ([], [id])
    assert ids(home(bot, CHO), WAITING) == [id]


def test_what_has_expired_waits_for_nobody(bot: Bot) -> None:
    bot.ask(ANA, "rollback backend")
    bot.clock.advance(31 * 60)
    assert ids(home(bot), WAITING) == []


def test_a_pin_that_is_old_asks_whether_it_is_needed(bot: Bot) -> None:
    bot.work(bot.approved())
    bot.clock.advance(25 * 3600)
    (pin,) = section(home(bot), "Pins").lines
    assert pin.text.endswith("Still needed?")
    assert pin.mood == "warning"


def test_no_more_than_fits_and_how_many_are_left(bot: Bot) -> None:
    for _ in range(SHOWN + 3):
        bot.ask(ANA, "rollback backend")
    waiting = section(home(bot), WAITING)
    assert (len(waiting.operations), waiting.more) == (SHOWN, 3)
    for record in bot.ledger.operations(states=OPEN, limit=100):
        bot.say(ANA, f"ops cancel {record.id}")
    assert len(ids(home(bot), "Recent")) == RECENT


@pytest.mark.parametrize("actor", [EVE, "slack:U0NOBODY"])
def test_who_may_not_look_sees_nothing(bot: Bot, actor: str) -> None:
    bot.ask(ANA, "rollback backend")
    found = home(bot, actor)
    assert found.sections == ()
    assert found.refused


def test_freezes_that_are_on_and_those_to_come(bot: Bot) -> None:
    def freeze(name: str, begin_h: int, end_h: int) -> Freeze:
        since, until = NOON + timedelta(hours=begin_h), NOON + timedelta(hours=end_h)
        return Freeze(name=name, since=since, until=until, targets=("ai-square/prod",), reason="sale")

    on, past, later = freeze("now", -1, 1), freeze("past", -5, -4), freeze("later", 5, 6)
    overview = Overview(
        bot.registry,
        bot.gate,
        bot.people,
        bot.ledger,
        bot.pins,
        bot.locks,
        bot.audit,
        Freezes(freezes=(later, past, on)),
        bot.clock,
    )
    assert [(line.text, line.mood) for line in section(overview.of(BEN), "Freezes").lines] == [
        ("ai-square/prod: until 2026-11-20 13:00 UTC, sale (now).", "warning"),
        ("ai-square/prod: 2026-11-20 17:00 UTC to 2026-11-20 18:00 UTC, sale (later).", "plain"),
    ]


def test_locks_and_freezes_that_people_set(bot: Bot) -> None:
    for text in (
        "lock backend --reason incident",
        "lock ai-square/prod --until 2h",
        "freeze eaili5 --until 1h --reason audit",
        "freeze pg-agi --until 4h --reason audit",
    ):
        bot.work(bot.ask(CHO, text))
        bot.clock.advance(1)
    locks = [line.text for line in section(home(bot), "Locks").lines]
    assert locks == [
        "ai-square/prod: Locked for deploys by cho since 2026-11-20 12:00 UTC, until 2026-11-20 14:00 UTC or `unlock"
        " ai-square/prod`.",
        "ai-square/prod/backend: Locked for deploys by cho since 2026-11-20 12:00 UTC, until `unlock"
        " ai-square/prod/backend` (incident).",
    ]
    assert [line.text.split(":")[0] for line in section(home(bot), "Freezes").lines] == ["pg-agi", "eaili5"]
    bot.clock.advance(2 * 3600)
    assert [line.text.split(":")[0] for line in section(home(bot), "Locks").lines] == ["ai-square/prod/backend"]
    assert [line.text.split(":")[0] for line in section(home(bot), "Freezes").lines] == ["pg-agi"]


def test_the_stamp_is_another_one_whenever_something_moves(bot: Bot) -> None:
    stamps = [bot.front.overview.stamp()]
    id = bot.ask(ANA, "rollback backend")
    stamps.append(bot.front.overview.stamp())
    bot.say(CHO, "status backend")
    assert bot.front.overview.stamp() == stamps[-1], "who looks moves nothing"
    bot.say(BEN, f"approve {id}")
    stamps.append(bot.front.overview.stamp())
    bot.work(id)
    stamps.append(bot.front.overview.stamp())
    assert stamps[0] == 0 and sorted(set(stamps)) == stamps


def test_policy_is_asked_once_about_all_that_are_alike(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        bot.ask(ANA, "rollback backend")
    asked: list[object] = []
    allows = Gate.allows
    monkeypatch.setattr(Gate, "allows", lambda *args: asked.append(args) or allows(*args))
    assert len(ids(home(bot), WAITING)) == 3
    assert len(asked) == 1


def test_the_timeline_of_releases(bot: Bot) -> None:
    first = bot.approved()
    (line,) = section(home(bot), "Releases").lines
    assert line.text.startswith("2026-11-20 12:00 UTC, rollback of ai-square/prod/backend by ana: queued: ")
    bot.work(first)
    bot.clock.advance(60)
    bot.ask(ANA, "unpin backend")
    (line,) = section(home(bot), "Releases").lines
    assert line.mood == "good" and "queued" not in line.text, "what waits is none of it yet"
    assert section(home(bot), "Recent").operations
