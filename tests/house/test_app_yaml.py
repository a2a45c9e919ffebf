"""app.yaml is what Cloud Run's published schema allows, and keeps what aisq needs to live there."""

import copy
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from ruamel.yaml import YAML

from bot.settings import load

ROOT = Path(__file__).parents[2]
INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}


@cache
def discovery() -> dict[str, Any]:
    """Cloud Run Admin API v1 as Google publishes it, from the copy inside google-api-python-client."""
    text = files("googleapiclient.discovery_cache").joinpath("documents/run.v1.json").read_text()
    return json.loads(text)


def supported(field: dict[str, Any]) -> bool:
    return not field.get("description", "").startswith("Not supported by Cloud Run")


def strict(node: dict[str, Any]) -> dict[str, Any]:
    """A discovery type as JSON Schema that refuses every field that Cloud Run does not know or support."""
    if "$ref" in node:
        return {"$ref": f"#/$defs/{node['$ref']}"}
    schema: dict[str, Any] = {key: node[key] for key in ("type", "enum") if node.get(key, "any") != "any"}
    if node.get("format") == "int32":
        schema |= INT32
    if "items" in node:
        schema["items"] = strict(node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        schema["additionalProperties"] = strict(node["additionalProperties"])
    elif "properties" in node:
        schema["properties"] = {name: strict(f) for name, f in node["properties"].items() if supported(f)}
        schema["additionalProperties"] = False
    return schema


@cache
def validator() -> Draft202012Validator:
    schema = {
        "$ref": "#/$defs/Service",
        "$defs": {name: strict(node) for name, node in discovery()["schemas"].items()},
    }
    return Draft202012Validator(schema)


def complaints(service: object) -> list[str]:
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator().iter_errors(service)]


def annotations_of(kind: str) -> set[str]:
    """The annotations that the document accepts on a "Service" or a "Revision"."""
    text = discovery()["schemas"]["ObjectMeta"]["properties"]["annotations"]["description"]
    rows = re.findall(r"\* `([^`]+)`: ([^*]+)", text)
    return {name for name, kinds in rows if kind in kinds or "All resources" in kinds}


@pytest.fixture
def service() -> dict[str, Any]:
    return YAML(typ="safe").load(ROOT / "app.yaml")


@pytest.fixture
def revision(service: dict[str, Any]) -> dict[str, Any]:
    return service["spec"]["template"]


@pytest.fixture
def container(revision: dict[str, Any]) -> dict[str, Any]:
    return revision["spec"]["containers"][0]


def test_it_is_a_service_by_the_published_schema(service: dict[str, Any]) -> None:
    assert complaints(service) == []
    assert (service["apiVersion"], service["kind"]) == ("serving.knative.dev/v1", "Service")


SPEC = ("spec", "template", "spec")
FIRST = (*SPEC, "containers", 0)

MUTANTS = {
    "a typo in a field": ((*SPEC, "serviceAcountName"), "aisq@p.iam.gserviceaccount.com", "serviceAcountName"),
    "a field of another level": (("spec", "containers"), [], "containers"),
    "a word for a number": ((*SPEC, "timeoutSeconds"), "60", "timeoutSeconds"),
    "a number for a word": (("metadata", "name"), 7, "name"),
    "an annotation without quotes": (("metadata", "annotations", "x"), True, "annotations"),
    "a number past 32 bits": ((*SPEC, "containerConcurrency"), 2**31, "containerConcurrency"),
    "one container for a list": ((*SPEC, "containers"), {"image": "x"}, "containers"),
    "a typo deep inside": ((*FIRST, "startupProbe", "httpGet", "paht"), "/healthz", "paht"),
    "a port that is a word": ((*FIRST, "ports", 0, "containerPort"), "8080", "containerPort"),
    "a CPU that is a number": ((*FIRST, "resources", "limits", "cpu"), 1, "cpu"),
    "Kubernetes only": ((*FIRST, "securityContext"), {"runAsUser": 1}, "securityContext"),
    "a volume that v1 lacks": ((*SPEC, "volumes", 0, "projected"), {}, "projected"),
}


