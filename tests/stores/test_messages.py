"""What a chat shows of each operation: who is behind, who may post, and what a race leaves."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from bot.core.plan import Checked, Step
from bot.core.request import Address
from bot.core.system import FINAL, Shown
from bot.stores.ledger import SqlLedger
from bot.stores.messages import SqlMessages
from bot.stores.tables import OperationRow
from tests.doors.slack.harness import NOON, StillTime, Teller, plan

SINCE = NOON - timedelta(days=2)
PLACE = {"channel": "C0AISQ", "since": "1"}
SHOWN = {"channel": "C0AISQ", "ts": "1790000000.000100"}


@pytest.fixture
def messages(engine: Engine) -> SqlMessages:
    return SqlMessages(engine)


@pytest.fixture
def time() -> StillTime:
    return StillTime()


@pytest.fixture
def tell(engine: Engine, time: StillTime) -> Teller:
    return Teller(SqlLedger(engine, time), time)


def behind(messages: SqlMessages, since: datetime = SINCE, limit: int = 200) -> list[str]:
    return [one.record.id for one in messages.behind("slack", since=since, limit=limit)]


def test_a_fresh_request_is_behind_until_something_is_shown(messages: SqlMessages, tell: Teller) -> None:
    id = tell.asked()
    (one,) = messages.behind("slack", since=SINCE)
    assert (one.record.id, one.place, one.revision, one.tried_at) == (id, {}, 0, None)
    messages.showing(id, 1, SHOWN)
    assert behind(messages) == []
    tell.planned(id)
    (one,) = messages.behind("slack", since=SINCE)
    assert (one.record.state, one.record.revision, one.place, one.revision) == ("waiting", 2, SHOWN, 1)


def test_what_has_not_moved_is_not_read_again(engine: Engine, messages: SqlMessages, tell: Teller) -> None:
    still, moves = tell.waiting(), tell.waiting()
    first = {one.record.id: one for one in messages.behind("slack", since=SINCE)}
    tell.approve(moves)
    with engine.begin() as connection:  # what nobody does: it shows what is read
        connection.execute(update(OperationRow).values(detail="read again"))
    again = {one.record.id: one for one in messages.behind("slack", since=SINCE)}
    assert again[still].record == first[still].record
    assert (again[moves].record.state, again[moves].record.detail) == ("queued", "read again")
    messages.trying(again[still], PLACE, NOON)
    [tried] = [one for one in messages.behind("slack", since=SINCE) if one.record.id == still]
    assert (tried.place, tried.tried_at) == (PLACE, NOON)


def test_what_was_refused_at_once_is_never_behind(messages: SqlMessages, tell: Teller) -> None:
    tell.asked(state="denied")
    assert behind(messages) == []


def test_what_was_refused_later_is(messages: SqlMessages, tell: Teller) -> None:
    id = tell.asked()
    tell.planned(id, "denied", plan=None, digest="")
    assert behind(messages) == [id]


def test_other_doors_are_not_looked_at(messages: SqlMessages, tell: Teller) -> None:
    tell.waiting(address=Address(door="cli"))
    assert behind(messages) == []
    assert len(messages.behind("cli", since=SINCE)) == 1


def test_what_runs_in_stages_comes_with_those_that_have_begun(messages: SqlMessages, tell: Teller) -> None:
    look = Step(kind="check", verb="judged", if_late="ask")
    told = plan(steps=(*plan().steps, look, look))
    id = tell.asked()
    tell.planned(id, plan=told)
    tell.approve(id)
    token = tell.run(id)
    tell.ledger.stage(id, token, 3)
    tell.ledger.stage(id, token, 2)
    (one,) = messages.behind("slack", since=SINCE)
    assert [stage.position for stage in one.stages] == [2, 3]
    messages.showing(id, one.record.revision, SHOWN)
    assert behind(messages) == []
    tell.ledger.found(id, token, 3, "baking", Checked(state="not yet", sentence="too few"))
    (one,) = messages.behind("slack", since=SINCE)
    assert [stage.sentence for stage in one.stages] == ["", "too few"], "what is found makes it behind again"
    (reply,) = messages.replies("slack", "details", since=SINCE)
    assert reply.stages == one.stages


def test_every_change_that_people_should_see_makes_it_behind_again(messages: SqlMessages, tell: Teller) -> None:
    id = tell.waiting()

    def catches_up() -> str:
        (one,) = messages.behind("slack", since=SINCE)
        messages.showing(id, one.record.revision, SHOWN)
        assert behind(messages) == []
        return one.record.state

    assert catches_up() == "waiting"
    tell.approve(id)
    assert catches_up() == "queued"
    token = tell.run(id)
    assert catches_up() == "running"
    tell.ledger.cancel(id, "Cho Tanaka")
    assert catches_up() == "running"
    tell.finish(id, token)
    assert catches_up() == "applied"
    tell.ledger.judged(id, "holds", "Errors fell.")
    assert catches_up() == "applied"


def test_what_moved_last_is_first_and_of_more_than_the_limit_the_oldest_are_seen_too(
    messages: SqlMessages, tell: Teller, time: StillTime
) -> None:
    ids = []
    for _ in range(5):
        ids.append(tell.waiting())
        time.advance(1)
    newest_first = ids[::-1]
    assert behind(messages) == behind(messages, limit=5) == behind(messages, limit=3) == newest_first
    assert behind(messages, limit=2) == [*newest_first[:2], *newest_first[-2:]]


def test_what_has_not_moved_for_long_is_left_as_it_is(messages: SqlMessages, tell: Teller, time: StillTime) -> None:
    id = tell.waiting()
    after_that = NOON + timedelta(seconds=1)
    assert behind(messages, since=after_that) == []
    time.advance(1)
    tell.approve(id)
    assert behind(messages, since=after_that) == [id]


def only(messages: SqlMessages) -> Shown:
    """The one operation that is behind."""
    (one,) = messages.behind("slack", since=SINCE)
    return one


class TestTrying:
    def test_only_one_of_two_begins(self, messages: SqlMessages, tell: Teller, time: StillTime) -> None:
        tell.waiting()
        seen = only(messages)
        assert messages.trying(seen, PLACE, time.now())
        assert not messages.trying(seen, PLACE, time.now())
        assert (only(messages).place, only(messages).tried_at) == (PLACE, time.now())

    def test_who_saw_the_last_try_may_begin_the_next(
        self, messages: SqlMessages, tell: Teller, time: StillTime
    ) -> None:
        tell.waiting()
        assert messages.trying(only(messages), PLACE, time.now())
        seen = only(messages)
        time.advance(30.5)
        assert messages.trying(seen, PLACE, time.now())
        assert not messages.trying(seen, PLACE, time.now()), "somebody else was faster"

    def test_who_saw_no_try_comes_too_late_when_it_was_made_and_arrived(
        self, messages: SqlMessages, tell: Teller, time: StillTime
    ) -> None:
        id = tell.waiting()
        seen = only(messages)
        messages.trying(seen, PLACE, time.now())
        messages.showing(id, 2, SHOWN)
        assert not messages.trying(seen, PLACE, time.now())

    def test_who_saw_no_try_comes_too_late_when_it_was_found(
        self, messages: SqlMessages, tell: Teller, time: StillTime
    ) -> None:
        id = tell.waiting()
        seen = only(messages)
        messages.trying(seen, PLACE, time.now())
        messages.showing(id, 0, SHOWN)
        assert not messages.trying(seen, PLACE, time.now())

    def test_nobody_saw_a_try_that_was_never_made(self, messages: SqlMessages, tell: Teller, time: StillTime) -> None:
        tell.waiting()
        assert not messages.trying(only(messages).model_copy(update={"tried_at": time.now()}), PLACE, time.now())

    def test_what_did_not_arrive_may_be_tried_at_once(
        self, messages: SqlMessages, tell: Teller, time: StillTime
    ) -> None:
        id = tell.waiting()
        messages.trying(only(messages), PLACE, time.now())
        messages.untried(id)
        assert (only(messages).place, only(messages).tried_at) == ({}, None)
        assert messages.trying(only(messages), PLACE, time.now())
        messages.untried("never tried")


class TestShowing:
    def test_it_ends_the_try(self, messages: SqlMessages, tell: Teller, time: StillTime) -> None:
        id = tell.waiting()
        messages.trying(only(messages), PLACE, time.now())
        messages.showing(id, 2, SHOWN)
        assert behind(messages) == []

    def test_an_old_revision_that_covers_a_newer_one_is_owed_again(self, messages: SqlMessages, tell: Teller) -> None:
        id = tell.waiting()
        messages.showing(id, 2, SHOWN)
        messages.showing(id, 1, SHOWN)  # another process was slow
        (one,) = messages.behind("slack", since=SINCE)
        assert (one.revision, one.place) == (0, SHOWN)

    def test_a_message_that_was_found_again_is_brought_up_to_date(self, messages: SqlMessages, tell: Teller) -> None:
        id = tell.waiting()
        messages.showing(id, 0, SHOWN)
        assert behind(messages) == [id]


def posted(messages: SqlMessages, id: str, revision: int = 2) -> str:
    """Its message stands."""
    messages.showing(id, revision, SHOWN)
    return id


def replies(messages: SqlMessages, kind: str = "details", **wanted: object) -> list[str]:
    return [one.record.id for one in messages.replies("slack", kind, since=SINCE, **wanted)]  # type: ignore[arg-type]


class TestReplies:
    def test_they_follow_the_row_once_the_message_stands(self, messages: SqlMessages, tell: Teller) -> None:
        id = tell.waiting()
        assert replies(messages) == []
        messages.trying(only(messages), PLACE, NOON)
        assert replies(messages) == [], "nobody knows where it is"
        posted(messages, id)
        (one,) = messages.replies("slack", "details", since=SINCE)
        assert (one.kind, one.place, one.revision, one.tried_at, one.parent) == ("details", {}, 0, None, SHOWN)
        messages.showing(id, 2, {"ts": "2.2"}, "details")
        assert replies(messages) == []
        tell.approve(id)
        (one,) = messages.replies("slack", "details", since=SINCE)
        assert (one.place, one.revision, one.record.state) == ({"ts": "2.2"}, 2, "queued")

    def test_they_come_with_what_was_written(self, messages: SqlMessages, tell: Teller) -> None:
        id = posted(messages, tell.waiting())
        tell.approve(id)
        tell.finish(id, tell.run(id))
        (one,) = messages.replies("slack", "details", since=SINCE)
        assert [(made.ending, made.version) for made in one.effects] == [("succeeded", "43")]

    def test_each_kind_for_itself_and_apart_from_the_message(self, messages: SqlMessages, tell: Teller) -> None:
        id = posted(messages, tell.waiting())
        messages.showing(id, 2, {"ts": "2.2"}, "details")
        assert (replies(messages), replies(messages, "reminder"), behind(messages)) == ([], [id], [])
        messages.untried(id, "details")
        messages.showing(id, 0, SHOWN)
        assert (replies(messages), behind(messages)) == ([], [id])

    def test_of_what_has_no_plan_there_are_none(self, messages: SqlMessages, tell: Teller) -> None:
        id = posted(messages, tell.asked(), revision=1)
        assert replies(messages) == []
        tell.planned(id, "rejected", plan=None, digest="")
        assert replies(messages) == []

    def test_of_what_was_only_whispered_there_are_none(self, messages: SqlMessages, tell: Teller) -> None:
        id = tell.waiting()
        messages.showing(id, 2, {})
        assert replies(messages) == []

    def test_only_of_some_states(self, messages: SqlMessages, tell: Teller) -> None:
        first, second = posted(messages, tell.waiting()), posted(messages, tell.waiting())
        tell.approve(first)
        assert replies(messages, "reminder", states=("waiting",)) == [second]
        assert sorted(replies(messages, "reminder")) == sorted([first, second])

    def test_what_is_final_is_never_behind_again(self, messages: SqlMessages, tell: Teller) -> None:
        id = posted(messages, tell.waiting())
        messages.showing(id, FINAL, {"ts": "2.2"}, "file")
        tell.approve(id)
        assert replies(messages, "file") == []

    def test_of_other_doors_and_of_what_has_not_moved_for_long_there_are_none(
        self, messages: SqlMessages, tell: Teller
    ) -> None:
        posted(messages, tell.waiting(address=Address(door="cli")))
        posted(messages, tell.waiting())
        assert len(replies(messages)) == 1
        assert messages.replies("slack", "details", since=NOON + timedelta(seconds=1)) == ()
        assert len(messages.replies("slack", "details", since=SINCE, limit=0)) == 0

    def test_only_one_of_two_begins(self, messages: SqlMessages, tell: Teller, time: StillTime) -> None:
        id = posted(messages, tell.waiting())
        (seen,) = messages.replies("slack", "details", since=SINCE)
        assert messages.trying(seen, PLACE, time.now())
        assert not messages.trying(seen, PLACE, time.now())
        (other,) = messages.replies("slack", "file", since=SINCE)
        assert messages.trying(other, PLACE, time.now()), "another kind is another matter"
        messages.untried(id, "details")
        (seen,) = messages.replies("slack", "details", since=SINCE)
        assert (seen.place, seen.tried_at) == ({}, None)

    def test_an_edit_is_begun_and_ended_like_a_post(self, messages: SqlMessages, tell: Teller, time: StillTime) -> None:
        id = posted(messages, tell.waiting())
        tell.approve(id)
        seen = only(messages)
        assert messages.trying(seen, SHOWN, time.now())
        assert not messages.trying(seen, SHOWN, time.now())
        messages.showing(id, seen.revision, SHOWN)
        (again,) = messages.behind("slack", since=SINCE)
        assert (again.place, again.revision, again.tried_at) == (SHOWN, 2, None)


def undecided(messages: SqlMessages, since: datetime = SINCE) -> list[tuple[str, str]]:
    return [(one.record.id, one.kind) for one in messages.undecided("slack", since=since)]


class TestUndecided:
    """Of a rollout whose first stage is the step at 1."""

    @pytest.fixture
    def held(self, messages: SqlMessages, tell: Teller) -> tuple[str, int]:
        """One whose stage waits, and whose message stands; its id and its token."""
        look = Step(kind="check", verb="judged", title="watch", deadline_s=600, if_late="ask")
        id = tell.asked()
        tell.planned(id, plan=plan(steps=(*plan().steps, look)))
        tell.approve(id)
        token = tell.run(id)
        tell.ledger.stage(id, token, 2)
        tell.ledger.found(id, token, 2, "held", Checked(state="not yet", sentence="Nobody knows."))
        return posted(messages, id, 4), token

    def test_a_stage_that_is_held_is_to_be_told_of_until_it_was(
        self, messages: SqlMessages, held: tuple[str, int], tell: Teller
    ) -> None:
        id, _ = held
        (one,) = messages.undecided("slack", since=SINCE)
        assert (one.record.id, one.kind, one.place, one.parent) == (id, "undecided 2", {}, SHOWN)
        assert [stage.state for stage in one.stages] == ["held"]
        messages.showing(id, 0, {"ts": "2.2"}, one.kind)
        assert undecided(messages) == [(id, one.kind)], "nobody knows what it shows"
        messages.showing(id, FINAL, {"ts": "2.2"}, one.kind)
        assert undecided(messages) == []

    def test_not_once_it_is_decided_or_told_to_stop_or_ended(
        self, messages: SqlMessages, held: tuple[str, int], tell: Teller
    ) -> None:
        id, token = held
        tell.ledger.found(id, token, 2, "passed", Checked(state="holds", sentence="It is well."))
        assert undecided(messages) == [(id, "undecided 2")], "what is held goes on only when somebody says so"
        tell.ledger.cancel(id, "Ana")
        assert undecided(messages) == []

    def test_not_while_its_message_is_nowhere_or_after_long(
        self, messages: SqlMessages, held: tuple[str, int], tell: Teller
    ) -> None:
        id, _ = held
        assert undecided(messages, tell.time.now() + timedelta(days=1)) == []
        messages.untried(id)
        assert undecided(messages) == []
