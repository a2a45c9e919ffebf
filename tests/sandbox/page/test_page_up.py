"""`aisq sandbox up` as a process: it prints one address to open, hears what is typed, and ends when told to."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.harness import until

PATIENCE_S = 90.0


@pytest.mark.slow
def test_up(tmp_path: Path) -> None:
    log = tmp_path / "said"
    command = [sys.executable, "-m", "bot", "sandbox", "up", "--state", str(tmp_path / "state")]
    with log.open("wb") as said:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, env={**os.environ, "COLUMNS": "100"}
        )
    assert child.stdin is not None

    def has(text: str) -> bool:
        assert child.poll() is None, log.read_text()
        return text in log.read_text()

    try:
        until(lambda: has("Open"), PATIENCE_S)
        until(lambda: has("in another shell"), PATIENCE_S)
        addresses = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", log.read_text())
        assert len(addresses) == 1
        assert httpx.get(addresses[0].partition("?")[0], trust_env=False).status_code == 403
        page = httpx.get(addresses[0], follow_redirects=True, trust_env=False)
        assert page.status_code == 200 and "Bad release" in page.text and "token" not in str(page.url)
        child.stdin.write(b"ana status backend\nben approve\nnonsense\ncloud\nkill\n")
        child.stdin.flush()
        until(lambda: has("only ana sees this") and has("No card waits for anybody."), PATIENCE_S)
        until(lambda: has("serving 100 % backend-00041-kex"), PATIENCE_S)
        until(lambda: has("The bot is dead.") and has("The bot is ready."), PATIENCE_S)
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_S) == 0
        assert log.read_text().endswith("Stopping …\n")
    finally:
        child.kill()
        child.stdin.close()
        child.wait()
