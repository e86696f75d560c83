"""Within .v1 the contract only grows: what was once said can be read, what was once sent is taken.

`recorded/v1` holds messages and schemas as they were first published. They are never changed.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import schemas
from adapters.contract.messages import Sent
from tests.support.contract import validator
from tests.support.evolution import Speaker, complaints

RECORDED = Path(__file__).with_name("recorded") / "v1"
MESSAGES = sorted(RECORDED.glob("*.json"))
PROMISED = sorted((RECORDED / "schemas").glob("*.json"))


def speaker(name: str) -> Speaker:
    return Speaker.WE if issubclass(schemas.PUBLISHED[name], Sent) else Speaker.THEY


def promised(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((RECORDED / "schemas" / f"{name}.schema.json").read_text())
    return read


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_message_recorded_long_ago_is_read_today(path: Path) -> None:
    name = path.stem.partition("-")[0]

    schemas.PUBLISHED[name].model_validate_json(path.read_bytes())

    assert list(validator(name).iter_errors(json.loads(path.read_bytes()))) == []


@pytest.mark.parametrize("path", PROMISED, ids=lambda path: path.stem)
def test_a_schema_keeps_what_it_promised(path: Path) -> None:
    name = path.name.partition(".")[0]

    assert complaints(promised(name), schemas.schema(name), speaker(name)) == []


def test_every_published_schema_has_its_promise_and_a_recorded_message() -> None:
    assert {path.name.partition(".")[0] for path in PROMISED} == set(schemas.PUBLISHED)
    assert {path.stem.partition("-")[0] for path in MESSAGES} == set(schemas.PUBLISHED)


def removed(schema: dict[str, Any]) -> None:
    del part(schema, "properties")["system"]


def newly_required(schema: dict[str, Any]) -> None:
    part(schema, "required").append("reason")


def no_longer_required(schema: dict[str, Any]) -> None:
    part(schema, "required").remove("system")


def of_another_type(schema: dict[str, Any]) -> None:
    part(schema, "properties")["system"]["type"] = "integer"


def shorter(schema: dict[str, Any]) -> None:
    part(schema, "properties")["system"]["maxLength"] = 10


def longer(schema: dict[str, Any]) -> None:
    part(schema, "properties")["system"]["maxLength"] = 1_000


def optional_and_new(schema: dict[str, Any]) -> None:
    part(schema, "properties")["priority"] = {"type": "string"}


def a_word_less(schema: dict[str, Any]) -> None:
    listed = (one for one in schema["$defs"].values() if "enum" in one)
    next(listed)["enum"].pop()


def a_word_more(schema: dict[str, Any]) -> None:
    listed = (one for one in schema["$defs"].values() if "enum" in one)
    next(listed)["enum"].append("yet-another")


def part(schema: dict[str, Any], word: str) -> Any:
    data = {"InstructionData", "FullReceiptData"} & set(schema["$defs"])
    return schema["$defs"][data.pop()][word]


BOTH = {"instruction", "callback"}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (removed, BOTH),
        (of_another_type, BOTH),
        (a_word_less, BOTH),
        (newly_required, {"callback"}),
        (no_longer_required, {"instruction"}),
        (shorter, {"callback"}),
        (longer, {"instruction"}),
        (optional_and_new, set()),
        (a_word_more, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_comparison_tells_what_breaks_a_promise(change: Any, broken: set[str]) -> None:
    """What we say may not become less, what we take may not become more."""
    for name in BOTH:
        changed = copy.deepcopy(promised(name))
        change(changed)

        assert bool(complaints(promised(name), changed, speaker(name))) is (name in broken)
