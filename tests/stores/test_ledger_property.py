"""Two processes at the same operations in any order: what lost its token never writes, and no outcome is taken back."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.core.errors import Fenced
from bot.core.locks import Lock
from bot.core.plan import Checked, Versioned
from bot.core.request import DUE
from bot.core.stages import LEFT, StageRecord
from bot.stores import database
from tests.both import emptied
from tests.stores.harness import BACKEND, BEN, MOVE, OUTCOMES, WORKER, Books, effect, plan

Fresh = Callable[[], AbstractContextManager[str]]
TARGETS = {"aaaa": ("backend",), "bbbb": ("backend", "worker"), "cccc": ("worker",)}
IDS = tuple(TARGETS)
LOCK = Lock(target=BACKEND.full_name)
PLANS = {  # the first pins and locks, the second takes both away, the third stops the others when it is approved
    "aaaa": plan(holds=True, locks=(LOCK,)),
    "bbbb": plan(lets_go=True, unlocks=(LOCK.name,), others=(Versioned(target=WORKER, version="7"),)),
    "cccc": plan(target=WORKER, preempts=("aaaa", "bbbb")),
}
PROCESSES = ("one", "two")
ids, processes, positions = st.sampled_from(IDS), st.sampled_from(PROCESSES), st.sampled_from((0, 1))


class TwoProcesses(RuleBasedStateMachine):
    """Each process remembers the token that it got; the model remembers who holds which target."""

    fresh: Fresh  # the URL of a database for a while

    def __init__(self) -> None:
        super().__init__()
        self.database = self.fresh()
        self.engine = database.connect(self.database.__enter__())
        self.books = Books(self.engine)
        self.tokens: dict[tuple[str, str], int] = {}  # by process and operation: what it was given last
        self.holders, self.newest = {"backend": "", "worker": ""}, {"backend": 0, "worker": 0}
        self.outcomes: dict[str, str] = {}
        self.applied: list[str] = []  # in order
        self.endings: dict[str, str] = {}
        self.revisions: dict[str, int] = {}
        self.stages: dict[tuple[str, int], StageRecord] = {}  # as they stood last

    @initialize()
    def ask(self) -> None:
        for id, made in PLANS.items():
            self.books.accept(id, target=made.target)
            self.books.propose(id, "waiting" if made.preempts else "queued", made=made)
            self.revisions[id] = 2

    @rule(id=ids)
    def cancel(self, id: str) -> None:
        if self.books.record(id).state == "waiting":
            self.outcomes[id] = "cancelled"
        self.books.ledger.cancel(id, "ben")

    @rule()
    def approve(self) -> None:
        """All that it preempts is asked to stop with it, as far as it runs and nobody has stopped it before."""
        waits = self.books.record("cccc").state == "waiting"
        before = [self.books.record(id) for id in ("aaaa", "bbbb")]
        self.books.yes("cccc")
        for was in before:
            now = self.books.record(was.id)
            stops = waits and was.state in DUE and not was.cancel_by
            assert now.cancel_by == ("ana's rollback cccc" if stops else was.cancel_by)
            assert now.revision == was.revision + stops

    @rule(id=ids, position=positions, steer=st.sampled_from(("advance", "hold")))
    def steer(self, id: str, position: int, steer: str) -> None:
        before, record = self.books.everything(), self.books.record(id)
        now = self.books.ledger.steer(id, position, steer, BEN)  # type: ignore[arg-type]
        if record.state not in DUE or record.cancel_by or now is None:
            assert self.books.everything() == before
        else:
            assert now.is_left or now.state == "held"

    # --- the two processes

    @rule(id=ids, process=processes)
    def claim(self, id: str, process: str) -> None:
        got, state = self.books.ledger.claim(id, process), self.books.record(id).state
        if state not in DUE:
            assert got == "finished"
        elif any(self.holders[target] not in ("", id) for target in TARGETS[id]):
            assert got == "busy"
        else:
            assert isinstance(got, int) and all(got > self.newest[target] for target in TARGETS[id])
            self.tokens[process, id] = got
            for target in TARGETS[id]:
                self.holders[target], self.newest[target] = id, got

    def held(self, id: str) -> bool:
        """All of its targets or none."""
        (held,) = {self.holders[target] == id for target in TARGETS[id]}
        return held

    def holds(self, id: str, process: str) -> bool:
        return self.held(id) and all(self.tokens[process, id] == self.newest[target] for target in TARGETS[id])

    def write(self, id: str, process: str, act: str, *args: object, **more: object) -> bool:
        """Whether it was let write; when not, not one row has changed."""
        before = None if self.holds(id, process) else self.books.everything()
        try:
            getattr(self.books.ledger, act)(id, self.tokens[process, id], *args, **more)
        except Fenced:
            assert before == self.books.everything()
            return False
        if before is not None:
            assert act == "finish" and id in self.outcomes and before == self.books.everything()
        return before is None

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), act=st.sampled_from(("begin", "intend", "issued", "settle", "finish")), position=positions)
    def executor(self, data: st.DataObject, act: str, position: int) -> None:
        """A process that was given a token once, and may have lost it since, goes on."""
        process, id = data.draw(st.sampled_from(sorted(self.tokens)))
        known = self.books.ledger.effect(f"{id}/{position}/do")
        if act == "begin":
            self.write(id, process, act, "in progress")
        elif act == "intend":
            self.write(id, process, act, effect(id, position), MOVE)
        elif act == "finish":
            state = data.draw(st.sampled_from(("applied", "failed", "cancelled", "uncertain")))
            if self.write(id, process, act, state, "so it went", judge=True):
                self.outcomes[id] = state
                self.applied += [id] if state == "applied" else []
                self.holders |= dict.fromkeys(TARGETS[id], "")
        elif known and act == "issued":
            self.write(id, process, act, known.effect.key, f"operations/{process}")
        elif known:
            ending = data.draw(st.sampled_from(("succeeded", "failed", "uncertain")))
            if self.write(id, process, act, known.model_copy(update={"ending": ending})):
                self.endings.setdefault(known.effect.key, ending)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), position=positions, state=st.sampled_from(("baking", "held", "passed", "broken")))
    def look(self, data: st.DataObject, position: int, state: str) -> None:
        """A process that was given a token once finds something of a stage, which it begins if need be."""
        process, id = data.draw(st.sampled_from(sorted(self.tokens)))
        if self.write(id, process, "stage", position) or (id, position) in self.stages:
            self.write(id, process, "found", position, state, Checked(state="not yet", sentence=process))

    @precondition(lambda self: any(self.holders.values()))
    @rule(id=ids)
    def give_up(self, id: str) -> None:
        """A process that found a target busy."""
        due = self.books.record(id).state in DUE
        self.books.ledger.finish(id, None, "failed", "nothing done: busy", judge=False)
        if due and not self.held(id):
            self.outcomes[id] = "failed"

    # --- what holds after every step

    @invariant()
    def outcomes_stay(self) -> None:
        for id in self.revisions:
            record = self.books.record(id)
            assert (record.state in OUTCOMES) == (id in self.outcomes)
            assert record.state == self.outcomes.get(id, record.state)
            assert record.revision >= self.revisions[id]
            self.revisions[id] = record.revision
            for one in self.books.ledger.effects(id):
                assert one.ending == self.endings.get(one.effect.key)

    @invariant()
    def stages_keep_their_start_and_are_left_once(self) -> None:
        for id in self.revisions:
            for now in self.books.ledger.stages(id):
                was = self.stages.setdefault((id, now.position), now)
                assert now.started_at == was.started_at
                assert now == was or not was.is_left
                assert was.state != "held" or now.state in ("held", *LEFT)
                assert was.state != "held" or now.state != "passed" or now.steered == "advance"
                self.stages[id, now.position] = now
            assert {(id, one.position) for one in self.books.ledger.stages(id)} == {
                k for k in self.stages if k[0] == id
            }

    @invariant()
    def nobody_holds_what_has_its_outcome(self) -> None:
        assert not set(self.holders.values()) & set(self.outcomes)

    @invariant()
    def pins_and_locks_tell_of_what_was_applied_last(self) -> None:
        last = next((id for id in reversed(self.applied) if id != "cccc"), "")
        there = ["aaaa"] if last == "aaaa" else []
        assert [pin.operation for pin in self.books.pins.pins()] == there
        assert [lock.operation for lock in self.books.locks.locks()] == there

    @invariant()
    def the_chain_tells_each_outcome_once(self) -> None:
        told = self.books.events()
        assert sum(event in OUTCOMES for event in told) == len(self.outcomes)

    def teardown(self) -> None:
        self.engine.dispose()
        self.database.__exit__(None, None, None)


@pytest.fixture
def on_sqlite(sqlite_template: Path) -> Fresh:
    @contextmanager
    def fresh() -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{shutil.copy(sqlite_template, f'{folder}/aisq.sqlite')}"

    return fresh


@pytest.fixture
def on_postgres(kept_postgres: str) -> Fresh:
    @contextmanager
    def fresh() -> Iterator[str]:
        with emptied(kept_postgres):
            yield kept_postgres

    return fresh


@pytest.mark.parametrize(
    ("fresh", "examples"),
    [
        ("on_sqlite", 10),
        ("on_postgres", 5),
        pytest.param("on_sqlite", 60, marks=pytest.mark.slow),
        pytest.param("on_postgres", 15, marks=pytest.mark.slow),
    ],
)
def test_two_processes_in_any_order(request: pytest.FixtureRequest, fresh: str, examples: int) -> None:
    machine = type("Machine", (TwoProcesses,), {"fresh": staticmethod(request.getfixturevalue(fresh))})
    machine.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    machine.TestCase("runTest").runTest()
