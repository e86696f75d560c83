"""Systems over HTTP that hold one record of everybody and take their time to answer.

python -m tests.benchmarks.systems PORT
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

ANSWERS_AFTER = 0.02

erased: set[str] = set()


class Answering(asyncio.Protocol):
    """As little HTTP as a benchmark needs: one request at a time per connection, no bodies in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            body = json.dumps(_answer(method, target)).encode()
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            asyncio.get_running_loop().call_later(
                ANSWERS_AFTER, self.transport.write, answer % len(body) + b"\r\n" + body
            )


def _answer(method: str, target: str) -> dict[str, object]:
    """`GET /SYSTEM/people?email=…` finds, `DELETE /SYSTEM/people/KEY` erases."""
    parts = urlsplit(target)
    if method == "DELETE":
        erased.add(parts.path)
        return {"erased": True}
    email = parse_qs(parts.query)["email"][0]
    key = email.partition("@")[0]
    if f"{parts.path}/{key}" in erased:
        return {"records": []}
    fields = {"email": email, "since": "2026-05-01", "newsletter": True, "orders": [1, 2, 3]}
    return {"records": [{"key": key, "fields": fields}]}


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", port, backlog=256)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
