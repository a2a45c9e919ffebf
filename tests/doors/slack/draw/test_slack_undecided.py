"""The reply that says that a stage waits: which, why, and what can be said; whatever people and releases are called."""

import pytest

from bot.doors.slack.draw.blocks import Card
from bot.doors.slack.draw.undecided import concerns_all, undecided
from tests.doors.slack import validity
from tests.doors.slack.draw.test_slack_cards import WORDS, read, valid
from tests.doors.slack.harness import request
from tests.rollouts import SAID, rolling, stage, until

SCHEMA = validity.Schema() if validity.MADE.exists() else None  # where `make schemas` was run


def taken(shown: Card) -> Card:
    valid(shown)
    assert validity.message(shown, SCHEMA) == []
    return shown


def test_it_says_which_stage_waits_and_what_was_found() -> None:
    shown = taken(undecided(rolling(), until(2, "held")))
    assert shown.text.startswith("✋ Waiting for a decision: deploy ai-square/prod/backend\nStage 2 of 4 (25 %): since")
    assert "not decided in its time: it waits for a person." in read(shown)
    assert SAID in read(shown)


def test_it_says_what_can_be_typed() -> None:
    shown = read(undecided(rolling(), until(2, "held")))
    assert "type ops advance 7k3qabcdef --stage 2 to go on, ops cancel 7k3qabcdef to go back" in shown


def test_who_holds_it_is_named_and_the_channel_is_left_in_peace() -> None:
    (*_, late), (*_, held) = until(2, "held"), until(2, "held", steered="hold", steered_by="Ben")
    assert "held by Ben until somebody decides" in read(taken(undecided(rolling(), (held,))))
    assert concerns_all(late) and not concerns_all(held)


@pytest.mark.parametrize("stages", [(), until(2, "passed")])
def test_what_waits_no_more_is_only_named(stages: tuple[object, ...]) -> None:
    assert "Stage" not in read(taken(undecided(rolling(), stages)))  # type: ignore[arg-type]


def test_nothing_was_found_yet() -> None:
    assert "Stage 1 of 4 (10 %)" in read(taken(undecided(rolling(), (stage(1, "held"),))))


@pytest.mark.parametrize("word", WORDS)
def test_strange_words(word: str) -> None:
    asked = request(operation="deploy", text=WORDS[word], params={})
    told = {"sentence": WORDS[word], "steered": "hold", "steered_by": WORDS[word]}
    taken(undecided(rolling(request=asked), until(2, "held", **told)))
