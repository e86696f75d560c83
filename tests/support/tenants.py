"""Two controllers in one house: everything that a login of one could try with what another has.

`Tenants.walk` asks every page and every route with the other's ids and with ids that nobody has; a
test says what must be the same of both answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from adapters.outbound.wire import Question, Wire

ATTEMPTS = 3
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
    statements: tuple[list[str], list[str]]
    """What the database was asked each time: as often means that time tells nothing either."""


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
    bodies: Bodies | None = None,
) -> Iterator[Asked]:
    """Ask everything twice: with what another controller has, and with what nobody has."""
    for address in addresses(app):
        if not address.path.startswith(under):
            continue
        body = bodies.of(address) if bodies else {}
        made_up = nobodys(ids, *kept)
        for _ in range(ATTEMPTS):  # a token's last use is written down now and then
            with counted() as first:
                theirs = _ask(browser, address, address.filled(ids), body)
            with counted() as second:
                others = _ask(browser, address, address.filled(made_up), body)
            if len(first) == len(second):
                break
        yield Asked(address, _told(theirs, ids), _told(others, made_up), (first, second))


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that is sent to the database meanwhile, by whomever."""
    asked: list[str] = []
    execute, ask = psycopg.Cursor.execute, Wire.ask

    def executed(cursor: Any, query: Any, *more: Any, **options: Any) -> Any:
        asked.append(str(query))
        return execute(cursor, query, *more, **options)

    def sent(wire: Wire, *questions: Question) -> Any:
        asked.extend(str(sql) for sql, _ in questions)
        return ask(wire, *questions)

    with patch.object(psycopg.Cursor, "execute", executed), patch.object(Wire, "ask", sent):
        yield asked


class Bodies:
    """For each command of the API a body that its description allows, as small as it may be."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._described = described

    def of(self, address: Address) -> Any:
        operation = self._described["paths"].get(address.path, {}).get(address.method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {})
        return self._one(content.get("application/json", {}).get("schema", {}))

    def _one(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            return self._one(self._described["components"]["schemas"][name])
        for known in ("const", "default", "enum", "examples"):
            if known in schema and schema[known] is not None:
                return schema[known] if known in {"const", "default"} else schema[known][0]
        for either in ("anyOf", "oneOf", "allOf"):
            if either in schema:
                return self._one(schema[either][0])
        match schema.get("type"):
            case "object":
                fields = schema.get("properties", {})
                return {name: self._one(fields[name]) for name in schema.get("required", ())}
            case "array":
                return [self._one(schema["items"]) for _ in range(schema.get("minItems", 0))]
            case "string":
                return WORDS.get(schema.get("format", ""), "x" * max(schema.get("minLength", 1), 4))
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return True
        return {}


WORDS = {
    "date": "2026-10-01",
    "date-time": "2026-10-01T10:00:00Z",
    "uuid": "11111111-1111-4111-8111-111111111111",
    "email": "somebody@person.example",
}


def _ask(browser: TestClient, address: Address, filled: str, body: Any) -> Any:
    if address.method in {"GET", "HEAD"}:
        return browser.request(address.method, filled, follow_redirects=False)
    if filled.startswith("/v1/"):
        return browser.request(address.method, filled, json=body, follow_redirects=False)
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
