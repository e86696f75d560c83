"""A line to a database that breaks once, while a transaction is being ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class Line:
    """Passes bytes on; with `breaks` the first COMMIT, or the answer to it, is lost."""

    def __init__(self, server: str, breaks: str) -> None:
        self._server, self._breaks = server, breaks
        self.broken = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                Thread(target=self._back, args=(server, client), daemon=True).start()
                Thread(target=self._forth, args=(client, server), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while said := client.recv(65_536):
                if said.rstrip(b"\0").endswith(b"COMMIT") and not self.broken:
                    self.broken = True
                    client.shutdown(socket.SHUT_RDWR)
                    if self._breaks == "reply":
                        server.sendall(said)
                    break
                server.sendall(said)
            # What was sent is read before the end is seen, so a COMMIT is carried out.
            server.shutdown(socket.SHUT_WR)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with client, server, suppress(OSError):
            while said := server.recv(65_536):
                with suppress(OSError):
                    client.sendall(said)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(server: str, *, breaks: str) -> Iterator[Line]:
    line = Line(server, breaks)
    try:
        yield line
    finally:
        line.close()
