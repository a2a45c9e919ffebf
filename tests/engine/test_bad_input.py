"""What cannot be meant, through the whole engine: a sentence that says what to write, and nothing is changed."""

from datetime import timedelta

import pytest

from bot.core.errors import NotFound, UserError
from bot.core.request import OPEN
from tests.engine.conftest import ANA, BAD, GOOD, NOON

LONG_AGO = (NOON - timedelta(days=200)).strftime("%Y-%m-%d %H:%M")
WRONG = {
    "an unknown image": ("deploy backend v9.99 --unpin", "Name a tag or a digest that was pushed."),
    "no name of an image": ("deploy backend :v1 --unpin", "`:v1` names no image"),
    "weights that do not rise": ("deploy backend v1 --weights 50,10", "percentages that rise to 100"),
    "weights over 100": ("deploy backend v1 --weights 10,150", "100"),
    "an unknown strategy": ("deploy backend v1 --strategy canari", "canary"),
    "a time to come": ("rollback backend --to tomorrow 08:00", "which is in the future"),
    "before all that is known": (f"rollback backend --to {LONG_AGO}", "nobody kept what ai-square/prod/backend was"),
    "a release that there is not": ("rollback backend --to backend-00099-zzz", "has no release `backend-00099-zzz`"),
    "a group without a time": ("rollback app", "say to when"),
    "more than the catalog allows": ("scale backend --max 5000", "outside of what the catalog allows"),
    "fewer than the catalog allows": ("scale backend --min 0", "outside of what the catalog allows"),
    "fewest over most": ("scale backend --min 9 --max 4", "At least 9 is more than at most 4 instances."),
    "less than nothing": ("scale backend --min -1", "0 or more"),
    "nothing to scale": ("scale backend", "Say what to change"),
    "from an environment that there is not": ("promote backend --source stagging", "did you mean `staging`?"),
    "a split that is not whole": (f"traffic backend {GOOD}=90", "That is 90 %, not 100 %."),
}


def said(bot, typed):
    """The sentence, whether it is said at once or after a look at the platform."""
    try:
        record = bot.say(ANA, typed)
    except UserError as error:
        return str(error)
    assert record.state == "rejected", record.state
    return record.detail


@pytest.mark.parametrize("typed, sentence", WRONG.values(), ids=WRONG)
def test_a_sentence_and_nothing_changed(bot, typed, sentence):
    bot.platform.fail("image", NotFound("image v9.99 is not in its registry"))
    found = said(bot, typed)
    assert sentence.lower() in found.lower()
    assert "\n" not in found and found[-1] in ".?`"
    assert (bot.platform.writes, bot.platform.asked, bot.platform.version) == ([], {BAD: 100}, 7)
    assert (bot.pins.pins(), bot.locks.locks(), bot.ledger.operations(states=OPEN, limit=5)) == ((), (), ())


def test_what_is_meant_is_planned(bot):
    """The same words, right: or these tests would pass whatever is typed."""
    assert bot.say(ANA, "scale backend --min 4 --max 9").state == "waiting"
    assert bot.say(ANA, "rollback backend").state == "waiting"
