"""Systems, environments, entries and the promises that are looked up for a target."""

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from bot.core.catalog import ROLLBACK, SLO, Catalog
from bot.core.compute import CloudRun, Compute
from bot.core.errors import UserError
from bot.core.estate import System
from bot.core.promises import Latency, RollbackRule, Slo

RUN = {"type": "cloud_run", "instances": {"min": 1, "max": 3}}
SQL = {"type": "cloud_sql", "engine": "postgres", "version": "15", "machine_type": "db-f1-micro", "disk": {"gb": 10}}
ENTRIES: dict[str, dict[str, Any]] = {
    "cloud_run": RUN,
    "github_pages": {"type": "github_pages"},
    "gke": {"type": "gke", "cluster": "main", "replicas": 2, "namespace": "web"},
    "gce": {"type": "gce", "zone": "us-central1-a", "machine_type": "e2-medium"},
    "ecs_fargate": {"type": "ecs_fargate", "cluster": "main", "instances": {"min": 2, "max": 10}},
    "cloud_sql": SQL,
    "memorystore": {"type": "memorystore", "version": "7.0", "size_gb": 1, "service_tier": "basic"},
    "redis": {"type": "redis", "version": "7.2", "size_gb": 1},
    "gcs": {"type": "gcs"},
    "bigquery": {"type": "bigquery"},
    "disks": {"type": "disks", "snapshots": {"every": "1d", "keep_last": 7}},
    "gke_cluster": {"type": "gke_cluster", "machine_type": "n2-standard-4"},
    "load_balancer": {"type": "load_balancer"},
    "alb": {"type": "alb"},
    "cloudflare": {"type": "cloudflare"},
    "kong": {"type": "kong"},
    "vertex": {"type": "vertex"},
    "azure_openai": {"type": "azure_openai", "endpoint": "https://a.example", "deployment": "gpt"},
    "nomad": {"type": "nomad", "kind": "service", "cloud": "hashicorp", "place": {"job": "web"}},
    "queue": {"type": "sqs", "kind": "queue", "cloud": "aws", "place": {"url": "u"}},
}
PLACES = {
    "cloud_run": ("service", "gcp", {"project": "p", "region": "r", "service": "x"}),
    "github_pages": ("service", "github", {"repository": "x"}),
    "gke": (
        "service",
        "gcp",
        {"project": "p", "region": "r", "cluster": "main", "namespace": "web", "deployment": "x"},
    ),
    "gce": ("service", "gcp", {"project": "p", "zone": "us-central1-a", "instance": "x"}),
    "ecs_fargate": ("service", "aws", {"account": "p", "region": "r", "cluster": "main", "service": "x"}),
    "cloud_sql": ("database", "gcp", {"project": "p", "region": "r", "instance": "x"}),
    "memorystore": ("cache", "gcp", {"project": "p", "region": "r", "instance": "x"}),
    "redis": ("cache", "gcp", {"project": "p", "region": "r", "instance": "x"}),
    "gcs": ("storage", "gcp", {"project": "p", "bucket": "x"}),
    "bigquery": ("warehouse", "gcp", {"project": "p", "dataset": "x"}),
    "disks": ("disk", "gcp", {"project": "p", "region": "r"}),
    "gke_cluster": ("cluster", "gcp", {"project": "p", "region": "r", "cluster": "x"}),
    "load_balancer": ("edge", "gcp", {"project": "p", "backend_service": "x"}),
    "alb": ("edge", "aws", {"account": "p", "region": "r", "load_balancer": "x"}),
    "cloudflare": ("edge", "cloudflare", {"zone": "x"}),
    "kong": ("edge", "gcp", {"project": "p", "region": "r", "instance": "x"}),
    "vertex": ("ai", "gcp", {"project": "p", "region": "r", "instance": "x"}),
    "azure_openai": ("ai", "azure", {"endpoint": "https://a.example", "deployment": "gpt"}),
    "nomad": ("service", "hashicorp", {"project": "p", "region": "r", "resource": "x", "job": "web"}),
    "queue": ("queue", "aws", {"project": "p", "region": "r", "resource": "x", "url": "u"}),
}


def shop(**environments: dict[str, Any]) -> dict[str, Any]:
    """A system as its file would have it."""
    prod = {"stage": "prod", "project": "p", "region": "r", "services": {"web": RUN}}
    named = {name: {**prod, **fields} for name, fields in (environments or {"prod": {}}).items()}
    return deepcopy({"system": "shop", "title": "Shop", "owner": "us", "environments": named})


def catalog(system: dict[str, Any]) -> Catalog:
    return Catalog(systems={system["system"]: System.model_validate(system)})


def faults(system: dict[str, Any]) -> list[tuple[str, str]]:
    """Where and what, without the parts that name a model."""
    with pytest.raises(ValidationError) as caught:
        System.model_validate(system)
    return [(".".join(str(part) for part in one["loc"]), one["msg"]) for one in caught.value.errors()]


