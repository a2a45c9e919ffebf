"""`aisq` as people and scripts meet it: processes of its own, a small cloud, SQLite in a fresh folder."""

import fcntl
import http.client
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.sandbox.process import SandboxProcess
from bot.stores import database
from tests.doors.cli.fakes import widest

RATE = 60.0
SERVICE = "ai-square-prod/us-central1/backend"
DEADLINE_S = 60.0
PYTHON = [sys.executable, "-W", "error::ResourceWarning"]


class Deployment:
    """An environment in which `aisq` runs, beside a small cloud."""

    def __init__(self, cloud: SandboxProcess, folder: Path) -> None:
        self.cloud, self.folder = cloud.control, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AISQ_", "COV_"))},
            "AISQ_STATE_DIR": str(folder / "state"),
            "AISQ_SANDBOX": "true",
            "AISQ_HOST": "127.0.0.1",
            "AISQ_GOOGLE__ENDPOINT": cloud.grpc,
            "AISQ_CLOCK__ORIGIN_UNIX_S": repr(cloud.origin_unix_s),
            "AISQ_CLOCK__RATE": repr(cloud.rate),
            "PORT": str(self.port),
            "TZ": "UTC",
            "COLUMNS": "80",
        }

    def aisq(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*PYTHON, "-m", "bot", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )

    @contextmanager
    def serving(self) -> Iterator["subprocess.Popen[bytes]"]:
        log = (self.folder / "serve.log").open("wb")
        process = subprocess.Popen([*PYTHON, "-m", "bot", "serve"], env=self.environment, stderr=log)
        try:
            until(lambda: self.get("/readyz") == 200 or process.poll() is not None)
            yield process
        finally:
            process.kill()
            process.wait()
            log.close()

    def get(self, path: str) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def bad_release(self) -> str:
        """A release that fails takes all traffic; returns its name once it does."""
        name = self.cloud.release(SERVICE, error_rate=0.05, traffic=100)
        until(lambda: self.traffic() == {name: 100})
        return name

    def traffic(self) -> dict[str, int]:
        serving: dict[str, int] = self.cloud.service(SERVICE)["traffic"]
        return {name: share for name, share in serving.items() if share}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cloud() -> Iterator[SandboxProcess]:
    with SandboxProcess(rate=RATE) as running:
        yield running


@pytest.fixture
def here(cloud: SandboxProcess, tmp_path: Path) -> Deployment:
    deployment = Deployment(cloud, tmp_path)
    upgraded = deployment.aisq("db", "upgrade")
    assert (upgraded.returncode, upgraded.stderr) == (0, "")
    assert re.fullmatch(r"\w+\n", upgraded.stdout)
    return deployment


def test_a_rollback_through_a_serving_bot(here: Deployment) -> None:
    bad = here.bad_release()
    looked = here.aisq("status", "ai-square/backend", "--as", "U0ANA", "--json")
    assert looked.stderr == ""
    assert bad in looked.stdout
    assert json.loads(looked.stdout)["title"] == "ai-square/prod/backend"
    with here.serving() as bot:
        asked = here.aisq("rollback", "ai-square/backend", "--reason", "5xx & more", "--as", "U0ANA", "--no-wait")
        assert (asked.returncode, asked.stderr) == (4, "")
        assert "Reason: 5xx & more\n" in asked.stdout
        assert widest(asked.stdout) <= 80
        identity = asked.stdout.split()[0]
        own = here.aisq("approve", identity, "--as", "U0ANA")
        assert (own.returncode, own.stdout) == (3, "")
        assert "Nobody approves their own request" in own.stderr
        assert here.aisq("approve", identity, "--as", "U0BEN").returncode == 0
        until(lambda: bad not in here.traffic())
        again = here.aisq("approve", identity, "--as", "U0CHO")
        assert (again.returncode, again.stdout) == (2, "")
        assert here.get("/healthz") == 200
        bot.send_signal(signal.SIGTERM)
        assert bot.wait(10) == 0
    for line in (here.folder / "serve.log").read_text().splitlines():
        assert {"time", "severity", "logger", "message"} <= set(json.loads(line))
    about = [json.loads(line).get("operation") for line in (here.folder / "serve.log").read_text().splitlines()]
    assert identity in about


@pytest.mark.slow
def test_a_rollback_by_this_terminal_alone(here: Deployment) -> None:
    bad = here.bad_release()
    waits = here.aisq("rollback", "ai-square/backend", "--as", "U0ANA")
    assert waits.returncode == 4
    assert "No aisq is at work on this database" in waits.stderr
    assert here.traffic() == {bad: 100}
    done = here.aisq("rollback", "ai-square/backend", "--break-glass", "on fire", "--as", "U0ANA", "--here", "--json")
    assert done.returncode == 0, done.stderr
    whole = json.loads(done.stdout)
    assert (whole["state"], whole["permitted_by"]) == ("applied", whole["permitted_by"])
    assert "applied: " in done.stderr
    assert bad not in here.traffic()
    nothing = here.aisq("rollback", "ai-square/backend", "--to", next(iter(here.traffic())), "--as", "U0ANA")
    assert nothing.returncode == 0
    assert nothing.stderr.startswith("nothing to do: ")
    log = here.folder / "state" / "aisq.log"
    assert whole["request"]["id"] in {json.loads(line).get("operation") for line in log.read_text().splitlines()}


