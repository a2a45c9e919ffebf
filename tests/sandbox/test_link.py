"""A way to a server that can be cut: nothing goes through, nobody is told, and all arrives when it is mended."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.sandbox.link import Link

PATIENCE_S = 10.0
CUT_S = 0.2  # long enough for what is not held back to arrive


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with closing(connection):
        while data := connection.recv(1000):
            connection.sendall(data)


@pytest.fixture
def link(echo: int) -> Iterator[Link]:
    with Link("127.0.0.1", echo) as made:
        yield made


def connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_S)


def hears_nothing(client: socket.socket) -> bool:
    client.settimeout(CUT_S)
    try:
        return client.recv(1) == b"never"
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)


def test_it_leads_there_and_back(link: Link) -> None:
    with connected(link) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"


def test_what_is_sent_while_it_is_cut_arrives_when_it_is_mended(link: Link) -> None:
    with connected(link) as client:
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        link.cut()
        client.sendall(b"late")
        assert hears_nothing(client)
        link.mend()
        assert client.recv(4) == b"late"


def test_what_comes_back_is_slow_while_it_is_told_to_be(link: Link) -> None:
    with connected(link) as client:
        link.delay_s = CUT_S * 3
        client.sendall(b"late")
        assert hears_nothing(client)
        assert client.recv(4) == b"late"
        link.delay_s = 0.0
        client.sendall(b"soon")
        assert client.recv(4) == b"soon"


def test_who_connects_while_it_is_cut_waits(link: Link) -> None:
    link.cut()
    with connected(link) as client:
        client.sendall(b"hello")
        assert hears_nothing(client)
        link.mend()
        assert client.recv(5) == b"hello"


def test_the_end_of_one_side_is_the_end_of_the_other(link: Link) -> None:
    with connected(link) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_where_nobody_listens_the_connection_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Link("127.0.0.1", port) as link, connected(link) as client:
        assert client.recv(1) == b""


def test_it_goes_away_with_connections_open(echo: int) -> None:
    with Link("127.0.0.1", echo) as link:
        client = connected(link)
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        link.cut()
    with client:
        assert client.recv(1) == b""
