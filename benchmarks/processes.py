"""Bare programs as children, when they are ready, and how much memory a process holds."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bot.sandbox.loopback import free_port

READY_WITHIN_S, STEP_S = 30.0, 0.005
AT_REST, REST_STEP_S, REST_WITHIN_S = 0.15, 0.2, 30.0  # a process at rest uses less than this part of one core


@contextmanager
def bare(*words: str) -> Iterator[tuple[str, int]]:
    """`python -m benchmarks.bare_bolt PORT WORDS` while it serves: its address and its process id."""
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_bolt", str(port), *words])
    try:
        wait_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", child.pid
    finally:
        child.kill()
        child.wait()


def wait_ready(address: str) -> None:
    """Until /readyz says 200. Raises TimeoutError."""
    deadline = time.monotonic() + READY_WITHIN_S
    with httpx.Client(base_url=address, trust_env=False, timeout=2.0) as client:
        while not _is_ready(client):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{address} was not ready within {READY_WITHIN_S:.0f} s")
            time.sleep(STEP_S)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def rest(pid: int) -> None:
    """Until the process has next to nothing to do any more, or for half a minute."""
    deadline, before = time.monotonic() + REST_WITHIN_S, _used_s(pid)
    while time.monotonic() < deadline:
        time.sleep(REST_STEP_S)
        now = _used_s(pid)
        if now - before < AT_REST * REST_STEP_S:
            return
        before = now


def _used_s(pid: int) -> float:
    """Seconds of processor time so far; in proc(5) utime and stime are the 14th and 15th field."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """What the process holds in memory (RSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) / 1024
