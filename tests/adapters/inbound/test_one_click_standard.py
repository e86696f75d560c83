"""What RFC 8058 asks of the page behind a link, whatever is behind the page."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from adapters.inbound.web import stop


@pytest.fixture
def stopped() -> list[str]:
    return []


@pytest.fixture
def client(stopped: list[str]) -> TestClient:
    class Clicks:
        def behind(self, secret: str) -> None:
            """No page is shown here."""

        def stop(self, secret: str) -> UUID:
            stopped.append(secret)
            return uuid4()

    app = FastAPI()
    app.include_router(stop.router)
    nobody = SimpleNamespace(names=tuple)
    app.state.installation = SimpleNamespace(one_click=Clicks(), controllers=nobody)
    return TestClient(app, follow_redirects=False)


def test_only_the_words_of_the_standard_stop_anything(
    client: TestClient, stopped: list[str]
) -> None:
    """E-16: scanners open links, and some send whatever form they find."""
    client.get("/stop/secret")
    client.head("/stop/secret")
    client.post("/stop/secret")
    client.post("/stop/secret", data={"List-Unsubscribe": "Later"})
    client.post("/stop/secret", json={"List-Unsubscribe": "One-Click"})
    assert stopped == []

    client.post("/stop/secret", data={"List-Unsubscribe": "One-Click"})
    client.post("/stop/secret", files={"List-Unsubscribe": (None, "One-Click")})
    assert stopped == ["secret", "secret"]
