"""Ports of this machine."""

import socket


def free_port() -> int:
    """A TCP port on which nobody listens now, for a process that is told where to listen before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
