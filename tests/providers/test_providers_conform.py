"""Every provider file keeps the registry's rules and the ports' signatures."""

import inspect
import subprocess
import sys
from typing import get_type_hints

import pytest

import bot.providers
from bot.core.folder import load, names
from bot.core.ports import PORTS
from bot.providers._google import Google

FILES = names(bot.providers)
OFFERED = {
    "artifact_registry": {"ImageReads"},
    "cloud_logging": {"LogReads"},
    "cloud_monitoring": {"MetricReads"},
    "cloud_run": {"Compute", "ComputeReads", "Effects", "JobReads", "Jobs"},
    "secret_manager": {"SecretReads"},
}


def methods(port: type) -> list[str]:
    return [name for name in dir(port) if not name.startswith("_")]


def offered(provider: type) -> set[str]:
    return {name for name, port in PORTS.items() if all(hasattr(provider, method) for method in methods(port))}


@pytest.mark.parametrize("file", FILES)
def test_signatures_are_those_of_the_ports(file: str) -> None:
    provider = load(bot.providers, file)
    assert offered(provider)
    for port in (PORTS[name] for name in offered(provider)):
        for method in methods(port):
            mine, theirs = getattr(provider, method), getattr(port, method)
            assert get_type_hints(mine) == get_type_hints(theirs), f"{file}.{method}"
            assert _shape(mine) == _shape(theirs), f"{file}.{method}"


def _shape(method: object) -> list[tuple[str, object, object]]:
    parameters = inspect.signature(method).parameters.values()  # type: ignore[arg-type]
    return [(one.name, one.kind, one.default) for one in parameters]


@pytest.mark.parametrize("file", FILES)
def test_no_part_of_a_port_is_offered_without_the_rest(file: str) -> None:
    """Else the router would hand a target to a provider that can do half of what is asked."""
    provider = load(bot.providers, file)
    public = {name for name, _ in inspect.getmembers(provider, inspect.isfunction) if not name.startswith("_")}
    assert public == {method for name in offered(provider) for method in methods(PORTS[name])}


@pytest.mark.parametrize("file", sorted(OFFERED))
def test_what_is_offered(file: str) -> None:
    assert offered(load(bot.providers, file)) == OFFERED[file]


@pytest.mark.parametrize("file", FILES)
def test_every_method_names_the_permissions_it_needs(file: str) -> None:
    provider = load(bot.providers, file)
    wanted = {method for name in offered(provider) for method in methods(PORTS[name])}
    assert set(provider.PERMISSIONS) == wanted
    needed = [permission for permissions in provider.PERMISSIONS.values() for permission in permissions]
    assert all(permission.count(".") == 2 for permission in needed)


@pytest.mark.parametrize("file", sorted(OFFERED))
def test_a_google_provider_takes_google_by_name_and_says_what_it_is(file: str) -> None:
    provider = load(bot.providers, file)
    assert (provider.__doc__ or "").strip()
    assert provider(google=Google("127.0.0.1:1"))


def test_only_what_speaks_of_a_whole_cloud_says_so() -> None:
    """A load balancer must not be taken for a Cloud Run service because both are Google's."""
    whole = {file for file in OFFERED if getattr(load(bot.providers, file), "cloud", "") == "gcp"}
    assert whole == {"cloud_monitoring", "cloud_logging", "artifact_registry", "secret_manager"}


def test_google_is_imported_only_when_a_client_is_needed() -> None:
    """Half a second that `aisq help` must not pay."""
    code = (
        "import sys, bot.providers\n"
        "from bot.core.folder import load\n"
        "from bot.providers._google import Google\n"
        f"made = [load(bot.providers, name)(google=Google()) for name in {sorted(OFFERED)}]\n"
        "heavy = [name for name in sys.modules if name.startswith(('grpc', 'google.api_core', 'google.cloud'))]\n"
        "print(len(made), heavy)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == f"{len(OFFERED)} []\n"
