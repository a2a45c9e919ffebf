"""Rows to records, and back."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.answer import Answer
from bot.core.plan import Plan, Step
from bot.core.ports import Effect
from bot.core.request import Actor, Approval, Request
from bot.core.stages import StageRecord
from bot.core.system import EffectRecord, OperationRecord
from bot.stores.tables import ApprovalRow, EffectRow, OperationRow, StageRow


def operation(session: Session, row: OperationRow) -> OperationRecord:
    """With the approvals that were given."""
    given = select(ApprovalRow).where(ApprovalRow.operation == row.id).order_by(ApprovalRow.at)
    fields: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "state", "revision", "detail", "digest", "approvals_needed", "permitted_by", "expires_at", "updated_at",
            "applied_at", "cancel_by", "doing", "judgement", "judged",
        )
    }  # fmt: skip
    return OperationRecord(
        request=Request.model_validate(row.request),
        plan=Plan.model_validate(row.plan) if row.plan else None,
        approvals=tuple(approval(one) for one in session.scalars(given)),
        answer=Answer.model_validate(row.answer) if row.answer else None,
        **fields,
    )


def approval(row: ApprovalRow) -> Approval:
    return Approval(actor=Actor.model_validate(row.actor), digest=row.digest, given_at=row.at)


def effects(session: Session, operation: str) -> tuple[EffectRecord, ...]:
    """All writes of an operation, the first one first."""
    rows = select(EffectRow).where(EffectRow.operation == operation).order_by(EffectRow.at, EffectRow.key)
    return tuple(effect(row) for row in session.scalars(rows))


def effect(row: EffectRow) -> EffectRecord:
    return EffectRecord.model_validate(
        {
            "effect": Effect(key=row.key, version=row.version_before),
            "call": Step.model_validate(row.call),
            "cloud_operation": row.cloud_operation,
            "ending": row.ending,
            "version": row.version_after,
            "detail": row.detail,
            "at": row.at,
        }
    )


def stages(session: Session, operation: str) -> tuple[StageRecord, ...]:
    """Those of an operation that have begun, in the order of their steps."""
    rows = select(StageRow).where(StageRow.operation == operation).order_by(StageRow.position)
    return tuple(stage(row) for row in session.scalars(rows))


def stage(row: StageRow) -> StageRecord:
    return StageRecord.model_validate(row, from_attributes=True)
