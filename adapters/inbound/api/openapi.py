"""The description of `/v1` (OpenAPI 3.1): an example for everything, every error as a problem.

Examples are made from the schemas, so they cannot say anything that the code does not take; a
model that needs more than one field of a kind brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

Schema = dict[str, Any]

_PROBLEM: Schema = {
    "title": "Problem",
    "description": "What went wrong and what to do next (RFC 9457); never personal data.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "reason"],
                "properties": {"where": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}

_ALWAYS = {
    400: "What was sent cannot be read: a cursor, a key or a body that is none.",
    401: "No valid token was sent.",
    403: "The token lacks the scope that this needs.",
    404: "There is no such thing here, or none that this token may see.",
    409: "Not in this state, or somebody else was faster; with `Retry-After` if it soon may be.",
    410: "The content has been destroyed, on purpose.",
    422: "It can be read, but it does not fit: a field, or a rule that says no.",
    503: "The database does not answer; nothing was changed. Come back after `Retry-After`.",
}
_COME_AGAIN = frozenset(
    {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
_OF_COMMANDS = {
    412: "It has changed since the state that `If-Match` names; nothing was done.",
    413: "The body is too large.",
    415: "The body is of a type that this does not take.",
}

_KNOWN: Mapping[str, Any] = {
    "assigned_to": "ola",
    "backdated_because": "letter-found-in-another-department",
    "backdated_by": "ola",
    "by": "ola",
    "claim": "/v1/instructions/5b0f3f0e-6f5b-4d53-9a39-0b8e8cbb5f2e/claim",
    "code": "48213907",
    "controller": "fjordscenen",
    "controllers": "fjordscenen",
    "database": "ok",
    "decision": "Looked at with the officer: stays as it is.",
    "email": "kari.testesen@person.example",
    "evidence": "Stamped as received on the 2nd; lay in the wrong tray.",
    "external_number": "SAK-2026-0419",
    "ground": "no.bokforing.primary",
    "law": "GDPR Art. 12(5)(b)",
    "name": "fjordscenen",
    "next": None,
    "profile_version": "2026-11",
    "reason": "unknown-sender",
    "reference": "7K3M-P9QD",
    "said_by": "The service desk in Bergen",
    "sender_address": "kari.testesen@person.example",
    "sender_name": "Kari Testesen",
    "staff_id": "ola",
    "status": "ok",
    "subject": "Innsyn",
    "system": "shop",
    "text": "Hei, jeg ber om innsyn i det dere har om meg.",
    "token": "9f" * 32,
    "value": "kari.testesen@person.example",
    "words": "We have answered the same question on 2 November.",
    "limit": 100,
}
_OF_FORMATS: Mapping[str, Any] = {
    "uuid": "5b0f3f0e-6f5b-4d53-9a39-0b8e8cbb5f2e",
    "date-time": "2026-11-02T09:30:00Z",
    "date": "2026-11-02",
    "binary": "From: …",
    "password": "trt_of-the-second-person",
}


class Api(FastAPI):
    """The application with its description."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = _described(self)
        return self.openapi_schema


def operation_id(route: APIRoute) -> str:
    """A name that stays when an address changes."""
    return f"{route.tags[0]}_{route.name}" if route.tags else f"{route.name} {route.path_format}"


def _described(app: FastAPI) -> Schema:
    made: Schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    for path in made["paths"].values():
        for method, operation in path.items():
            _describe(method, operation, schemas)
    return made


def _describe(method: str, operation: Schema, schemas: Schema) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for parameter in operation.get("parameters", ()):
        parameter["example"] = _example(parameter["schema"], schemas, parameter["name"])
    for content in _contents(operation.get("requestBody", {})):
        content["example"] = _example(content["schema"], schemas, "")
    for answer in responses.values():
        for content in _contents(answer):
            content.setdefault("example", _example(content.get("schema", {}), schemas, ""))
    if "security" not in operation:
        return
    takes_versions = any(p["name"] == "If-Match" for p in operation.get("parameters", ()))
    errors = {**_ALWAYS, **(_OF_COMMANDS if method == "post" else {})}
    for status, description in errors.items():
        if status == HTTPStatus.PRECONDITION_FAILED and not takes_versions:
            continue
        responses[str(status)] = _refusal(status, description)
    if "429" in responses:
        responses["429"] = _refusal(429, responses["429"]["description"])
    if takes_versions:
        for status, answer in responses.items():
            if status.startswith("2"):
                answer["headers"] = {
                    "ETag": {
                        "description": "The case's state, for `If-Match`.",
                        "schema": {"type": "string"},
                    }
                }


def _contents(holder: Schema) -> list[Schema]:
    return list(holder.get("content", {}).values())


def _refusal(status: int, description: str) -> Schema:
    answer: Schema = {
        "description": description,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": {
                    "type": "about:blank",
                    "title": HTTPStatus(status).phrase,
                    "status": status,
                    "detail": description,
                },
            }
        },
    }
    if status in _COME_AGAIN:
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds after which to come again.",
                "schema": {"type": "integer"},
            }
        }
    return answer


def _example(schema: Schema, schemas: Schema, name: str) -> Any:
    """Something that the schema takes; the first of its own examples if it has any."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas, name)
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas, name)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "array":
        return [_example(schema["items"], schemas, name)]
    if kind == "object":
        return {
            field: _example(inner, schemas, field)
            for field, inner in schema.get("properties", {}).items()
        }
    if schema.get("format") in _OF_FORMATS:
        return _OF_FORMATS[schema["format"]]
    if kind == "string":
        return _KNOWN.get(name) or "shop-orders"
    if kind == "integer":
        return _KNOWN.get(name, 1)
    return {"boolean": True, "number": 1.0}.get(kind or "")
