"""A system that answers whatever a test says, and a connector to it that is only described."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from adapters.demo.doubles.server import Call, Double, Reply
from adapters.outbound.connectors.http_api.api import HttpApi
from adapters.outbound.connectors.http_api.description import read_description
from tests.support.people import somebody

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KARI = somebody("kari@post.example")
HEAD = 'title = "system"\n'
FIND = """
[[find]]
by = "email"
path = "/people"
query = { email = "{email}" }
rows = "/rows"
matches = { email = ["/email"] }
record = { kind = "person", key = "/id", fields = { email = "/email" } }
"""

Answers = Callable[[Call], Reply]


class Scripted(Double):
    """A system that answers whatever the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Call] = []
        self.answers: Answers = lambda call: rows()

    def unknown(self, call: Call) -> Reply:
        self.asked.append(call)
        return self.answers(call)


def rows(*emails: str, **more: object) -> Reply:
    return Reply(200, {"rows": [{"id": n, "email": e} for n, e in enumerate(emails)], **more})


def described(system: Scripted, text: str, **more: str) -> HttpApi:
    description = read_description(HEAD + text, "system.toml")
    return HttpApi(
        {"url": system.url, **more}, description, clock=lambda: NOW, sleep=lambda seconds: None
    )