@pytest.mark.parametrize("type_", ENTRIES)
def test_every_type_says_what_it_is_whose_and_where(type_: str) -> None:
    services = {"x": ENTRIES[type_]}
    if type_ == "gke":
        services["main"] = ENTRIES["gke_cluster"]
    target = catalog(shop(prod={"services": services})).target("shop", "prod", "x")
    assert (target.kind, target.cloud, target.place) == PLACES[type_]
    assert target.type == ENTRIES[type_]["type"]
    assert target.full_name == "shop/prod/x"


@pytest.mark.parametrize("type_", ENTRIES)
def test_resource_project_and_region_of_an_entry_go_before_the_environments(type_: str) -> None:
    entry = {**ENTRIES[type_], "resource": "other", "project": "q", "region": "s"}
    services = {"x": entry, "main": ENTRIES["gke_cluster"]}
    place = catalog(shop(prod={"services": services})).target("shop", "prod", "x").place
    swapped = {"p": "q", "r": "s", "x": "other"}
    assert place == {key: swapped.get(value, value) for key, value in PLACES[type_][2].items()}


def test_an_account_stands_where_there_is_no_project() -> None:
    aws = {"project": "", "account": "000000000000", "services": {"x": ENTRIES["ecs_fargate"]}}
    assert catalog(shop(aws=aws)).target("shop", "aws", "x").place["account"] == "000000000000"


def test_targets_come_in_the_order_of_the_file() -> None:
    whole = catalog(shop(prod={"services": {"web": RUN, "db": SQL}}, dev={"stage": "dev"}))
    assert [str(target) for target in whole.targets()] == ["shop/prod/web", "shop/prod/db", "shop/dev/web"]
    assert whole.targets() is not None and whole.targets()[0] is whole.target("shop", "prod", "web")


def test_an_entry_is_its_types_model() -> None:
    whole = catalog(shop())
    target = whole.target("shop", "prod", "web")
    entry = whole.entry(target)
    assert isinstance(entry, CloudRun) and entry.instances.max == 3
    assert whole.environment(target).stage == "prod" and whole.system(target).title == "Shop"


@pytest.mark.parametrize(
    ("type_", "more", "bounds"),
    [
        ("cloud_run", {}, (1, 3)),
        ("ecs_fargate", {}, (2, 10)),
        ("gke", {}, None),
        ("gke", {"autoscaler": {"resource": "h", "scales": "x", "min": 3, "max": 9}}, (3, 9)),
        ("gce", {}, None),
    ],
)
def test_bounds_are_what_an_autoscaler_may_choose_from(type_: str, more: dict[str, Any], bounds: object) -> None:
    services = {"x": {**ENTRIES[type_], **more}, "main": ENTRIES["gke_cluster"]}
    whole = catalog(shop(prod={"services": services}))
    entry = whole.entry(whole.target("shop", "prod", "x"))
    assert isinstance(entry, Compute)
    assert (entry.bounds and (entry.bounds.min, entry.bounds.max)) == bounds


def test_what_the_catalog_does_not_have_is_said_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"has no shop/prod/wbe; did you mean `shop/prod/web`\?"):
        catalog(shop()).target("shop", "prod", "wbe")
    gone = catalog(shop(prod={"services": {"old": RUN}})).target("shop", "prod", "old")
    with pytest.raises(UserError, match="has no shop/prod/old"):
        catalog(shop()).entry(gone)


PROMISES: list[tuple[str, dict[str, Any], str]] = [
    ("slo", {"objective_pct": 99.9}, "slo"),
    ("rollback", {"min_requests": 7}, "rollback"),
    ("delivery", {"strategy": "canary"}, "delivery"),
]


@pytest.mark.parametrize(("field", "value", "method"), PROMISES)
@pytest.mark.parametrize("level", ["service", "environment", "system"])
def test_the_nearest_promise_counts(field: str, value: dict[str, Any], method: str, level: str) -> None:
    others = {"slo": {"objective_pct": 90}, "rollback": {"min_requests": 1}, "delivery": {"strategy": "rolling"}}
    system = shop()
    owners = {
        "system": system,
        "environment": system["environments"]["prod"],
        "service": system["environments"]["prod"]["services"]["web"],
    }
    farther = list(owners)[: list(owners).index(level)]
    for name in farther:
        owners[name][field] = others[field]
    owners[level][field] = value
    whole = catalog(system)
    found = getattr(whole, method)(whole.target("shop", "prod", "web")).model_dump(mode="json")
    assert {key: found[key] for key in value} == value


def test_without_any_promise_there_are_defaults_or_nothing() -> None:
    whole = catalog(shop())
    target = whole.target("shop", "prod", "web")
    assert whole.slo(target) == SLO and whole.rollback(target) == ROLLBACK
    assert RollbackRule(min_requests=500, max_age=timedelta(days=30)) == ROLLBACK
    assert whole.delivery(target) is whole.recovery(target) is whole.maintenance(target) is None


