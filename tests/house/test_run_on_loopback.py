"""The launcher: a command sees loopback and nothing else where the kernel allows it, and runs anyway where not."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[1] / "run_on_loopback.py"

# 192.0.2.1 belongs to the documentation and to no machine (RFC 5737); without a route nothing is ever sent to it.
LOOK_AROUND = """
import socket
print(sorted(name for _, name in socket.if_nameindex()))
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    print("loopback answers")
try:
    socket.create_connection(("192.0.2.1", 9), timeout=5)
except OSError as error:
    print(error.strerror)
"""


def launch(*command: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command by the launcher; `path` replaces PATH, to hide unshare(1) from it."""
    environment = os.environ | ({} if path is None else {"PATH": path})
    return subprocess.run(
        [sys.executable, str(LAUNCHER), *command], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def no_tools(tmp_path: Path) -> str:
    """A PATH on which there is `true`, but no unshare."""
    true = shutil.which("true")
    assert true is not None
    (tmp_path / "true").symlink_to(true)
    return str(tmp_path)


def test_a_command_sees_loopback_and_nothing_else() -> None:
    ran = launch(sys.executable, "-c", LOOK_AROUND)
    assert ran.returncode == 0, ran.stderr
    if "no network namespace" in ran.stderr:
        assert "loopback answers" in ran.stdout
    else:
        assert ran.stdout.splitlines() == ["['lo']", "loopback answers", "Network is unreachable"]


def test_the_command_keeps_its_user_and_gains_no_rights() -> None:
    ran = launch("sh", "-c", "id -u; grep CapAmb /proc/self/status")
    user, ambient = ran.stdout.splitlines()
    assert int(user) == os.getuid()
    assert int(ambient.split()[1], 16) == 0


@pytest.mark.parametrize("code", [0, 1, 5, 77])
def test_the_exit_code_is_the_commands(code: int) -> None:
    assert launch("sh", "-c", f"exit {code}").returncode == code


def test_arguments_arrive_as_they_were() -> None:
    odd = ["two words", "", "$HOME", "--inside", "ünïcode"]
    ran = launch(sys.executable, "-c", "import sys; print(sys.argv[1:])", *odd)
    assert ran.stdout.strip() == str(odd)


def test_where_there_is_no_namespace_it_runs_all_the_same_and_says_so(no_tools: str) -> None:
    ran = launch("true", path=no_tools)
    assert ran.returncode == 0
    assert "no network namespace to be had here" in ran.stderr


def test_without_a_command_it_says_how_to_call_it() -> None:
    ran = launch()
    assert ran.returncode == 1
    assert "say what to run" in ran.stderr


def test_interfaces_are_named_the_way_the_guard_asks_for_them() -> None:
    assert "lo" in [name for _, name in socket.if_nameindex()]
