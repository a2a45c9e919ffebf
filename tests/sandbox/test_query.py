"""Google's filter language: what is understood, what is refused, and what stays open."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.query import OPEN, parse
from bot.sandbox.refusal import Refused

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "severity": "ERROR",
    "resource.type": "cloud_run_revision",
    "resource.labels.service_name": "backend",
    "httpRequest.status": 503,
    "httpRequest.requestUrl": "https://backend.example/api/Orders",
    "timestamp": AT,
    "textPayload": 'said "no" (twice)',
}


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("", True),
        ('resource.type="cloud_run_revision"', True),
        ("resource.type = cloud_run_revision", True),
        ('resource.type="CLOUD_RUN_REVISION"', True),  # text is compared without regard to case
        ('resource.type="cloud_run_job"', False),
        ('resource.labels.service_name!="backend"', False),
        ('resource.labels.job_name!="x"', False),  # a field that is not there compares with nothing
        ('NOT resource.labels.job_name="x"', True),
        ('-resource.labels.service_name="backend"', False),
        ("severity>=ERROR", True),
        ("severity>=critical", False),
        ("severity=ERROR", True),
        ("severity<WARNING", False),
        ("httpRequest.status>=500", True),
        ("httpRequest.status<=502", False),
        ("httpRequest.status>502 httpRequest.status<504", True),
        ('timestamp>="2026-11-20T12:00:00Z"', True),
        ('timestamp>"2026-11-20T12:00:00Z"', False),
        ('timestamp<"2026-11-20T13:00:00+01:00"', False),
        ('timestamp<="2026-11-20T12:00:00"', True),
        ('httpRequest.requestUrl:"/api/orders"', True),
        ('httpRequest.requestUrl:"/api/users"', False),
        ('"api/orders"', True),  # anywhere
        ("twice", True),
        ('"thrice"', False),
        (r'"said \"no\""', True),
        ('resource.labels.service_name=("frontend" OR "backend")', True),
        ('resource.labels.service_name=("frontend" OR "worker")', False),
        ('severity=ERROR AND (httpRequest.status=500 OR httpRequest.status=503)', True),
        ('severity=INFO OR severity=ERROR AND httpRequest.status=500', False),  # OR binds tighter
        ('severity=INFO OR (severity=ERROR AND httpRequest.status=503)', True),
        ('severity=ERROR\nhttpRequest.status=503', True),
        ('severity=ERROR -- of all\n httpRequest.status=500', False),
        ("NOT (severity=INFO OR severity=WARNING)", True),
        ("NOT severity=INFO severity=ERROR", True),
    ],
)  # fmt: skip
def test_filters(text: str, accepts: bool) -> None:
    assert parse(text).accepts(ENTRY) is accepts


@pytest.mark.parametrize(
    "text",
    [
        "severity>=",
        '(severity="ERROR"',
        'severity="ERROR")',
        'textPayload=~"a.*b"',
        'textPayload!~"a"',
        "NOT",
        'x=("a" OR "b"',
        'timestamp>"yesterday"',
        '"unclosed',
        "= 3",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="Unparseable filter") as refused:
        parse(text)
    assert refused.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize("text", ["severity>=LOUD", "httpRequest.status>many"])
def test_a_value_of_another_kind_is_refused_when_it_is_compared(text: str) -> None:
    with pytest.raises(Refused, match="cannot be compared with"):
        parse(text).accepts(ENTRY)


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("severity=ERROR httpRequest.status=500", True),
        ("severity=INFO httpRequest.status=500", False),
        ("severity=INFO OR httpRequest.status=500", True),
        ("NOT httpRequest.status=500", True),
        ("NOT severity=ERROR", False),
        ('"anything at all"', True),
        ("severity=ERROR", True),
    ],
)
def test_what_is_known_in_part_may_still_be_accepted(text: str, may: bool) -> None:
    known = {"severity": "ERROR", "httpRequest.status": OPEN}
    assert parse(text).may_accept(known) is may
    assert parse(text).accepts(known) is (text == "severity=ERROR")


def test_instants_between_which_nothing_changes() -> None:
    later = datetime(2026, 11, 20, 13, tzinfo=UTC)
    text = 'timestamp>="2026-11-20T12:00:00Z" AND NOT (timestamp>"2026-11-20T13:00:00Z" OR severity=INFO)'
    assert parse(text).instants == {AT, later}
    assert parse("severity=INFO").instants == set()
