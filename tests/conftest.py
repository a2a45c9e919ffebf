"""What holds for every test: loopback is the only network, and where we ask for it a skipped test has failed."""

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator

import pytest

SKIPS_FAIL = os.environ.get("AISQ_TEST_SKIPS") == "fail"


def guard_is_needed() -> bool:
    """Whether this machine has another network than `lo`; tests/run_on_loopback.py takes it away where it can."""
    return any(name != "lo" for _, name in socket.if_nameindex())


def is_loopback(host: object) -> bool:
    """Whether a host, as sockets get it, is this machine's loopback."""
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_other_networks(event: str, args: tuple[object, ...]) -> None:
    """The guard inside Python: an audit hook, so that no library can patch it away. C code goes around it."""
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    if not is_loopback(host):
        raise OSError(errno.ENETUNREACH, f"tests talk to loopback only; this one tried {host}")


def pytest_configure() -> None:
    if guard_is_needed():
        sys.addaudithook(refuse_other_networks)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if guard_is_needed():
        terminalreporter.write_line("network: kept on loopback by a guard inside Python only; `make test` does better")


def as_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names its reason; an expected failure stays one."""
    if SKIPS_FAIL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and a skipped test has checked nothing: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    as_failure(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    as_failure(report)
    return report
