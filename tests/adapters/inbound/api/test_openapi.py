"""The description of the API is valid and complete, and its examples fit it (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.web import description

DESCRIBED = description()
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]


def fits(schema: dict[str, Any], example: Any) -> None:
    whole = {**schema, "components": DESCRIBED["components"]}
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in OAS31Validator(
            whole, format_checker=OAS31Validator.FORMAT_CHECKER
        ).iter_errors(example)
    ]
    assert errors == []


def test_the_description_is_valid() -> None:
    assert DESCRIBED["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(DESCRIBED).validate()


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one["operationId"] for path in DESCRIBED["paths"].values() for one in path.values()]

    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() for name in names)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation.get("description") or operation["operationId"].endswith("_read")


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_shows_examples_that_fit(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    contents = list(operation.get("requestBody", {}).get("content", {}).values())
    for answer in operation["responses"].values():
        contents += answer.get("content", {}).values()

    for one in (*contents, *operation.get("parameters", ())):
        assert "example" in one
        if "schema" in one:
            fits(one["schema"], one["example"])


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_error_is_a_documented_problem(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    errors = {s: one for s, one in operation["responses"].items() if s.startswith(("4", "5"))}
    if path == "/health":
        assert set(errors) == {"503"}  # for load balancers, in health's own form
        return
    assert {"400", "401", "403", "404", "422", "503"} <= set(errors)
    assert operation["security"]
    if method == "post":
        assert {"409", "413", "415"} <= set(errors)
        assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
    for one in errors.values():
        assert list(one["content"]) == ["application/problem+json"]
    assert "Retry-After" in errors["503"]["headers"]


def test_tokens_are_described() -> None:
    (scheme,) = DESCRIBED["components"]["securitySchemes"].values()

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
