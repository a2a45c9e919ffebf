"""Secret Manager, through Google's own client (API v1). It never asks for a payload."""

from typing import ClassVar, Literal, cast

from bot.core.errors import Permanent
from bot.core.ports import SecretUse
from bot.core.request import Target
from bot.providers._google import Google, place, translated

SecretState = Literal["enabled", "disabled", "destroyed"]
STATES = ("enabled", "disabled", "destroyed")


class SecretManager:
    """Whether the secrets that a release reads can be read. Offers SecretReads.

    A secret is named S, in the target's `project`, or projects/P/secrets/S; a version by number, alias or "latest".
    """

    cloud: ClassVar[str] = "gcp"
    PERMISSIONS: ClassVar[dict[str, tuple[str, ...]]] = {"secret_state": ("secretmanager.versions.get",)}

    def __init__(self, google: Google) -> None:
        self._google = google

    def secret_state(self, target: Target, secret: SecretUse) -> SecretState:
        """The rule of Secret Manager, and so of Cloud Run: "latest" is what was made last, whatever its state."""
        from google.cloud import secretmanager_v1

        whole = (
            secret.secret if "/" in secret.secret else f"projects/{place(target, 'project')}/secrets/{secret.secret}"
        )
        manager = self._google.client(secretmanager_v1.SecretManagerServiceClient)
        version = secret.version or "latest"
        request = secretmanager_v1.GetSecretVersionRequest(name=f"{whole}/versions/{version}")
        with translated(f"read the state of version {version} of secret {secret.secret}", "secretmanager.versions.get"):
            state = manager.get_secret_version(request, **self._google.reading).state.name.lower()
        if state not in STATES:
            raise Permanent(f"secret {secret.secret} is in a state that aisq does not know: {state}")
        return cast(SecretState, state)
