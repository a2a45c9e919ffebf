"""The filter language of time series: what is understood, and that the rest is refused."""

import pytest

from bot.sandbox.monitoring.filters import parse
from bot.sandbox.refusal import Refused

TYPE = 'metric.type = "run.googleapis.com/request_count"'
COUNT = {"metric.type": {"run.googleapis.com/request_count"}}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (TYPE, {}),
        (TYPE.replace(" ", ""), {}),
        (f"  {TYPE}  ", {}),
        (f'{TYPE} AND resource.type = "cloud_run_revision"', {"resource.type": {"cloud_run_revision"}}),
        (f'{TYPE} resource.type = "cloud_run_revision"', {"resource.type": {"cloud_run_revision"}}),
        (f'{TYPE} AND resource.labels.service_name="a"', {"resource.labels.service_name": {"a"}}),
        (f'{TYPE} AND resource.label.service_name="a"', {"resource.labels.service_name": {"a"}}),
        (f'{TYPE} AND metric.label.response_code="500"', {"metric.labels.response_code": {"500"}}),
        (
            f'{TYPE} AND (resource.labels.revision_name = "a" OR resource.labels.revision_name = "b")',
            {"resource.labels.revision_name": {"a", "b"}},
        ),
        (
            f'{TYPE} AND resource.labels.revision_name = "a" OR resource.labels.revision_name = "b"',
            {"resource.labels.revision_name": {"a", "b"}},
        ),
        (
            f'{TYPE} AND metric.labels.response_code_class = one_of("4xx", "5xx")',
            {"metric.labels.response_code_class": {"4xx", "5xx"}},
        ),
        (f'({TYPE}) AND ((resource.labels.location = "l"))', {"resource.labels.location": {"l"}}),
        (f'{TYPE} resource.labels.service_name = "a\\"b"', {"resource.labels.service_name": {'a"b'}}),
        (
            f'{TYPE} resource.labels.service_name = "a" AND resource.labels.service_name = "b"',
            {"resource.labels.service_name": set()},
        ),
    ],
)
def test_understood(text: str, allowed: dict[str, set[str]]) -> None:
    assert parse(text).allowed == COUNT | allowed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "exactly one metric type"),
        ('resource.labels.service_name = "a"', "exactly one metric type"),
        ('metric.type = one_of("a", "b")', "exactly one metric type"),
        (f'{TYPE} AND NOT resource.labels.service_name = "a"', "NOT is not"),
        (f'{TYPE} AND resource.labels.service_name != "a"', "= is needed, not !="),
        (f'{TYPE} AND resource.labels.service_name : "a"', "= is needed, not :"),
        (f"{TYPE} AND resource.labels.service_name = a", "double quotes"),
        (f'{TYPE} AND resource.labels.service_name = starts_with("a")', "double quotes"),
        (f'{TYPE} AND resource.labels.service_name = "a" OR resource.labels.location = "l"', "OR of different labels"),
        (f"{TYPE} AND (", "ends too early"),
        (f"{TYPE} AND resource.labels.service_name =", "ends too early"),
        (f'{TYPE} AND (resource.labels.service_name = "a"', "ends too early"),
        (f'{TYPE} AND metric.labels.response_code = one_of("a" "b")', ") is needed"),
        (f'{TYPE} AND project = "p"', "project is not"),
        (f'{TYPE} AND group.id = "p"', "group.id is not"),
        (f"{TYPE} AND ;", "unexpected ;"),
        (f'{TYPE} AND "unfinished', 'unexpected "'),
        (f'{TYPE} AND resource.labels.zone = "z"', "valid combination of metric and monitored resource"),
        (f'{TYPE} AND metric.labels.state = "z"', "valid combination of metric and monitored resource"),
    ],
)
def test_refused(text: str, complaint: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert complaint in refused.value.message


def test_a_filter_accepts_by_every_label_that_it_names() -> None:
    asked = parse(
        f'{TYPE} AND resource.labels.service_name = "a" AND metric.labels.response_code = one_of("200", "500")'
    )
    labels = {"metric.type": "run.googleapis.com/request_count", "resource.labels.service_name": "a"}
    assert asked.accepts(labels | {"metric.labels.response_code": "500"})
    assert not asked.accepts(labels | {"metric.labels.response_code": "404"})
    assert not asked.accepts(labels)


def test_the_only_value_of_a_label() -> None:
    asked = parse(f'{TYPE} AND resource.labels.location = one_of("a", "b") AND resource.labels.service_name = "s"')
    assert asked.one("resource.labels.service_name") == "s"
    assert asked.one("resource.labels.location") == ""
    assert asked.one("resource.labels.project_id") == ""
