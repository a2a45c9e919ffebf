"""One release as a process: an HTTP server on a port of this machine, as good or as bad as its image.

python -m bot.sandbox.real.release prints one line of JSON with its port. Each line of JSON on its standard input is how
it is from then on; it ends when that closes. Its name is in K_REVISION, as in Cloud Run's container contract. Imports
are few, so that it starts fast.
"""

import json
import math
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATHS = ("/", "/api/orders", "/api/search", "/api/session")
BELOW = ("/api/orders/",)  # with anything behind
SIGMA, Z95 = 0.5, 1.6448536269514722  # answers are spread log-normally around their pace
FAILS_SLOWER = 8.0  # times


class Container:
    """How it answers. `error_rate` from 0 to 1; `p95_ms` of answers that do not fail."""

    def __init__(self, name: str) -> None:
        self.name, self.error_rate, self.p95_ms = name, 0.0, 1.0
        self._random = random.Random(name)

    def become(self, line: str) -> None:
        said = json.loads(line)
        self.error_rate, self.p95_ms = float(said["error_rate"]), float(said["p95_ms"])

    def answer(self, path: str) -> int:
        """The status, after the time that it takes."""
        fails, pace_ms = self._random.random() < self.error_rate, self.p95_ms
        spread = math.exp(SIGMA * (self._random.gauss(0, 1) - Z95))
        time.sleep(pace_ms * spread * (FAILS_SLOWER if fails else 1.0) / 1000)
        if fails:
            return 500
        return 200 if path in PATHS or path.startswith(BELOW) else 404


class Server(ThreadingHTTPServer):
    """A thread a connection, which may be kept open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, container: Container) -> None:
        self.container = container
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    """Says which release answered."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: Server

    def do_GET(self) -> None:
        container = self.server.container
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status = container.answer(self.path.partition("?")[0])
        body = json.dumps({"release": container.name, "status": status}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """The proxy keeps the log of requests."""


def main() -> None:
    container = Container(os.environ["K_REVISION"])
    container.become(sys.stdin.readline())
    server = Server(container)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    for line in sys.stdin:
        container.become(line)


if __name__ == "__main__":
    main()
