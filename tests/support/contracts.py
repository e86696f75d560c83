"""Vendors' published API descriptions, where somebody has put them.

They belong to the vendors and are not ours to ship, so a checkout alone has none: the tests that
need one skip even where every component must be there.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from adapters.demo.doubles.server import Exchange


def contract(name: str) -> OpenAPI:
    """The description called `name`, from the folder that TRETTIO_CONTRACTS names."""
    folder = os.environ.get("TRETTIO_CONTRACTS")
    if folder is not None:
        return _load(Path(folder) / name)  # and where it is missing, that is an error
    pytest.skip(f"the contract {name} is not here: set TRETTIO_CONTRACTS to a folder that has it")


def hold(contract: OpenAPI, exchange: Exchange, *, base: str) -> None:
    """Raise when the call or its answer is not what the vendor describes for its `base` url."""
    parts = urlsplit(base)
    call, reply = exchange.call, exchange.reply
    request = MockRequest(
        f"{parts.scheme}://{parts.netloc}",
        call.method.lower(),
        parts.path + call.path,
        args={name: values[0] for name, values in call.query.items()},
        headers=dict(call.headers),
        data=call.body or None,
        content_type=call.headers.get("Content-Type", "application/json"),
    )
    response = MockResponse(
        reply.body(),
        status_code=reply.status,
        headers=dict(reply.headers),
        content_type=reply.media_type.partition(";")[0],
    )
    contract.validate_request(request)
    contract.validate_response(request, response)


def complaints(contract: OpenAPI, exchange: Exchange, *, base: str) -> set[str]:
    """What is not as the vendor describes, in the validator's words; nothing, if all is well."""
    try:
        hold(contract, exchange, base=base)
    except OpenAPIError as error:
        problems = getattr(error.__cause__, "schema_errors", (error,))
        return {str(getattr(problem, "message", problem)) for problem in problems}
    return set()


def _usable(part: dict[str, Any]) -> dict[str, Any]:
    """Without discriminators, which lead nowhere, and `name[part]` queries, which nobody reads."""
    if isinstance(part.get("parameters"), list):
        part["parameters"] = [p for p in part["parameters"] if p.get("style") != "deepObject"]
    return {key: value for key, value in part.items() if key != "discriminator"}


@cache
def _load(path: Path) -> OpenAPI:
    # The vendors' own files break the rules for such files; the rules for traffic still hold.
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        text = json.dumps(yaml.safe_load(text))
    description: dict[str, Any] = json.loads(text, object_hook=_usable)
    config = Config(
        spec_validator_cls=None,
        extra_media_type_deserializers={"application/problem+json": json.loads},
    )
    return OpenAPI.from_dict(description, config=config)