@pytest.mark.parametrize(("path", "value", "named"), MUTANTS.values(), ids=MUTANTS.keys())
def test_the_schema_notices(service: dict[str, Any], path: tuple[Any, ...], value: object, named: str) -> None:
    mutant: Any = copy.deepcopy(service)
    place = mutant
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert any(named in complaint for complaint in complaints(mutant))


def test_every_annotation_is_one_that_cloud_run_accepts_there(
    service: dict[str, Any], revision: dict[str, Any]
) -> None:
    assert set(service["metadata"]["annotations"]) <= annotations_of("Service")
    assert set(revision["metadata"]["annotations"]) <= annotations_of("Revision")


def test_the_list_of_annotations_was_read() -> None:
    assert "run.googleapis.com/cpu-throttling" in annotations_of("Revision") - annotations_of("Service")
    assert "run.googleapis.com/cpu-throtling" not in annotations_of("Revision")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("run.googleapis.com/cpu-throttling", "false"),
        ("run.googleapis.com/startup-cpu-boost", "true"),
        ("autoscaling.knative.dev/minScale", "1"),
    ],
)
def test_work_goes_on_after_the_answer(revision: dict[str, Any], annotation: str, value: str) -> None:
    assert revision["metadata"]["annotations"][annotation] == value


def test_it_runs_as_its_own_account(revision: dict[str, Any]) -> None:
    assert revision["spec"]["serviceAccountName"].startswith("aisq@")


def test_the_probes_ask_the_port_that_is_served(container: dict[str, Any]) -> None:
    port = container["ports"][0]["containerPort"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": port}
        assert container[probe]["timeoutSeconds"] <= container[probe]["periodSeconds"]


def test_no_secret_stands_in_the_environment(container: dict[str, Any]) -> None:
    for variable in container["env"]:
        assert set(variable) == {"name", "value"}
        assert not re.search(r"TOKEN|SECRET$|PASSWORD|DATABASE_URL", variable["name"])


def secret_files(revision: dict[str, Any]) -> dict[str, str]:
    """File name to the directory it is mounted on."""
    mounts = {m["name"]: m["mountPath"] for m in revision["spec"]["containers"][0]["volumeMounts"]}
    return {v["secret"]["items"][0]["path"]: mounts[v["name"]] for v in revision["spec"]["volumes"]}


def test_each_secret_is_a_file_on_a_directory_of_its_own(revision: dict[str, Any], container: dict[str, Any]) -> None:
    mounted = secret_files(revision)
    assert set(mounted) == {"slack__signing_secret", "slack__bot_token", "database_url"}
    assert len(set(mounted.values())) == len(mounted)
    named = next(v["value"] for v in container["env"] if v["name"] == "AISQ_SECRETS_DIR")
    assert named.split(":") == list(mounted.values())


def test_the_bot_finds_every_secret_where_it_is_mounted(
    revision: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, directory in secret_files(revision).items():
        place = tmp_path / directory.lstrip("/")
        place.mkdir(parents=True)
        (place / name).write_text(f"postgresql://{name}")
    for variable in revision["spec"]["containers"][0]["env"]:
        monkeypatch.setenv(variable["name"], variable["value"].replace("/secrets", f"{tmp_path}/secrets"))
    monkeypatch.setenv("K_SERVICE", "aisq")
    settings = load()
    found = (settings.slack.signing_secret, settings.slack.bot_token, settings.database_url)
    assert [secret and secret.get_secret_value() for secret in found] == [
        "postgresql://slack__signing_secret",
        "postgresql://slack__bot_token",
        "postgresql://database_url",
    ]
    assert settings.state_dir == Path("/var/lib/aisq")
    assert settings.database == "postgresql://database_url"


def test_all_traffic_goes_to_the_latest_release(service: dict[str, Any]) -> None:
    assert service["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
