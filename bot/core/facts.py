"""What a policy may ask, each fact from one named source.

A fact that cannot be had is absent, never a default: policies guard with `has`. Cedar's schema is derived from this
list and from the registry of operations.
"""

from enum import StrEnum
from typing import Any, NewType

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from bot.core.operation import Risk
from bot.core.plan import Level
from bot.core.slo import Asked

PersonId = NewType("PersonId", str)  # the id of an Actor; a policy compares it with `principal`


class Source(StrEnum):
    """Where a fact comes from. A permit for a rollback may not need one that comes from monitoring."""

    REQUEST = "request"
    APPROVALS = "approvals"
    CALENDAR = "calendar"
    PLAN = "plan"
    STORE = "store"
    MONITORING = "monitoring"


def fact(help: str, source: Source) -> Any:
    """One fact that may be absent, and the sentence that says what it means."""
    return Field(None, description=help, json_schema_extra={"source": source.value})


class Facts(BaseModel, frozen=True):
    """The context of one decision about a change."""

    approvals: int | None = fact("People who approved this very plan and may; never the requester.", Source.APPROVALS)
    break_glass: bool | None = fact("The requester declared an emergency and said why.", Source.REQUEST)
    dry_run: bool | None = fact("Only the plan is wanted.", Source.REQUEST)
    frozen: bool | None = fact("A change freeze covers the target now.", Source.CALENDAR)
    locked: bool | None = fact("Somebody, or a rollback, has locked the target for deploys.", Source.STORE)
    verdict: Level | None = fact("GO, GO WITH RISK or NO GO, as the plan found.", Source.PLAN)
    traffic_moved_pct: int | None = fact("Percent of the target's traffic that the plan moves.", Source.PLAN)
    critical_vulnerabilities: int | None = fact(
        "How many a scan found in the image that is deployed; absent when nobody scanned it.", Source.PLAN
    )
    pinned: bool | None = fact("The target's traffic is held at a release by an earlier change.", Source.STORE)
    error_rate_pct: int | None = fact("Errors of the target in the last minutes, in whole percent.", Source.MONITORING)
    error_budget: Asked | None = fact(
        "What the target's error budget asks of a release; unknown while monitoring tells nothing.", Source.MONITORING
    )
    error_budget_left_pct: int | None = fact(
        "Whole percent of the target's error budget that are left; under 0 when it is overspent.", Source.MONITORING
    )
    requester: PersonId | None = fact("Who asked for the operation that is acted upon.", Source.REQUEST)
    acts_on: str | None = fact("Which operation is acted upon, such as rollback.", Source.REQUEST)
    acts_on_risk: Risk | None = fact("How much harm the operation that is acted upon can do.", Source.REQUEST)


def source(field: FieldInfo) -> Source:
    """Where the value of a fact comes from."""
    extra = field.json_schema_extra
    assert isinstance(extra, dict), "every fact is declared with fact()"
    return Source(str(extra["source"]))
