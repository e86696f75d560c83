"""The AsyncAPI document: read by the official parser, and true of what the code says and takes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import ValidationError

from adapters.contract import messages, schemas
from adapters.inbound.api import instructions, webhooks
from domain.instruction import Verb
from tests.support.components import unavailable
from tests.support.contract import DOCUMENT, document, examples, validator
from tests.support.npm import package

PARSER = "3.6.3"
SCRIPT = Path(__file__).parents[1] / "support" / "asyncapi.mjs"
NOTICE = 2
"""The parser's errors are 0 and its warnings 1; a newer AsyncAPI existing is no fault."""


def test_the_official_parser_finds_nothing_wrong() -> None:
    folder = package("@asyncapi/parser", PARSER)
    node = shutil.which("node")
    if node is None:
        unavailable("@asyncapi/parser", "needs node")
    ran = subprocess.run(
        [node, SCRIPT, folder, DOCUMENT], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)

    assert said["read"]
    assert [one for one in said["diagnostics"] if one["severity"] < NOTICE] == []


@pytest.mark.parametrize(
    ("schema", "name", "payload"), list(examples()), ids=lambda part: str(part)[:20]
)
def test_an_example_is_what_the_code_says_and_takes(
    schema: str, name: str, payload: dict[str, Any]
) -> None:
    assert list(validator(schema).iter_errors(payload)) == []

    read = schemas.PUBLISHED[schema].model_validate_json(json.dumps(payload))

    written = json.loads(read.model_dump_json(exclude_unset=True))
    assert written == payload, name


def test_every_message_with_a_schema_has_an_example() -> None:
    assert {schema for schema, _, _ in examples()} == set(schemas.PUBLISHED)


def test_the_channels_are_the_topics() -> None:
    channels = document()["channels"].values()
    on_kafka = {one["address"] for one in channels if "kafka" in one.get("bindings", {})}

    assert on_kafka == {messages.REQUESTS, messages.INSTRUCTIONS, messages.RECEIPTS}


def test_the_addresses_over_https_are_there() -> None:
    every = (*instructions.router.routes, *webhooks.router.routes)
    routes = {_form(one.path) for one in every if isinstance(one, APIRoute)}
    told = [one["address"] for one in document()["channels"].values()]
    page = (DOCUMENT.parent / "README.md").read_text(encoding="utf-8")
    told += re.findall(r"(/v1/(?:instructions|webhooks)[\w/{}$]*)", page)

    assert {_form(one) for one in told if one.startswith("/v1")} <= routes


def test_every_verb_is_explained() -> None:
    explained = document()["info"]["description"]

    for verb in Verb:
        assert f"| `{verb.value}` |" in explained


def test_a_receipt_with_what_nobody_knows_yet_is_taken_and_one_with_free_text_is_not() -> None:
    (payload,) = [one for schema, name, one in examples() if (schema, name) == ("receipt", "later")]
    later = {**payload, "traceparent": "00-1", "data": {**payload["data"], "mood": "calm"}}

    assert messages.ReceiptMessage.model_validate(later).data.retry_after == 3600

    talkative = {**payload, "data": {**payload["data"], "reason": "Kari has moved to Bergen"}}
    with pytest.raises(ValidationError):
        messages.ReceiptMessage.model_validate(talkative)


def _form(path: str) -> str:
    """An address, whatever its parts are called."""
    return re.sub(r"\{\w+\}|\$\w+", "*", path)
