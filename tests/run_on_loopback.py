"""Run a command where loopback is the only network, so that no test can reach anything else.

    python tests/run_on_loopback.py COMMAND [ARGUMENT ...]

A guard inside Python would not do: gRPC's core opens its sockets in C. So the command gets a network namespace
of its own, made by unshare(1): directly where we may, else inside a user namespace. Where the kernel allows
neither, the command runs all the same, tests/conftest.py guards what Python opens, and we say so.
"""

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

WAYS = [
    ["unshare", "--net"],
    ["unshare", "--user", "--map-current-user", "--net", "--keep-caps"],
]

# linux/sockios.h, linux/if.h and linux/prctl.h; spelled out because iproute2 and libcap may not be installed.
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4


def raise_loopback() -> None:
    """Bring `lo` up, as `ip link set lo up` does: a new namespace has it, but down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def drop_ambient_capabilities() -> None:
    """Give back what --keep-caps lent: an ordinary user's tests must see an ordinary user's rights."""
    ctypes.CDLL(None).prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def inside(command: list[str]) -> None:
    """The second half, already in the new namespace."""
    raise_loopback()
    drop_ambient_capabilities()
    os.execvp(command[0], command)


def wrapped(way: list[str], command: list[str]) -> list[str]:
    """The command line that runs `command` in a new namespace made in this `way`."""
    return [*way, sys.executable, os.path.abspath(__file__), "--inside", *command]


def works(way: list[str]) -> bool:
    """Whether this machine lets us take that way, loopback and all."""
    if shutil.which(way[0]) is None:
        return False
    return subprocess.run(wrapped(way, ["true"]), capture_output=True).returncode == 0


def main(command: list[str]) -> None:
    """Replace this process by the command, in the narrowest network there is to be had."""
    if command[:1] == ["--inside"]:
        inside(command[1:])
    if not command:
        sys.exit("say what to run: python tests/run_on_loopback.py COMMAND [ARGUMENT ...]")
    for way in WAYS:
        if works(way):
            sys.stdout.flush()
            os.execvp(way[0], wrapped(way, command))
    print(
        "run_on_loopback: no network namespace to be had here; only a guard inside Python keeps tests on loopback.",
        file=sys.stderr,
    )
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
