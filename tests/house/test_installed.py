"""The bot as the image has it: the runtime lock alone, another user, and no directory to write to but its state.

`make runtime-venv` prepares build/runtime-venv, and `make test` does that first: inside the suite there is no
network to install anything with.
"""

import filecmp
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
VENV = ROOT / "build/runtime-venv"
BOT_USER = 10001  # as in the image: nobody else's number, so that what it leaves behind is its own
DEADLINE_S = 30.0

# Where everybody may write. Whoever keeps to the state directory leaves nothing there.
COMMONS = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]

DISTRIBUTIONS = """
import importlib.metadata, json
print(json.dumps([d.metadata["Name"] for d in importlib.metadata.distributions()]))
"""

IMPORT_ALL = """
import importlib, pkgutil, bot
for module in pkgutil.walk_packages(bot.__path__, "bot."):
    if ".migrations" not in module.name and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def packaged() -> Path:
    """Where the package lies once installed."""
    return next(VENV.glob("lib/python3.*/site-packages")) / "bot"


def is_current() -> bool:
    """Whether what is installed is what lies in bot/ now."""
    sources = (path for path in (ROOT / "bot").rglob("*.py") if "sandbox" not in path.relative_to(ROOT).parts)
    installed = packaged()
    return all(
        (copy := installed / path.relative_to(ROOT / "bot")).exists() and filecmp.cmp(path, copy, shallow=False)
        for path in sources
    )


@pytest.fixture(scope="module")
def bin_dir() -> Path:
    """The runtime environment's bin/, complete and up to date."""
    if not (VENV / "installed").exists():
        pytest.fail("build/runtime-venv is missing: run `make runtime-venv` where there is a network, then again")
    if not is_current():
        pytest.fail("build/runtime-venv holds an older bot than bot/: run `make runtime-venv`, then again")
    return VENV / "bin"


def may_change_user() -> bool:
    """Whether we can become the bot's user: as root, and where it exists (a user namespace may map one user only)."""
    ranges = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    mapped = any(int(first) <= BOT_USER < int(first) + int(count) for first, _, count in ranges)
    return os.geteuid() == 0 and mapped and shutil.which("setpriv") is not None


def as_another_user(command: list[str]) -> list[str]:
    """The command as run by the bot's user. It may read everything, because the interpreter or this checkout may lie
    below a directory of root's; it may write only where that user may."""
    if not may_change_user():
        return command
    reads = "-all,+dac_read_search"
    become = [f"--reuid={BOT_USER}", f"--regid={BOT_USER}", "--clear-groups", "--no-new-privs"]
    rights = [f"--inh-caps={reads}", f"--ambient-caps={reads}", f"--bounding-set={reads}"]
    return ["setpriv", *become, *rights, "--", *command]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The one directory that the bot may write to."""
    directory = tmp_path / "state"
    directory.mkdir()
    if may_change_user():
        os.chown(directory, BOT_USER, BOT_USER)
    return directory


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def environment(state: Path, port: int) -> dict[str, str]:
    """All that the bot is told. Nobody listens at Slack's address: it must come up all the same."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "PORT": str(port),
        "AISQ_STATE_DIR": str(state),
        "AISQ_CATALOG_DIR": str(ROOT / "catalog"),
        "AISQ_POLICIES_DIR": str(ROOT / "policies"),
        "AISQ_SLACK__SIGNING_SECRET": "0123456789abcdef",
        "AISQ_SLACK__BOT_TOKEN": "xoxb-test",
        "AISQ_SLACK__API_URL": "http://127.0.0.1:9/api/",
    }


def said(ran: subprocess.CompletedProcess[str]) -> str:
    """Everything that a command printed, in one line: it breaks lines where a terminal would."""
    return " ".join((ran.stdout + ran.stderr).split())


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        as_another_user(command), env=environment, cwd="/", capture_output=True, text=True, timeout=DEADLINE_S
    )


