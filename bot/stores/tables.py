"""Tables. Instants are UTC; JSON columns hold what core's models dump."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import JsonValue
from sqlalchemy import JSON, Dialect, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, TypeDecorator

from bot.core.request import OPEN
from bot.stores.storable import Words

Json = dict[str, JsonValue]


class Instant(TypeDecorator[datetime]):
    """An instant, UTC on the way in and out; SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant without a zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


IS_OPEN = text("state IN ({})".format(", ".join(f"'{state}'" for state in OPEN)))  # word for word as an index has it


class Base(DeclarativeBase):
    """Of all tables of ours; the durable library keeps its own elsewhere."""

    type_annotation_map: ClassVar = {Json: JSON, datetime: Instant, str: Words}


class OperationRow(Base):
    """One request, its plan and what became of it."""

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_target_created_at", "target", "created_at"),
        Index("ix_operations_open", "created_at", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[Json]
    operation: Mapped[str]
    verb: Mapped[str]
    actor: Mapped[str]
    target: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(index=True)
    revision: Mapped[int] = mapped_column(default=1)
    detail: Mapped[str] = mapped_column(default="")
    plan: Mapped[Json | None]
    digest: Mapped[str] = mapped_column(default="")
    approvals_needed: Mapped[int] = mapped_column(default=0)
    permitted_by: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    cancel_by: Mapped[str] = mapped_column(default="")
    doing: Mapped[int] = mapped_column(default=0)
    judged: Mapped[str] = mapped_column(default="", index=True)
    judgement: Mapped[str] = mapped_column(default="")
    answer: Mapped[Json | None]


class HeardRow(Base):
    """A delivery that was heard. The key refuses a duplicate, the signature a replay."""

    __tablename__ = "heard"
    heard_as: Mapped[str] = mapped_column(primary_key=True)
    signature: Mapped[str | None] = mapped_column(unique=True)
    operation: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


class ApprovalRow(Base):
    """One person's yes to one digest. The key makes a second click a no-op."""

    __tablename__ = "approvals"
    operation: Mapped[str] = mapped_column(ForeignKey(OperationRow.id), primary_key=True)
    approver: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    actor: Mapped[Json]
    at: Mapped[datetime]


class EffectRow(Base):
    """One write to a platform: intent, the cloud's operation id, ending."""

    __tablename__ = "effects"
    key: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(ForeignKey(OperationRow.id), index=True)
    call: Mapped[Json]
    version_before: Mapped[str]
    cloud_operation: Mapped[str] = mapped_column(default="")
    ending: Mapped[str | None]
    version_after: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class StageRow(Base):
    """A step that waits until its check holds or somebody decides. Goes with its operation: see ReplyRow."""

    __tablename__ = "stages"
    operation: Mapped[str] = mapped_column(ForeignKey(OperationRow.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    started_at: Mapped[datetime]
    state: Mapped[str]
    sentence: Mapped[str] = mapped_column(default="")
    evidence: Mapped[Json] = mapped_column(default=dict)
    steered: Mapped[str | None]
    steered_by: Mapped[str] = mapped_column(default="")


class LockRow(Base):
    """What is locked or frozen until somebody lifts it."""

    __tablename__ = "locks"
    name: Mapped[str] = mapped_column(primary_key=True)
    lock: Mapped[Json]


class MutexRow(Base):
    """Who may change a target. The token grows with every new holder and with every new process of the same holder."""

    __tablename__ = "mutexes"
    target: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str | None]
    owner: Mapped[str] = mapped_column(default="")
    token: Mapped[int] = mapped_column(default=0)


class LeaseRow(Base):
    """One process that takes work; `beat_s` is the database's own clock, `program` what leases.PROGRAM was there."""

    __tablename__ = "leases"
    executor: Mapped[str] = mapped_column(primary_key=True)
    beat_s: Mapped[float]
    host: Mapped[str]
    program: Mapped[int | None]


class AuditRow(Base):
    """One link of the chain: `hash` covers the body and the hash before."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    event: Mapped[str]
    operation: Mapped[str] = mapped_column(index=True)
    actor: Mapped[str]
    body: Mapped[str]  # canonical JSON, exactly the text that was hashed
    hash: Mapped[str] = mapped_column(unique=True)


class AuditEndRow(Base):
    """The two ends of the chain: "head" is the newest link, "root" what came before the oldest that is kept."""

    __tablename__ = "audit_ends"
    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str]


class ServingRow(Base):
    """A span of time in which a target's traffic was split in one way."""

    __tablename__ = "serving"
    target: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    split: Mapped[Json]
    version: Mapped[str]
    total: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    counted_until: Mapped[datetime | None]


class PinRow(Base):
    """Where an operation of ours holds a target's traffic."""

    __tablename__ = "pins"
    target: Mapped[str] = mapped_column(primary_key=True)
    pin: Mapped[Json]


class MessageRow(Base):
    """The one message in a chat that shows an operation; `shown` is the revision that it shows."""

    __tablename__ = "messages"
    operation: Mapped[str] = mapped_column(ForeignKey(OperationRow.id), primary_key=True)
    place: Mapped[Json]
    shown: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]  # a post or an edit began; its answer may be lost


class ReplyRow(Base):
    """A reply of one kind in the thread of that message. Goes with its operation: older programs do not know of it."""

    __tablename__ = "replies"
    operation: Mapped[str] = mapped_column(ForeignKey(OperationRow.id, ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[Json]
    shown: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
