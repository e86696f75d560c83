"""Nothing that names or numbers a person fits where a receipt wants a code (Art. 5(1)(c), 25)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.contract.messages import FullAnswer, Treated
from tests.support.contract import validator

RECEIPT = "0d9ab0f2-3fb8-5a7c-9e5e-0d4c4b3a2f10"
PERSONAL = [
    "01018012345",
    "p-01018012345",
    "010180-12345",
    "x-0101-8012-345",
    "kari.nordmann",
    "Kari-Nordmann",
    "kari@post.example",
    "+4799999999",
    "a/b",
    "a:b",
    "kari nordmann",
    "order-12345",
    "code\n",
    "",
    "a" * 61,
]
LIKE_A_LAW = {"kari.nordmann", "a" * 61}
"""They have the form of a law's id, and the list of grounds refuses them."""
CODES = ["two-customers", "unknown-verb", "open_ticket", "http-503", "paid", "gdpr-art17"]


def answer(place: str, word: str) -> dict[str, Any]:
    record: dict[str, Any] = {"record": RECEIPT, "outcome": "residual"}
    said: dict[str, Any] = {"receipt": RECEIPT, "outcome": "done", "records": [record]}
    found = {"key": "1", "kind": "order", "matched_by": "email", "flags": [word]}
    match place:
        case "reason":
            said["reason"] = word
        case "detail" | "ground":
            record[place] = word
        case "flags":
            said["found"] = [found]
        case _:
            record["residuals"] = [{"what": "log", "why": "vendor", place: word}]
    return said


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (place, word)
        for place in ("reason", "detail", "what", "why", "flags", "ground")
        for word in PERSONAL
        if place != "ground" or word not in LIKE_A_LAW
    ],
)
def test_what_may_be_about_somebody_is_no_code(place: str, word: str) -> None:
    said = answer(place, word)

    with pytest.raises(ValidationError) as refused:
        FullAnswer.model_validate(said)

    assert refused.value.error_count() == 1
    if place != "ground":
        assert "such as two-customers" in refused.value.errors()[0]["msg"]
        assert word.strip() == "" or word not in refused.value.errors()[0]["msg"]
    if not word.endswith("\n"):  # Python's own reading of `$`, which other readers do not share
        assert list(validator("answer").iter_errors(said))


@pytest.mark.parametrize("word", CODES)
def test_a_code_of_words_is_taken_and_the_schema_says_the_same(word: str) -> None:
    said = answer("reason", word)

    assert FullAnswer.model_validate(said).reason == word
    assert not list(validator("answer").iter_errors(said))


def test_a_ground_has_the_form_of_a_laws_id() -> None:
    said = {"record": RECEIPT, "outcome": "kept", "ground": "no.bokforing.primary"}

    assert Treated.model_validate(said).ground == "no.bokforing.primary"
