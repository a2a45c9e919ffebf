"""Many operations in a database, copied from one by the database itself: asking for each would take days."""

import time

from sqlalchemy import Connection, Engine, text

BATCH, PLANS = 100_000, 1000  # rows a statement; how many of the newest keep their plan, which is most of a row
LINKS = 6  # of the audit chain that the newest operation gets; all others get one
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
OPERATIONS = """
INSERT INTO operations (id, request, operation, verb, actor, target, created_at, updated_at, state, revision, detail,
  plan, digest, approvals_needed, permitted_by, expires_at, applied_at, cancel_by, doing, judged, judgement, answer)
{numbers}
SELECT {id}, {request}, o.operation,
  CASE WHEN i % 4 = 0 THEN 'answer' ELSE o.verb END, o.actor, o.target, {at}, {at},
  CASE WHEN i % 4 = 0 THEN 'answered' ELSE 'applied' END, o.revision, o.detail,
  CASE WHEN i > :plans THEN o.plan END, o.digest, o.approvals_needed, o.permitted_by, o.expires_at, {at},
  o.cancel_by, o.doing, 'holds', o.judgement, NULL
FROM n, operations o WHERE o.id = :model"""
HEARD = """
INSERT INTO heard (heard_as, signature, operation, at)
{numbers} SELECT 'filled:' || i, 'filled:' || i, {id}, {at} FROM n"""
AUDIT = """
INSERT INTO audit (seq, at, event, operation, actor, body, hash)
{numbers} SELECT 1000000 + i, {at}, a.event, {id}, a.actor, a.body, 'filled' || i
FROM n, audit a WHERE a.seq = (SELECT min(seq) FROM audit WHERE operation = :model)"""
MORE_LINKS = """
INSERT INTO audit (seq, at, event, operation, actor, body, hash)
{numbers} SELECT 9000000 + i, a.at, a.event, a.operation, a.actor, a.body, 'more' || i
FROM n, audit a WHERE a.operation = :newest"""
ID = "CAST(1000000000 + i AS TEXT)"
BY_DIALECT = {
    "sqlite": {
        "at": "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', '+' || i || ' seconds')",
        "request": f"replace(o.request, o.id, {ID})",
    },
    "postgresql": {
        "at": "CAST('2026-01-01' AS timestamptz) + i * interval '1 second'",
        "request": f"CAST(replace(CAST(o.request AS TEXT), o.id, {ID}) AS JSON)",
    },
}


def fill(engine: Engine, model: str, count: int, within_s: float) -> int:
    """Copy the operation `model` so often, no longer than `within_s`; how many were made. All but the plans."""
    deadline, made = time.monotonic() + within_s, 0
    while made < count and time.monotonic() < deadline:
        last = min(made + BATCH, count)
        with engine.begin() as connection:
            for statement in (OPERATIONS, HEARD, AUDIT):
                _run(connection, statement, first=made + 1, last=last, model=model, plans=count - PLANS)
        made = last
    with engine.begin() as connection:
        _run(connection, MORE_LINKS, first=1, last=LINKS - 1, newest=newest(made))
        connection.execute(text("UPDATE audit_ends SET seq = 9999999 WHERE name = 'head'"))
    return made


def newest(made: int) -> str:
    """The id of the last one that was made."""
    return str(1_000_000_000 + made)


def _run(connection: Connection, statement: str, **values: object) -> None:
    spoken = {"numbers": NUMBERS, "id": ID, **BY_DIALECT[connection.dialect.name]}
    wanted = text(statement.format(**spoken))
    connection.execute(wanted, {name: value for name, value in values.items() if f":{name}" in statement + NUMBERS})
