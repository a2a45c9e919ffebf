"""Another size through the whole engine: who may ask for it, whether it arrives, how it is put back."""

import pytest

from bot.core.errors import Denied, Uncertain

ANA, BEN, DEV = "slack:U0ANA", "slack:U0BEN", "slack:U0DEV"


def test_on_call_changes_bounds_with_one_approval(bot):
    record = bot.say(ANA, "scale backend --max 20")
    assert (record.state, record.approvals_needed) == ("waiting", 1)
    bot.say(BEN, f"approve {record.id}")
    done = bot.work(record.id)
    assert (done.state, bot.platform.size["max_instances"]) == ("applied", 20)
    assert bot.platform.writes == [f"{record.id}/0/do"]
    assert done.detail == "ai-square/prod/backend: at most 20 instances; before: 1 to 10 instances"


def test_what_moves_traffic_takes_somebody_else(bot, monkeypatch):
    monkeypatch.setattr(type(bot.platform), "makes_release", lambda *_: True)
    bot.platform.asked = {"LATEST": 100}
    bot.platform.size |= {"cpu": 1.0}
    record = bot.say(ANA, "scale backend --cpu 2")
    assert (record.state, record.approvals_needed) == ("waiting", 1)
    bot.say(BEN, f"approve {record.id}")
    assert bot.work(record.id).state == "applied" and bot.platform.size["cpu"] == 2


def test_a_developer_does_not(bot):
    with pytest.raises(Denied):
        bot.say(DEV, "scale backend --max 20")
    assert bot.say(DEV, "scale backend --max 20 --dry-run").state == "planned"


def test_outside_the_catalog_is_a_sentence_and_nothing_else(bot):
    record = bot.say(ANA, "scale backend --max 1000")
    assert (record.state, bot.platform.writes) == ("rejected", [])
    assert "1000 is outside of what the catalog allows ai-square/prod/backend: 2 to 100 instances" in record.detail


def test_a_lost_answer_is_adopted(bot):
    record = bot.ledger.operation(bot.approved("scale backend --max 20"))
    bot.platform.lose("scale", Uncertain("connection reset"))
    assert bot.work(record.id).state == "applied"
    assert bot.platform.writes == [f"{record.id}/0/do"]


def test_somebody_sets_another_size_meanwhile(bot):
    """Nothing of theirs is overwritten."""
    record = bot.ledger.operation(bot.approved("scale backend --max 20"))
    bot.platform.after.append(lambda: bot.platform.size.update(max_instances=50))
    done = bot.work(record.id)
    assert "somebody else made it 1 to 50 instances meanwhile" in done.detail
    assert done.state != "applied"


def test_undone(bot):
    record = bot.ledger.operation(bot.approved("scale backend --max 20"))
    bot.work(record.id)
    undo = bot.approved(f"ops undo {record.id}")
    done = bot.work(undo)
    assert (done.state, bot.platform.size["max_instances"]) == ("applied", 10)
    assert (
        done.detail == f"ai-square/prod/backend: at most 10 instances, as before {record.id} (scale backend --max 20)"
    )
