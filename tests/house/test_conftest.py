"""The rules of tests/conftest.py, tried on small suites of their own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

SKIPS = {
    "by mark": "import pytest\n@pytest.mark.skip(reason='no such thing')\ndef test_it(): pass\n",
    "by call": "import pytest\ndef test_it(): pytest.skip('no such thing')\n",
    "by fixture": "import pytest\n@pytest.fixture\ndef f(): pytest.skip('no such thing')\ndef test_it(f): pass\n",
    "whole file": "import pytest\npytest.skip('no such thing', allow_module_level=True)\n",
}

# What the guard hears, and whether it lets that pass. Nothing here opens a socket.
EVENTS = [
    ("socket.connect", (None, ("127.0.0.1", 80)), True),
    ("socket.connect", (None, ("127.8.8.8", 80)), True),
    ("socket.connect", (None, ("::1", 80, 0, 0)), True),
    ("socket.connect", (None, ("localhost", 80)), True),
    ("socket.connect", (None, "/run/some.sock"), True),
    ("socket.connect", (None, b"\0abstract"), True),
    ("socket.connect", (None, ("192.0.2.1", 80)), False),
    ("socket.connect", (None, ("2001:db8::1", 80, 0, 0)), False),
    ("socket.connect", (None, ("fe80::1%eth0", 80, 0, 2)), False),
    ("socket.connect", (None, ("example.test", 80)), False),
    ("socket.sendto", (None, ("192.0.2.1", 53)), False),
    ("socket.sendto", (None, ("127.0.0.1", 53)), True),
    ("socket.getaddrinfo", ("example.test", 443, 0, 0, 0), False),
    ("socket.getaddrinfo", ("localhost", 443, 0, 0, 0), True),
    ("socket.getaddrinfo", (None, 443, 0, 0, 0), True),
    ("socket.bind", (None, ("0.0.0.0", 0)), True),
    ("open", ("192.0.2.1", "r", 0), True),
]

ASK_THE_GUARD = """
import importlib.util
spec = importlib.util.spec_from_file_location("rules", {conftest!r})
rules = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rules)
for event, args, passes in {events!r}:
    try:
        rules.refuse_other_networks(event, args)
        passed = True
    except OSError as error:
        passed = False
        assert "loopback only" in str(error)
    assert passed is passes, (event, args)
"""


def run_suite(folder: Path, test: str, *, skips: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under our conftest, with AISQ_TEST_SKIPS set."""
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "test_small.py").write_text(test)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-v",
            "-c",
            "/dev/null",
            "--rootdir",
            ".",
            "--confcutdir",
            ".",
            "test_small.py",
        ],
        cwd=folder,
        env={"AISQ_TEST_SKIPS": skips},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("test", SKIPS.values(), ids=SKIPS.keys())
def test_a_skip_is_a_failure_where_we_ask_for_it(tmp_path: Path, test: str) -> None:
    ran = run_suite(tmp_path, test, skips="fail")
    assert ran.returncode != 0
    assert "a skipped test has checked nothing" in ran.stdout
    assert "no such thing" in ran.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    ran = run_suite(tmp_path, SKIPS["by call"], skips="allow")
    assert ran.returncode == 0
    assert "1 skipped" in ran.stdout


def test_an_expected_failure_stays_one(tmp_path: Path) -> None:
    ran = run_suite(tmp_path, "import pytest\n@pytest.mark.xfail\ndef test_it(): assert 0\n", skips="fail")
    assert ran.returncode == 0
    assert "1 xfailed" in ran.stdout


def test_the_guard_lets_loopback_pass_and_nothing_else() -> None:
    script = ASK_THE_GUARD.format(conftest=str(CONFTEST), events=EVENTS)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_the_guard_hears_what_sockets_do(tmp_path: Path) -> None:
    """Where there is another network the hook is in place, else there is no way out: either way it fails at once."""
    test = (
        "import socket\nimport pytest\n"
        "def test_it():\n"
        "    with pytest.raises(OSError, match='unreachable|loopback only'):\n"
        "        socket.create_connection(('192.0.2.1', 9), timeout=5)\n"
    )
    ran = run_suite(tmp_path, test, skips="fail")
    assert ran.returncode == 0, ran.stdout


def test_slow_tests_are_the_first(tmp_path: Path) -> None:
    test = "import pytest\ndef test_a(): pass\n@pytest.mark.slow\ndef test_b(): pass\ndef test_c(): pass\n"
    ran = run_suite(tmp_path, test, skips="fail")
    assert re.findall(r"::(test_\w) PASSED", ran.stdout) == ["test_b", "test_a", "test_c"]
