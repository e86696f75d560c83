"""The contract as a partner has it: the AsyncAPI document, its examples, the schemas beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

FOLDER = Path(__file__).parents[2] / "deploy" / "contract"
DOCUMENT = FOLDER / "asyncapi.yaml"


@cache
def document() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return read


@cache
def validator(name: str) -> Draft7Validator:
    """Checks against the published schema of that name, formats of dates and ids included."""
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)


def examples() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every example of the document: its schema's name, its own, and what it looks like."""
    for message in document()["components"]["messages"].values():
        schema = message["payload"].get("$ref", "").removeprefix("./").removesuffix(".schema.json")
        for example in message.get("examples", ()):
            yield schema, example["name"], example["payload"]
