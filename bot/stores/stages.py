"""Steps that wait until their check holds or somebody decides, in SQL: the part of the ledger that is about them."""

from typing import cast

from pydantic import JsonValue
from sqlalchemy import Engine, and_, select
from sqlalchemy.orm import Session, sessionmaker

from bot.core.plan import Checked
from bot.core.request import DUE, Actor
from bot.core.stages import LEFT, SAID, StageRecord, StageState, Steer, Steered
from bot.core.system import Clock
from bot.stores import audit, records
from bot.stores.database import reading
from bot.stores.mutexes import fenced, row_of
from bot.stores.repeat import repeatable
from bot.stores.storable import storable, text
from bot.stores.tables import Json, OperationRow, StageRow


@repeatable
class SqlStages:
    """Whatever changes a stage holds its operation's row, so that findings and what people say come one by one."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._transaction = sessionmaker(engine, expire_on_commit=False).begin
        self._reading, self._clock = sessionmaker(reading(engine)).begin, clock

    def stages(self, operation: str) -> tuple[StageRecord, ...]:
        with self._reading() as session:
            return records.stages(session, operation)

    def steered(self, operation: str, position: int) -> Steered:
        mine = and_(StageRow.operation == OperationRow.id, StageRow.position == position)
        rows = select(OperationRow.cancel_by, StageRow.state).outerjoin(StageRow, mine)
        with self._reading() as session:
            cancel_by, stage = session.execute(rows.where(OperationRow.id == operation)).one()
            return Steered(cancel_by=cancel_by, stage=stage)

    def stage(self, operation: str, token: int, position: int) -> StageRecord:
        with self._transaction() as session:
            row = fenced(session, operation, token)
            made = session.get(StageRow, (operation, position))
            if made is None:
                made = StageRow(operation=operation, position=position, started_at=self._clock.now(), state="baking")
                session.add(made)
                self._tell(session, row, "stage begun", "aisq", position=position)
            return records.stage(made)

    def found(self, operation: str, token: int, position: int, state: StageState, found: Checked) -> StageRecord:
        with self._transaction() as session:
            row = fenced(session, operation, token)
            made = session.get_one(StageRow, (operation, position))
            now: StageState = "held" if made.state == "held" and state != "broken" else state
            sentence, evidence = text(found.sentence), cast(Json, storable(found.evidence)) or made.evidence
            news = (now, sentence, evidence) != (made.state, made.sentence, made.evidence)
            if made.state not in LEFT and news:
                made.state, made.sentence, made.evidence = now, sentence, evidence
                self._tell(session, row, "stage found", "aisq", position=position, stage=now, sentence=sentence)
            return records.stage(made)

    def steer(self, operation: str, position: int, steer: Steer, by: Actor) -> StageRecord | None:
        with self._transaction() as session:
            row = row_of(session, operation)
            made = session.get(StageRow, (operation, position))
            if made is None:
                return None
            runs, stands = row.state in DUE and not row.cancel_by, made.state in (*LEFT, SAID[steer])
            if runs and not stands:
                made.state, made.steered, made.steered_by = SAID[steer], steer, by.name
                self._tell(session, row, f"stage {SAID[steer]}", by.id, position=position)
            return records.stage(made)

    # --- shared

    def _tell(self, session: Session, row: OperationRow, event: str, by: str, **body: JsonValue) -> None:
        row.revision, row.updated_at = row.revision + 1, self._clock.now()
        audit.append(session, row.updated_at, event, row.id, by, {"target": row.target, **body})
