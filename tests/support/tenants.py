"""Two controllers in one house: everything that a login of one could try with what another has.

`Tenants.walk` asks every page and every route with the other's ids and with ids that nobody has; a
test says what must be the same of both answers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

OPEN = ("/c/", "/static", "/schemas/", "/health", "/metrics", "/v1/openapi.json")
"""What is the same for everybody, whoever signs in."""


@dataclass(frozen=True)
class Address:
    """One method of one address with something in it that belongs to somebody."""

    method: str
    path: str

    @property
    def names(self) -> list[str]:
        return re.findall(r"{(\w+)", self.path)

    def filled(self, values: Mapping[str, object]) -> str:
        return re.sub(r"{(\w+)[^}]*}", lambda name: str(values.get(name[1], "x")), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Asked:
    """The other's and nobody's answer to one address, without what each was asked about."""

    address: Address
    theirs: tuple[int, str, Mapping[str, str]]
    nobodys: tuple[int, str, Mapping[str, str]]
    seconds: tuple[float, float]


def addresses(app: FastAPI) -> list[Address]:
    """Every address of staff and programs with an id or a name in it; links with secrets aside."""
    return [
        Address(method, str(context.path))
        for context in iter_route_contexts(app.routes)
        for method in sorted(getattr(context, "methods", None) or ())
        if "{" in str(context.path)
        and "{secret}" not in str(context.path)
        and not str(context.path).startswith(OPEN)
    ]


def nobodys(ids: Mapping[str, object], *kept: str) -> dict[str, object]:
    """Ids of the same shape that belong to nobody; `kept` names words that are no ids."""
    return {
        name: value
        if name in kept
        else uuid4()
        if isinstance(value, UUID)
        else f"no-{uuid4().hex[:8]}"
        for name, value in ids.items()
    }


def walk(
    browser: TestClient,
    app: FastAPI,
    ids: Mapping[str, object],
    *,
    kept: tuple[str, ...] = (),
    under: str = "/",
) -> Iterator[Asked]:
    """Ask everything twice: with what another controller has, and with what nobody has."""
    for address in addresses(app):
        if not address.path.startswith(under):
            continue
        made_up = nobodys(ids, *kept)
        began = time.perf_counter()
        theirs = _ask(browser, address, address.filled(ids))
        between = time.perf_counter()
        others = _ask(browser, address, address.filled(made_up))
        ended = time.perf_counter()
        yield Asked(
            address,
            _told(theirs, ids),
            _told(others, made_up),
            (between - began, ended - between),
        )


def _ask(browser: TestClient, address: Address, filled: str) -> Any:
    if address.method in {"GET", "HEAD"}:
        return browser.request(address.method, filled, follow_redirects=False)
    if filled.startswith("/v1/"):
        return browser.request(address.method, filled, json={}, follow_redirects=False)
    return browser.request(address.method, filled, data={"nothing": "x"}, follow_redirects=False)


def _told(answer: Any, ids: Mapping[str, object]) -> tuple[int, str, Mapping[str, str]]:
    """The answer, with whatever it was asked about written as `ID`."""
    words = sorted((str(one) for one in ids.values()), key=len, reverse=True)

    def plain(text: str) -> str:
        for word in words:
            text = text.replace(word, "ID")
        return text

    headers = {name: plain(value) for name, value in answer.headers.items()}
    headers.pop("content-length", None)
    return answer.status_code, plain(answer.text), headers