def on_terminal(deployment: Deployment, *words: str, when: bytes = b"", then: Callable[[int], None] = lambda _: None):
    """Exit code and everything shown on a terminal of 80 columns; `then(pid)` is done once `when` was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(PYTHON[0], [*PYTHON, "-m", "bot", *words], deployment.environment | {"TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    shown, done = b"", False
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
            if when and not done and when in shown:
                then(pid)
                done = True
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_on_a_terminal_it_is_followed_until_ctrl_c(here: Deployment) -> None:
    here.bad_release()
    with here.serving():
        code, shown = on_terminal(
            here,
            *("rollback", "ai-square/backend", "--as", "U0ANA"),
            when=b"waiting for 1 other person",
            then=lambda pid: os.kill(pid, signal.SIGINT),
        )
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
        identity = plain.split()[0]
        assert code == 4
        assert "Traceback" not in shown
        assert f"`aisq ops cancel {identity}`" in " ".join(plain.split())
        assert shown.rstrip().endswith(".")
        assert "\x1b[?25h" in shown  # the cursor is back
        cancelled = here.aisq("ops", "cancel", identity, "--as", "U0ANA")
        assert cancelled.returncode == 0, cancelled.stderr
        looked = here.aisq("ops", "show", identity, "--as", "U0ANA")
    assert "cancelled" in looked.stdout


# --- without a cloud


def run(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AISQ_")}
    told = {"AISQ_STATE_DIR": str(folder / "state"), "COLUMNS": "80"}
    return subprocess.run(
        [*PYTHON, "-m", "bot", *words],
        env=kept | told | environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def upgraded(folder: Path) -> None:
    """A database with our schema, where `run` looks for it."""
    database.upgrade(f"sqlite:///{folder / 'state' / 'aisq.sqlite'}")


REFUSED = {
    "another schema": ({}, "run `aisq db upgrade`"),
    "SQLite on Cloud Run": ({"K_SERVICE": "aisq"}, "set AISQ_DATABASE_URL to a PostgreSQL"),
    "a setting that is wrong": ({"AISQ_LEASE_S": "ten"}, "AISQ_LEASE_S"),
    "a catalog that is not there": ({"AISQ_CATALOG_DIR": "/nowhere"}, "/nowhere"),
    "a database that is none": ({"AISQ_DATABASE_URL": "mysql://x"}, "SQLite or PostgreSQL, not in mysql"),
}


@pytest.mark.parametrize(("environment", "said"), REFUSED.values(), ids=REFUSED)
def test_serve_refuses_in_one_sentence(environment: dict[str, str], said: str, tmp_path: Path) -> None:
    if "CATALOG" in str(environment):
        upgraded(tmp_path)
    ran = run(tmp_path, "serve", **environment)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_serve_needs_both_of_slacks_secrets(tmp_path: Path) -> None:
    upgraded(tmp_path)
    ran = run(tmp_path, "serve", AISQ_SLACK__SIGNING_SECRET="8f742231b10e", AISQ_SLACK__API_URL="http://127.0.0.1:9/")
    assert ran.returncode == 2
    assert "AISQ_SLACK__BOT_TOKEN" in ran.stderr
    assert "8f742231b10e" not in ran.stderr


IMPORTS = "import sys; from bot.__main__ import main; code = main({words}); print(code, *sorted(sys.modules))"
HEAVY = {"google", "grpc", "dbos", "slack_bolt", "slack_sdk", "uvicorn"}


@pytest.mark.parametrize(
    ("words", "also"),
    [
        (["--help"], {"sqlalchemy", "cedarpy"}),
        (["rollback", "--help"], {"sqlalchemy", "cedarpy"}),
        (["completion", "bash"], {"sqlalchemy", "cedarpy", "bot.core.catalog"}),
        (["whoami"], set()),
    ],
    ids=["help", "help of a command", "completion", "whoami"],
)
def test_small_commands_do_not_import_what_is_heavy(words: list[str], also: set[str], tmp_path: Path) -> None:
    upgraded(tmp_path)
    environment = {**os.environ, "AISQ_STATE_DIR": str(tmp_path / "state")}
    ran = subprocess.run(
        [*PYTHON, "-c", IMPORTS.format(words=words)], env=environment, capture_output=True, text=True, check=True
    )
    code, *modules = ran.stdout.splitlines()[-1].split()
    assert code == "0", ran.stderr
    assert not (HEAVY | also) & set(modules)


def test_completing_a_name_imports_no_model(tmp_path: Path) -> None:
    environment = {**os.environ, "_AISQ_COMPLETE": "bash_complete", "COMP_WORDS": "aisq rollb", "COMP_CWORD": "1"}
    ran = subprocess.run(
        [*PYTHON, "-c", IMPORTS.format(words=[])], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[0] == "plain,rollback"
    assert not {*HEAVY, "sqlalchemy", "rich", "bot.core.operation"} & set(ran.stdout.split())


@pytest.mark.parametrize(("reader", "read"), [("head -n 1", "Commands\n"), ("true", "")])
def test_output_that_nobody_reads_is_no_bug(tmp_path: Path, reader: str, read: str) -> None:
    command = f"{sys.executable} -m bot --help | {reader}"
    environment = {**os.environ, "COLUMNS": "80", "AISQ_STATE_DIR": str(tmp_path)}
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environment)
    assert (ran.stdout, ran.stderr) == (read, "")
    assert not (tmp_path / "aisq.log").exists()


def test_a_terminal_that_cannot_show_a_character_shows_another(tmp_path: Path) -> None:
    upgraded(tmp_path)
    ran = run(tmp_path, "status", "grün", PYTHONIOENCODING="ascii")
    assert ran.returncode == 2
    assert "gr?n" in ran.stderr


def test_words_that_are_no_text_are_refused(tmp_path: Path) -> None:
    upgraded(tmp_path)
    ran = subprocess.run(
        [*map(os.fsencode, PYTHON), b"-m", b"bot", b"status", b"\xff\xfe"],
        env={**os.environ, "AISQ_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
    )
    assert ran.returncode == 2
    assert b"not UTF-8" in ran.stderr