def test_a_database_has_its_environments_recovery_and_its_own_window() -> None:
    window = {"day": "sunday", "start": "05:00", "end": "06:00"}
    prod = {"recovery": {"rto": "1h", "rpo": "5m"}, "services": {"db": {**SQL, "maintenance": window}}}
    whole = catalog(shop(prod=prod))
    target = whole.target("shop", "prod", "db")
    recovery, found = whole.recovery(target), whole.maintenance(target)
    assert recovery and recovery.rpo == timedelta(minutes=5)
    assert found and found.day == "sunday"


def test_an_slo_says_how_many_requests_may_fail() -> None:
    slo = Slo(objective_pct=99.9, latency=(Latency(percentile=95, below_ms=500),))
    assert slo.error_ratio == pytest.approx(0.001)
    assert slo.latency[0].below_ms == 500 and slo.window == timedelta(days=30)


def test_a_group_is_its_members() -> None:
    prod = {"services": {"web": RUN, "api": RUN}, "groups": {"app": ["api", "web"]}}
    whole = catalog(shop(prod=prod))
    assert [str(one) for one in whole.group("shop", "prod", "app")] == ["shop/prod/api", "shop/prod/web"]
    assert whole.group("shop", "prod", "none") == ()


CASES = YAML(typ="safe").load(Path(__file__).with_name("catalog_faults.yaml"))


def ids(case: dict[str, str]) -> str:
    return case["where"]


@pytest.mark.parametrize("case", CASES["in an environment"], ids=ids)
def test_what_is_wrong_in_an_environment_is_refused_at_its_place(case: dict[str, Any]) -> None:
    assert faults(shop(prod=case["fields"])) == [(f"environments.prod.{case['where']}", case["says"])]


@pytest.mark.parametrize("case", CASES["in a system"], ids=ids)
def test_what_is_wrong_in_a_system_is_refused_at_its_place(case: dict[str, Any]) -> None:
    assert faults({**shop(), **case["fields"]}) == [(case["where"], case["says"])]


def test_all_that_is_wrong_is_said_at_once() -> None:
    prod = {"services": {"web": {**RUN, "needs": ["a", "b"], "cdn": "c"}}, "groups": {"g": ["d"]}}
    assert [says for _, says in faults(shop(prod=prod))] == [
        "no service `a`", "no service `b`", "no edge `c`", "no service with releases `d`",
    ]  # fmt: skip


def test_what_is_borrowed_may_be_needed_and_warmed_from() -> None:
    lent = {"services": {"db": SQL}}
    warm = {"users": {"key": "u", "ttl": "1h", "database": "db", "query": "q"}}
    cache = {**ENTRIES["memorystore"], "warm": warm}
    using = {"services": {"web": {**RUN, "needs": ["db"]}, "cache": cache}, "borrows": {"db": "prod"}}
    assert System.model_validate(shop(prod=lent, green=using)).environments["green"].borrows == {"db": "prod"}


def test_a_window_covers_its_start_and_not_its_end() -> None:
    window = System.model_validate(
        {**shop(), "maintenance": {"day": "sunday", "start": "03:00", "end": "04:00"}}
    ).maintenance
    assert window and [window.covers(time) for time in ("02:59", "03:00", "03:59", "04:00")] == [
        False,
        True,
        True,
        False,
    ]


def test_a_loaded_system_is_read_again_unchanged() -> None:
    system = System.model_validate(shop(prod={"services": {"web": RUN, "n": ENTRIES["nomad"], "q": ENTRIES["queue"]}}))
    assert System.model_validate(system) is system
    assert System.model_validate({**system.model_dump(), "environments": system.environments}) == system
    again = System.model_validate_json(system.model_dump_json(by_alias=True), strict=True)
    assert again == system


@pytest.mark.parametrize("entry", ["text", None, 3, {}, {"type": "cloud_rnu"}, {"type": "nomad", "kind": "service"}])
def test_an_entry_of_no_known_type_is_refused(entry: object) -> None:
    assert [where for where, _ in faults(shop(prod={"services": {"x": entry}}))] == ["environments.prod.services.x"]


def test_kind_cloud_and_place_are_for_types_of_ones_own() -> None:
    found = faults(shop(prod={"services": {"x": {**RUN, "kind": "database"}}}))
    assert found == [("environments.prod.services.x.cloud_run.kind", "Extra inputs are not permitted")]


def own(type: str) -> dict[str, object]:
    return {"services": {"x": {**ENTRIES["nomad"], "type": type}}}


@pytest.mark.parametrize("type", ["nomad", "paper_cloud", "k8s", "azure_container_apps_2"])
def test_a_type_of_ones_own_is_named_like_its_file(type: str) -> None:
    made = System.model_validate(shop(prod=own(type)))
    assert made.environments["prod"].services["x"].type == type


@pytest.mark.parametrize("type", ["paper-cloud", "PaperCloud", "paper cloud", "_paper", "2nd", ""])
def test_a_type_that_can_be_no_file_is_refused(type: str) -> None:
    ((where, said),) = faults(shop(prod=own(type)))
    assert where.startswith("environments.prod.services.x.") and where.endswith(".type")
    assert said.endswith("write the name of the provider's file: small letters, digits and _")
