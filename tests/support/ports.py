"""Ports for the servers that tests start."""

import os
import random
import socket

FIRST, BEHIND = 20_000, 32_000  # below those that systems give to clients
_given: set[int] = set()


def free_port() -> int:
    """A port at which nobody listens, and which no other test is given, here or beside.

    A server may be started there later, and again after its end: no outgoing connection is given
    it in between, not even that of a client who tries until the server is there, which would then
    be connected to itself. Each of pytest's processes has a part of the range for itself.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    own = range(FIRST + process, BEHIND, count)
    while True:
        port = random.choice(own)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
