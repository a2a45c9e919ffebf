"""SIGKILL of a real process at its n-th call: before the service acts, after it committed, after the answer."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud import run_v2

from bot.sandbox.process import SandboxProcess
from tests.sandbox.harness import targets, until

NAME = "projects/ai-square-prod/locations/us-central1/services/backend"
SERVICE = "ai-square-prod/us-central1/backend"
GOOD = "backend-00040-fom"

# A caller with nothing but grpc, so that it starts fast: it writes what it knows into a file, step by step.
CALLER = """
import sys, grpc
address, request, path, calls = sys.argv[1], bytes.fromhex(sys.argv[2]), sys.argv[3], int(sys.argv[4])
channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
update = channel.unary_unary("/google.cloud.run.v2.Services/UpdateService")
print("ready", flush=True)
sys.stdin.readline()
with open(path, "w") as notes:
    for _ in range(calls):
        notes.write("call "); notes.flush()
        answer = update(request, metadata=[("x-goog-request-params", "location=us-central1")])
        notes.write("answered "); notes.flush()
print("alive", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess(rate=1000) as process:
        yield process


class Caller:
    """A child that makes `calls` updates when it is told to."""

    def __init__(self, sandbox: SandboxProcess, notes: Path, calls: int) -> None:
        service = run_v2.Service(name=NAME, traffic=targets({GOOD: 100}))
        request = run_v2.UpdateServiceRequest(service=service, update_mask={"paths": ["traffic"]})
        data = run_v2.UpdateServiceRequest.serialize(request).hex()
        arguments = [sys.executable, "-c", CALLER, sandbox.grpc, data, str(notes), str(calls)]
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.child.stdout and self.child.stdout.readline() == b"ready\n"
        self._notes = notes

    def go(self) -> int:
        assert self.child.stdin
        self.child.stdin.write(b"go\n")
        self.child.stdin.flush()
        return self.child.wait(20)

    def notes(self) -> list[str]:
        return self._notes.read_text().split()

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()


@pytest.mark.parametrize(
    ("when", "fate", "committed", "notes"),
    [
        ("before", "killed before", False, ["call"]),
        ("after_commit", "killed after commit", True, ["call"]),
        ("after_answer", "killed after answer", True, ["call", "answered"]),
    ],
)
def test_a_caller_is_killed_at_its_call(
    sandbox: SandboxProcess, tmp_path: Path, when: str, fate: str, committed: bool, notes: list[str]
) -> None:
    before = sandbox.control.service(SERVICE)["generation"]
    seen = len(sandbox.control.calls())
    with Caller(sandbox, tmp_path / "notes", calls=1) as caller:
        # After an answer the child gets time to write its note, however slow the machine is.
        sandbox.control.fault(
            "kill", "backend", method="UpdateService", pid=caller.child.pid, when=when, seconds=1 if notes[1:] else 0
        )
        assert caller.go() == -signal.SIGKILL
        assert caller.notes() == notes
    (call,) = sandbox.control.calls(since=seen)
    assert (call["fate"], call["committed"]) == (fate, committed)
    assert sandbox.control.service(SERVICE)["generation"] == before + committed


def test_the_nth_call_can_be_meant(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with Caller(sandbox, tmp_path / "notes", calls=5) as caller:
        sandbox.control.fault("kill", "backend", method="UpdateService", pid=caller.child.pid, nth=3)
        assert caller.go() == -signal.SIGKILL
        assert caller.notes() == ["call", "answered"] * 2 + ["call"]


def test_a_caller_that_is_gone_already_harms_nobody(sandbox: SandboxProcess, tmp_path: Path) -> None:
    with Caller(sandbox, tmp_path / "notes", calls=1) as gone, Caller(sandbox, tmp_path / "more", calls=1) as caller:
        gone.child.kill()
        gone.child.wait()
        seen = len(sandbox.control.calls())
        sandbox.control.fault("kill", "backend", pid=gone.child.pid, when="after_commit")
        assert caller.go() == 1  # its call ended in an error, which it does not catch
        until(lambda: len(sandbox.control.calls(since=seen)) == 1)
    assert sandbox.control.clock()["rate"] == 1000
