"""Secret Manager through Google's client: which versions exist and are enabled; never a payload."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions as gx
from google.cloud import secretmanager_v1 as sm

from bot.sandbox.blueprint import Secret
from bot.sandbox.secret_manager import Vault
from tests.sandbox.harness import Cloud

DB, NUMBERED = "projects/shop/secrets/db", "projects/4711/secrets/db"
STATES = sm.SecretVersion.State


@pytest.mark.parametrize(("version", "state"), [("1", STATES.DESTROYED), ("2", STATES.DISABLED), ("3", STATES.ENABLED)])
def test_states(cloud: Cloud, version: str, state: Any) -> None:
    found = cloud.secrets.get_secret_version(name=f"{DB}/versions/{version}")
    assert found.state == state
    assert bool(found.destroy_time) == (state == STATES.DESTROYED)


def test_answers_name_the_project_by_its_number(cloud: Cloud) -> None:
    for asked in (DB, NUMBERED):
        assert cloud.secrets.get_secret_version(name=f"{asked}/versions/3").name == f"{NUMBERED}/versions/3"
        assert cloud.secrets.get_secret(name=asked).name == NUMBERED


def test_latest_is_the_newest_version(cloud: Cloud) -> None:
    assert cloud.secrets.get_secret_version(name=f"{DB}/versions/latest").name == f"{NUMBERED}/versions/3"


def test_versions_come_newest_first_and_in_pages(cloud: Cloud) -> None:
    pages = list(cloud.secrets.list_secret_versions(request={"parent": DB, "page_size": 2}).pages)
    assert [[one.name.rpartition("/")[2] for one in page.versions] for page in pages] == [["3", "2"], ["1"]]
    assert pages[0].total_size == 3


@pytest.mark.parametrize(("text", "count"), [("state:ENABLED", 1), ("state=destroyed", 1), ("state:DISABLED", 1)])
def test_versions_can_be_filtered_by_state(cloud: Cloud, text: str, count: int) -> None:
    assert len(list(cloud.secrets.list_secret_versions(request={"parent": DB, "filter": text}))) == count


def test_secrets_of_a_project(cloud: Cloud) -> None:
    assert [one.name for one in cloud.secrets.list_secrets(parent="projects/shop")] == [
        NUMBERED,
        "projects/4711/secrets/key",
    ]
    assert not list(cloud.secrets.list_secrets(parent="projects/other"))


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (
            lambda s: s.get_secret(name="projects/shop/secrets/no"),
            "Secret [projects/4711/secrets/no] not found or has no versions.",
        ),
        (lambda s: s.get_secret_version(name=f"{DB}/versions/9"), f"Secret Version [{NUMBERED}/versions/9] not found."),
        (
            lambda s: list(s.list_secret_versions(parent="projects/shop/secrets/no")),
            "Secret [projects/4711/secrets/no] not found or has no versions.",
        ),
    ],
)
def test_what_is_not_there(cloud: Cloud, read: Any, message: str) -> None:
    with pytest.raises(gx.NotFound) as refused:
        read(cloud.secrets)
    assert refused.value.message == message


@pytest.mark.parametrize(
    "read",
    [
        lambda s: s.get_secret(name="projects/shop/things/no"),
        lambda s: s.get_secret(name="nonsense"),
        lambda s: list(s.list_secrets(request={"parent": "projects/shop", "filter": "labels.a=b"})),
        lambda s: list(s.list_secret_versions(request={"parent": DB, "filter": "create_time>1"})),
    ],
)
def test_what_is_refused(cloud: Cloud, read: Any) -> None:
    with pytest.raises(gx.InvalidArgument):
        read(cloud.secrets)


def test_payloads_are_never_given_out(cloud: Cloud) -> None:
    with pytest.raises(gx.PermissionDenied) as refused:
        cloud.secrets.access_secret_version(name=f"{DB}/versions/3")
    assert refused.value.message == (
        f"Permission 'secretmanager.versions.access' denied for resource '{DB}/versions/3' (or it may not exist)."
    )
    assert refused.value.reason == "IAM_PERMISSION_DENIED"
    assert refused.value.metadata["permission"] == "secretmanager.versions.access"


def test_the_etag_moves_with_the_state(cloud: Cloud) -> None:
    before = cloud.secrets.get_secret_version(name=f"{DB}/versions/3").etag
    with cloud.world.settled() as now:
        cloud.world.vault.set_state("shop", "db", "3", "DISABLED", now)
    assert cloud.secrets.get_secret_version(name=f"{DB}/versions/3").etag != before


def test_a_release_whose_secret_was_disabled_cannot_come_back(cloud: Cloud) -> None:
    with cloud.world.settled() as now:
        cloud.world.vault.set_state("shop", "db", "3", "DISABLED", now)
    operation = cloud.route({"web-00001-abe": 100})
    cloud.settle()
    with pytest.raises(gx.FailedPrecondition, match="is in DISABLED state"):
        operation.result()
    assert cloud.truth.split == {"web-00003-cid": 100}


NOW = datetime(2026, 9, 21, tzinfo=UTC)


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.add("p", "s", Secret.model_validate({"versions": ["DESTROYED", "ENABLED"], "age": "10d"}), NOW)
    return vault


def test_versions_are_ninety_days_apart(vault: Vault) -> None:
    first, second = vault.secrets["p", "s"].versions
    assert second.created == NOW - timedelta(days=10)
    assert second.created - first.created == timedelta(days=90)
    assert first.destroyed == NOW - timedelta(days=10)


def test_states_can_change_but_not_back_from_destroyed(vault: Vault) -> None:
    assert vault.set_state("p", "s", "2", "DISABLED", NOW).state == "DISABLED"
    assert vault.set_state("p", "s", "2", "ENABLED", NOW).destroyed is None
    assert vault.set_state("p", "s", "latest", "DESTROYED", NOW).destroyed == NOW
    with pytest.raises(ValueError, match="cannot be undone"):
        vault.set_state("p", "s", "2", "ENABLED", NOW)
    with pytest.raises(KeyError, match="no secret s with a version 7"):
        vault.set_state("p", "s", "7", "ENABLED", NOW)


@pytest.mark.parametrize(
    ("secret", "version", "complaint"),
    [
        ("s", "2", ""),
        ("s", "latest", ""),
        ("s", "1", "Secret Version [projects/p/secrets/s/versions/1] is in DESTROYED state."),
        ("s", "3", "Secret [projects/p/secrets/s] not found or has no versions."),
        ("t", "latest", "Secret [projects/p/secrets/t] not found or has no versions."),
    ],
)
def test_complaints(vault: Vault, secret: str, version: str, complaint: str) -> None:
    assert vault.complaint("p", secret, version) == complaint
