"""google.cloud.secretmanager.v1.SecretManagerService: which versions exist and are enabled. Payloads are refused."""

import hashlib
from collections.abc import Callable
from typing import Any

from google.cloud import secretmanager_v1 as sm

from bot.sandbox.method import Api, Method
from bot.sandbox.paging import page
from bot.sandbox.refusal import Refused, denied, invalid
from bot.sandbox.secret_manager import Secret, Vault, Version
from bot.sandbox.world import World

_STATES = {
    "ENABLED": sm.SecretVersion.State.ENABLED,
    "DISABLED": sm.SecretVersion.State.DISABLED,
    "DESTROYED": sm.SecretVersion.State.DESTROYED,
}
_MOST = 25_000  # "If the number is greater than 25000, it is capped at 25000"


def api(world: World) -> Api:
    reads = _Reads(world.vault)
    table: list[tuple[str, Any, Any, Callable[[Any], Any], str]] = [
        ("GetSecret", sm.GetSecretRequest, sm.Secret, reads.secret, "secrets.get"),
        ("ListSecrets", sm.ListSecretsRequest, sm.ListSecretsResponse, reads.secrets, "secrets.list"),
        ("GetSecretVersion", sm.GetSecretVersionRequest, sm.SecretVersion, reads.version, "versions.get"),
        (
            "ListSecretVersions",
            sm.ListSecretVersionsRequest,
            sm.ListSecretVersionsResponse,
            reads.versions,
            "versions.list",
        ),
        (
            "AccessSecretVersion",
            sm.AccessSecretVersionRequest,
            sm.AccessSecretVersionResponse,
            _never,
            "versions.access",
        ),
    ]
    methods = {
        name: Method(request, response, answer, _resource, _field(name), f"secretmanager.{needed}")
        for name, request, response, answer, needed in table
    }
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    return Api(service, "secretmanager.googleapis.com", methods, permission)


def permission(needed: str, resource: str) -> Refused:
    return denied(f"Permission '{needed}' denied for resource '{resource}' (or it may not exist).", needed, resource)


def _never(request: sm.AccessSecretVersionRequest) -> sm.AccessSecretVersionResponse:
    """Whoever works on this cloud has no business with payloads."""
    raise permission("secretmanager.versions.access", request.name)


class _Reads:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def secret(self, request: sm.GetSecretRequest) -> sm.Secret:
        project, name = self._ids(request.name)
        return self._shown(project, name, self._found(project, name))

    def secrets(self, request: sm.ListSecretsRequest) -> sm.ListSecretsResponse:
        _unfiltered(request)
        project = self._project(request.parent)
        found = [self._shown(*key, secret) for key, secret in self._vault.secrets.items() if key[0] == project]
        shown, token = page(found, request.page_size, request.page_token, _MOST)
        return sm.ListSecretsResponse(secrets=shown, next_page_token=token, total_size=len(found))

    def version(self, request: sm.GetSecretVersionRequest) -> sm.SecretVersion:
        project, name = self._ids(request.name)
        number = request.name.rpartition("/")[2]
        self._found(project, name)
        if version := self._vault.find(project, name, number):
            return self._version(project, name, version)
        raise Refused("NOT_FOUND", f"Secret Version [{self._name(project, name)}/versions/{number}] not found.")

    def versions(self, request: sm.ListSecretVersionsRequest) -> sm.ListSecretVersionsResponse:
        """Newest first. The filter may be state:ENABLED (or DISABLED, DESTROYED)."""
        project, name = self._ids(request.parent)
        found = [self._version(project, name, version) for version in reversed(self._found(project, name).versions)]
        if request.filter:
            found = [version for version in found if version.state.name == _state(request.filter)]
        shown, token = page(found, request.page_size, request.page_token, _MOST)
        total = 0 if request.filter else len(found)
        return sm.ListSecretVersionsResponse(versions=shown, next_page_token=token, total_size=total)

    def _found(self, project: str, name: str) -> Secret:
        if secret := self._vault.secrets.get((project, name)):
            return secret
        raise Refused("NOT_FOUND", f"Secret [{self._name(project, name)}] not found or has no versions.")

    def _ids(self, name: str) -> tuple[str, str]:
        parts = name.split("/")
        if len(parts) < 4 or parts[0::2][:2] != ["projects", "secrets"]:
            raise invalid("name", "The provided resource name is not a valid secret or secret version name.")
        return self._project(name), parts[3]

    def _project(self, name: str) -> str:
        asked = name.split("/")[1]
        return next((project for project, number in self._vault.numbers.items() if str(number) == asked), asked)

    def _name(self, project: str, secret: str) -> str:
        """Answers name the project by its number, whatever the request did."""
        return f"projects/{self._vault.numbers.get(project, project)}/secrets/{secret}"

    def _shown(self, project: str, name: str, secret: Secret) -> sm.Secret:
        automatic = sm.Replication(automatic=sm.Replication.Automatic())
        full = self._name(project, name)
        return sm.Secret(name=full, replication=automatic, create_time=secret.created, etag=_etag(full))

    def _version(self, project: str, name: str, version: Version) -> sm.SecretVersion:
        full = f"{self._name(project, name)}/versions/{version.number}"
        return sm.SecretVersion(
            name=full,
            create_time=version.created,
            destroy_time=version.destroyed,
            state=_STATES[version.state],
            etag=_etag(full + version.state),
            replication_status=sm.ReplicationStatus(automatic=sm.ReplicationStatus.AutomaticStatus()),
        )


def _resource(request: Any) -> str:
    return str(getattr(request, "name", "") or getattr(request, "parent", ""))


def _field(method: str) -> str:
    return "parent" if method.startswith("List") else "name"


def _unfiltered(request: sm.ListSecretsRequest) -> None:
    if request.filter:
        raise invalid("filter", "The sandbox does not filter secrets.")


def _state(text: str) -> str:
    key, _, value = text.replace("=", ":").partition(":")
    if key.strip() != "state":
        raise invalid("filter", f"The sandbox does not filter secret versions by {text}.")
    return value.strip().upper()


def _etag(content: str) -> str:
    return f'"{hashlib.sha256(content.encode()).hexdigest()[:14]}"'
