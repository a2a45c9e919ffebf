"""The sandbox as a child process, with a client for its control: what tests and rehearsals start."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import httpx

_STOP_S = 5.0
_ROOT = Path(__file__).parents[2]  # where the child finds this package


class ControlError(Exception):
    """The sandbox refused a control request; the message is its sentence."""


class Control:
    """The sandbox's HTTP control. Services are named "project/location/name"."""

    def __init__(self, http: str) -> None:
        self._client = httpx.Client(base_url=f"{http}/sandbox", trust_env=False, timeout=10.0)

    def clock(self) -> dict[str, Any]:
        """origin_unix_s, rate, and now (ISO)."""
        return dict(self._ask("GET", "/clock"))

    def advance(self, seconds: float) -> None:
        """Move the clock of a sandbox started with rate 0."""
        self._ask("POST", "/clock", {"advance_s": seconds})

    def rate(self, rate: float) -> dict[str, Any]:
        """Let the clock of a sandbox that runs by itself run at another rate; what `clock` gives."""
        return dict(self._ask("POST", "/clock/rate", {"rate": rate}))

    def fault(self, kind: str, service: str = "*", **fields: Any) -> int:
        """Let one fault wait (fields: method, nth, times, seconds, code, message, pid, when); returns its number."""
        return int(self._ask("POST", "/faults", {"kind": kind, "service": service, **fields})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """The faults that still wait."""
        return list(self._ask("GET", "/faults"))

    def clear_faults(self) -> None:
        self._ask("DELETE", "/faults")

    def calls(self, resource: str = "", method: str = "", since: int = 0) -> list[dict[str, Any]]:
        """Calls after number `since`, oldest first."""
        found = self._ask("GET", "/calls", resource=resource, method=method, since=since)
        return list(found)

    def services(self) -> list[dict[str, Any]]:
        return list(self._ask("GET", "/services"))

    def service(self, service: str) -> dict[str, Any]:
        """The truth: traffic, releases with error rates, error_rate now, generation, reconciling."""
        return dict(self._ask("GET", f"/services/{service}"))

    def minutes(self, service: str, last: int = 45) -> list[dict[str, Any]]:
        """The truth of the last whole minutes, oldest first: at (unix seconds), requests, failed, p95_ms."""
        return list(self._ask("GET", f"/services/{service}/minutes", last=last))

    def release(self, service: str, **fields: Any) -> str:
        """Deploy by hand (fields: those of console.Deployment); gives the release's name."""
        return str(self._ask("POST", f"/services/{service}/releases", fields)["release"])

    def quality(
        self, service: str, release: str, error_rate: float | None = None, *, p95_ms: float | None = None
    ) -> None:
        """From now on the release fails this often, and 95 % of what does not fail are this fast."""
        said = {"error_rate": error_rate, "p95_ms": p95_ms}
        self._ask("POST", f"/services/{service}/releases/{release}", said)

    def delete_release(self, service: str, release: str) -> None:
        self._ask("DELETE", f"/services/{service}/releases/{release}")

    def traffic(self, service: str, split: dict[str, int]) -> None:
        """Change the split in a console: {"backend-00041-kex": 90, …} or {"LATEST": 100}."""
        self._ask("POST", f"/services/{service}/traffic", split)

    def jobs(self) -> list[dict[str, Any]]:
        return list(self._ask("GET", "/jobs"))

    def job(self, job: str) -> dict[str, Any]:
        """The truth of a job, "project/location/name": image, generation, seconds, fails, executions."""
        return dict(self._ask("GET", f"/jobs/{job}"))

    def job_quality(self, job: str, *, seconds: float | None = None, fails: bool | None = None) -> None:
        """From now on its runs take so long, and fail or do not."""
        self._ask("POST", f"/jobs/{job}", {"seconds": seconds, "fails": fails})

    def push(self, reference: str, tag: str = "latest", **fields: Any) -> str:
        """Build and push an image (fields: those of pipeline.Push); gives REFERENCE@DIGEST. The tag moves to it."""
        return str(self._ask("POST", "/images", {"reference": reference, "tag": tag, **fields})["image"])

    def copy_image(self, image: str, to: str, tag: str = "") -> str:
        """The same digest in another registry; gives REFERENCE@DIGEST there."""
        return str(self._ask("POST", "/images/copy", {"image": image, "to": to, "tag": tag})["image"])

    def let_read(self, owner: str, reader: str, *, granted: bool = True) -> None:
        """Whether Cloud Run of the project `reader` may pull images of the project `owner`."""
        self._ask("POST", "/registries/readers", {"owner": owner, "reader": reader, "granted": granted})

    def delete_image(self, reference: str) -> None:
        self._ask("POST", "/images/delete", {"reference": reference})

    def secret_state(self, name: str, version: str, state: str) -> None:
        """ENABLED, DISABLED or DESTROYED; `name` is projects/P/secrets/S."""
        self._ask("POST", "/secrets/state", {"name": name, "version": version, "state": state})

    def real(self) -> dict[str, Any]:
        """Of a sandbox with real traffic: urls of proxies by service, and releases by service: pid and url."""
        return dict(self._ask("GET", "/real"))

    def close(self) -> None:
        self._client.close()

    def _ask(self, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self._client.request(verb, path, json=body, params=query)
        said = answer.json()
        if answer.is_error:
            raise ControlError(said["error"])
        return said


class SandboxProcess:
    """`python -m bot.sandbox.server` as a child. A context manager; it also ends when this process does.

    `grpc` is "127.0.0.1:PORT" for the clouds' clients, `http` the base of control (and of Slack).
    Its time begins at `now`, or is real. Services in `real_traffic`, "project/location/name", have releases that are
    processes, behind proxies at `urls`. Raises RuntimeError if it does not come up.
    """

    def __init__(
        self,
        *,
        rate: float = 1.0,
        seed: int = 1,
        now: datetime | None = None,
        world: Path | None = None,
        module: str = "bot.sandbox.server",
        real_traffic: Sequence[str] = (),
    ) -> None:
        command = [sys.executable, "-m", module, "--rate", str(rate), "--seed", str(seed)]
        command += ["--now", now.isoformat()] if now else []
        command += ["--world", str(world)] if world else []
        command += [f"--real-traffic={service}" for service in real_traffic]
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C is for whoever started it, who then closes its standard input.
        self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True)
        line = self._stdout.readline()
        if not line:
            self._child.communicate()
            raise RuntimeError(f"The sandbox did not start (exit code {self._child.returncode}): {' '.join(command)}")
        said = json.loads(line)
        self.grpc, self.http = str(said["grpc"]), str(said["http"])
        self.urls = {str(service): str(url) for service, url in said["urls"].items()}
        self.origin_unix_s, self.rate = float(said["origin_unix_s"]), float(said["rate"])
        self.control = Control(self.http)

    @property
    def pid(self) -> int:
        return self._child.pid

    def stop(self) -> int:
        """Close its standard input, and wait for its end (killed after 5 s); the exit code."""
        self.control.close()
        if self._child.stdin:
            self._child.stdin.close()
        try:
            self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
        self._stdout.close()
        return self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _stdout(self) -> Any:
        return self._child.stdout
