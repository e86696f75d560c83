"""Publishes the messages as JSON Schemas: `python -m adapters.contract.schemas deploy/contract`.

They say what we send and take today. A reader should pass over fields it does not know, so the
schemas of what we send do not forbid them, though our own models do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from adapters.contract.messages import (
    CallbackMessage,
    Claim,
    FullAnswer,
    InstructionMessage,
    ReceiptMessage,
    RequestMessage,
)

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The one that AsyncAPI 3 is built on."""

PUBLISHED: Mapping[str, type[BaseModel]] = {
    "request": RequestMessage,
    "instruction": InstructionMessage,
    "claim": Claim,
    "receipt": ReceiptMessage,
    "answer": FullAnswer,
    "callback": CallbackMessage,
}


class _Plain(GenerateJsonSchema):
    """Without what only our own code needs to know."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            inner = inner["schema"]  # what is not said is left out
        return self.generate_inner(inner)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema(name: str) -> dict[str, Any]:
    """What a message must be like, by the name of its file."""
    made = PUBLISHED[name].model_json_schema(schema_generator=_Plain)
    return {"$schema": DIALECT, **_open(made)}


def text(name: str) -> str:
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def file_name(name: str) -> str:
    return f"{name}.schema.json"


def write(folder: Path) -> None:
    for name in PUBLISHED:
        (folder / file_name(name)).write_text(text(name), encoding="utf-8")


def _open(part: Any) -> Any:
    """Without forbidding what later versions may add."""
    if isinstance(part, list):
        return [_open(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _open(value)
        for key, value in part.items()
        if key != "additionalProperties" or value is not False
    }


if __name__ == "__main__":
    write(Path(sys.argv[1]))