@contextmanager
def serving(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The start command, running; its output goes to `log`. It is killed at the end, should it still live."""
    with log.open("wb") as out:
        process = subprocess.Popen(as_another_user(command), env=environment, cwd="/", stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answer(port: int, path: str) -> int | None:
    """The HTTP status of one GET, or nothing while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with closing(connection), suppress(ConnectionError, TimeoutError):
        connection.request("GET", path)
        return connection.getresponse().status
    return None


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while answer(port, "/readyz") != 200:
        assert process.poll() is None, f"aisq serve ended at once: {log.read_text()}"
        assert time.monotonic() < deadline, f"aisq serve never became ready: {log.read_text()}"
        time.sleep(0.05)


def left_by_the_bot() -> set[Path]:
    """What the bot's user owns in the places where everybody may write."""
    owned = set()
    for path in (path for folder in COMMONS if folder.is_dir() for path in folder.iterdir()):
        with suppress(OSError):
            if path.lstat().st_uid == BOT_USER:
                owned.add(path)
    return owned


def test_only_the_lock_is_installed(bin_dir: Path) -> None:
    listed = subprocess.run([bin_dir / "python", "-c", DISTRIBUTIONS], capture_output=True, text=True, check=True)
    locked = [line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    assert {canonicalize_name(name) for name in json.loads(listed.stdout)} == {*locked, "aisq", "pip"}


def test_every_module_needs_only_what_the_lock_holds(bin_dir: Path, environment: dict[str, str]) -> None:
    ran = run([str(bin_dir / "python"), "-c", IMPORT_ALL], environment)
    assert ran.returncode == 0, ran.stderr


def test_the_other_user_can_write_to_the_state_directory_only(bin_dir: Path, state: Path, tmp_path: Path) -> None:
    touch = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x').touch()"
    outcomes = [run([str(bin_dir / "python"), "-c", touch, str(place)], {}) for place in (state, tmp_path, VENV)]
    expected = [0, 1, 1] if may_change_user() else [0, 0, 0]
    (VENV / "x").unlink(missing_ok=True)
    assert [ran.returncode for ran in outcomes] == expected


def test_it_serves_and_stops_when_told(
    bin_dir: Path, environment: dict[str, str], port: int, state: Path, tmp_path: Path
) -> None:
    aisq, log, before = str(bin_dir / "aisq"), tmp_path / "serve.log", left_by_the_bot()
    upgraded = run([aisq, "db", "upgrade"], environment)
    assert upgraded.returncode == 0, upgraded.stderr
    with serving([aisq, "serve"], environment, log) as process:
        wait_until_ready(process, port, log)
        assert answer(port, "/healthz") == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0, log.read_text()
    assert not any(word in log.read_text() for word in ("Traceback", "0123456789abcdef", "xoxb-test"))
    assert list(state.iterdir())
    assert left_by_the_bot() == before


def test_it_refuses_a_database_without_its_schema(bin_dir: Path, environment: dict[str, str]) -> None:
    ran = run([str(bin_dir / "aisq"), "serve"], environment)
    assert ran.returncode == 2
    assert "aisq db upgrade" in said(ran)
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", ["serve", "db upgrade"])
def test_it_refuses_sqlite_on_cloud_run(bin_dir: Path, environment: dict[str, str], command: str) -> None:
    ran = run([str(bin_dir / "aisq"), *command.split()], environment | {"K_SERVICE": "aisq"})
    assert ran.returncode == 2
    assert "AISQ_DATABASE_URL" in said(ran)
    assert "PostgreSQL" in said(ran)
    assert "Traceback" not in ran.stderr


def test_it_says_that_the_sandbox_is_not_part_of_it(bin_dir: Path, environment: dict[str, str]) -> None:
    ran = run([str(bin_dir / "aisq"), "sandbox", "up"], environment)
    assert ran.returncode == 2
    assert "sandbox" in ran.stderr
    assert "Traceback" not in ran.stderr
