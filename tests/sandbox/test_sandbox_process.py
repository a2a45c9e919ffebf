"""The sandbox as a process: how it starts, what it prints, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.cloud import run_v2
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.sandbox import server
from bot.sandbox.blueprint import load
from bot.sandbox.clock import ManualClock
from bot.sandbox.process import SandboxProcess
from bot.sandbox.world import World
from tests.sandbox.harness import client, until

SMALL = """
projects:
  p:
    services:
      s: {releases: [{name: 00001-aaa, age: 1d}]}
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(server.__file__).parents[2])}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "world.yaml"
    path.write_text(SMALL)
    return path


def start(*arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bot.sandbox.server", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT, **options)


def test_a_sandbox_serves_both_ports_until_its_input_closes(world: Path) -> None:
    with SandboxProcess(rate=0, seed=3, world=world) as sandbox:
        assert sandbox.grpc.startswith("127.0.0.1:") and sandbox.http.startswith("http://127.0.0.1:")
        assert (sandbox.rate, sandbox.origin_unix_s) == (0, sandbox.control.clock()["origin_unix_s"])
        with grpc.insecure_channel(sandbox.grpc, options=[("grpc.enable_http_proxy", 0)]) as channel:
            services = client(run_v2.ServicesClient, channel)
            found = services.list_services(parent="projects/p/locations/us-central1")
            assert [one.name.rpartition("/")[2] for one in found] == ["s"]
        assert [one["service"] for one in sandbox.control.services()] == ["s"]
        before = sandbox.control.clock()["now"]
        assert sandbox.control.clock()["now"] == before
        sandbox.control.advance(3600)
        assert sandbox.control.clock()["now"] > before
    assert sandbox.stop() == 0


def test_it_prints_one_line_of_json(world: Path) -> None:
    child = start("--world", str(world), "--rate", "2")
    assert child.stdout
    said = json.loads(child.stdout.readline())
    assert sorted(said) == ["grpc", "http", "origin_unix_s", "rate", "urls"]
    assert said["rate"] == 2
    out, error = child.communicate(timeout=20)
    assert (out, error, child.returncode) == (b"", b"", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_on_a_signal(world: Path, number: int) -> None:
    child = start("--world", str(world))
    assert child.stdout and child.stdout.readline()
    child.send_signal(number)
    assert child.communicate(timeout=20) == (b"", b"")
    assert child.returncode == 0


def test_it_dies_with_its_starter(world: Path) -> None:
    starter = (
        "import sys, pathlib; from bot.sandbox.process import SandboxProcess;"
        "s = SandboxProcess(world=pathlib.Path(sys.argv[1])); print(s.pid, flush=True); sys.stdin.readline()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", starter, str(world)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
    )
    assert child.stdout
    pid = int(child.stdout.readline())
    child.kill()
    child.communicate()
    until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_wrong_world_file_is_one_sentence_and_nothing_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("projects: {p: {services: {s: {relases: []}}}}")
    with pytest.raises(SystemExit, match="2"):
        server.main(["--world", str(path)])
    out, error = capsys.readouterr()
    assert out == ""
    assert str(path) in error and "relases" in error
    assert "Traceback" not in error


def test_a_process_that_does_not_start_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="The sandbox did not start"):
        SandboxProcess(world=tmp_path / "missing.yaml")
    assert "missing.yaml" in capfd.readouterr().err


@pytest.mark.parametrize("option", ["--grpc-port", "--http-port"])
def test_a_taken_port_is_one_sentence(world: Path, option: str, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit, match="2"):
        server.main(["--world", str(world), option, str(taken.getsockname()[1])])
    error = capfd.readouterr().err
    assert "cannot listen on ports" in error
    assert "Traceback" not in error


def test_other_rooms_get_their_routes_and_their_address(world: Path) -> None:
    """In this process, since rooms are code."""

    def room(_: World, http: str) -> list[Route]:
        return [Route("/hello", lambda request: PlainTextResponse(http))]

    before = threading.active_count()
    here = server.Sandbox(World(load(world), ManualClock()), rooms=[room])
    with here as sandbox, httpx.Client(trust_env=False, base_url=sandbox.http) as http:
        assert http.get("/hello").text == sandbox.http
        assert http.get("/sandbox/clock", headers={"Host": "evil.example"}).status_code == 400
        assert http.get("/sandbox/clock", headers={"Host": "localhost"}).status_code == 200
    until(lambda: threading.active_count() == before)


@pytest.mark.parametrize("rate", ["-1", "fast"])
def test_a_wrong_rate_is_one_sentence(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        server.main([f"--rate={rate}"])
    assert "--rate" in capsys.readouterr().err


def test_an_idle_connection_is_kept_longer_than_a_client_keeps_it() -> None:
    kept_s = httpx.Limits().keepalive_expiry
    assert kept_s and server.configured(server.app([])).timeout_keep_alive > 2 * kept_s
