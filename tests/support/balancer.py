"""A balancer of TCP connections, as operators have one in front of several web processes.

It asks each backend for `/health` several times a second, sends new connections in turn to those
that are well, and goes on to the next when one refuses. It knows nothing of what it carries.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

ASK_EVERY_SECONDS = 0.2
HEALTH = b"GET /health HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"


class Balancer:
    """Listens on `port` of loopback for as long as it is open."""

    def __init__(self, port: int, backends: Sequence[int]) -> None:
        self._port, self._backends = port, tuple(backends)
        self._well: dict[int, bool] = dict.fromkeys(self._backends, False)
        self._turn = itertools.count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="balancer", daemon=True)
        self._ready, self._over = threading.Event(), asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the balancer does not listen"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(timeout=10)

    def is_well(self, backend: int) -> bool:
        """Whether new connections go to this backend."""
        return self._well[backend]

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        asking = [asyncio.create_task(self._ask(backend)) for backend in self._backends]
        self._ready.set()
        await self._over.wait()
        for task in asking:
            task.cancel()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _ask(self, backend: int) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", backend)
                writer.write(HEALTH)
                answer = await asyncio.wait_for(reader.readline(), timeout=5)
                writer.close()
                self._well[backend] = b" 200 " in answer
            except (OSError, TimeoutError):
                self._well[backend] = False
            await asyncio.sleep(ASK_EVERY_SECONDS)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for backend in self._candidates():
            try:
                theirs, ours = await asyncio.open_connection("127.0.0.1", backend)
            except OSError:
                continue
            await asyncio.gather(_pipe(reader, ours), _pipe(theirs, writer))
            return
        writer.close()

    def _candidates(self) -> list[int]:
        """Those that are well, in turn; the others after them, for want of better."""
        first = next(self._turn) % len(self._backends)
        in_turn = (*self._backends[first:], *self._backends[:first])
        return sorted(in_turn, key=lambda backend: not self._well[backend])


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
