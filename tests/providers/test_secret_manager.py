"""States of the sandbox's secrets; their payload is nobody's business here."""

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import secretmanager_v1

from bot.core.errors import CloudError, Forbidden, NotFound, Permanent, Transient
from bot.core.ports import SecretUse
from bot.core.request import Target
from bot.providers._google import Google
from bot.providers.secret_manager import SecretManager
from bot.sandbox.process import SandboxProcess


@pytest.fixture
def secrets(google: Google) -> SecretManager:
    return SecretManager(google)


@pytest.mark.parametrize(
    ("secret", "version", "state"),
    [
        ("token", "1", "destroyed"),
        ("token", "2", "disabled"),
        ("token", "3", "enabled"),
        ("token", "latest", "enabled"),
        ("token", "", "enabled"),
        ("stale", "latest", "disabled"),  # the newest decides, although version 1 is enabled
        ("stale", "1", "enabled"),
        ("projects/pool/secrets/token", "3", "enabled"),
        ("projects/123456789012/secrets/token", "3", "enabled"),
    ],
)
def test_states(
    secrets: SecretManager, target_of: Callable[[str], Target], secret: str, version: str, state: str
) -> None:
    assert secrets.secret_state(target_of("web"), SecretUse(secret=secret, version=version)) == state


@pytest.mark.parametrize(
    ("secret", "version"),
    [("token", "4"), ("token", "0"), ("nosuch", "1"), ("nosuch", "latest"), ("projects/pool/secrets/nosuch", "1")],
)
def test_what_does_not_exist(
    secrets: SecretManager, target_of: Callable[[str], Target], secret: str, version: str
) -> None:
    with pytest.raises(NotFound, match=f"could not read the state of version {version} of secret {secret}"):
        secrets.secret_state(target_of("web"), SecretUse(secret=secret, version=version))


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ({"code": "PERMISSION_DENIED"}, Forbidden, "secretmanager.versions.get"),
        ({"code": "UNAVAILABLE"}, Transient, "could not be reached"),
        ({"code": "DEADLINE_EXCEEDED", "seconds": 2}, Transient, "no answer came in time"),
        ({"code": "RESOURCE_EXHAUSTED"}, Transient, "quota"),
        ({"code": "FAILED_PRECONDITION"}, Permanent, "could not read the state of"),
    ],
)
def test_faults(rig: Any, fault: dict[str, Any], kind: type[CloudError], words: str) -> None:
    rig.control.fault("error", method="GetSecretVersion", **fault)
    secrets = SecretManager(rig.google(read_timeout_s=0.5))
    with pytest.raises(kind, match=words) as caught:
        secrets.secret_state(rig.target, SecretUse(secret="token", version="3"))
    assert type(caught.value) is kind


def test_a_payload_is_never_asked_for(
    secrets: SecretManager, sandbox: SandboxProcess, target_of: Callable[[str], Target]
) -> None:
    secrets.secret_state(target_of("web"), SecretUse(secret="token", version="latest"))
    asked = {call["method"] for call in sandbox.control.calls() if "secretmanager" in call["api"]}
    assert asked == {"GetSecretVersion"}


class Answered(Google):
    """Google with a version in a state of the future."""

    def client(self, kind: type[Any]) -> Any:
        return self

    def get_secret_version(self, request: Any, **_: Any) -> Any:
        return secretmanager_v1.SecretVersion()


def test_a_state_that_nobody_knows(target_of: Callable[[str], Target]) -> None:
    with pytest.raises(Permanent, match="is in a state that aisq does not know: state_unspecified"):
        SecretManager(Answered()).secret_state(target_of("web"), SecretUse(secret="token", version="1"))
