"""Every code that an evidence pack may name has its term in DPV, or is said to have none."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import domain
from domain.vocabulary import (
    CoverReason,
    Decision,
    ErasureGround,
    ExtensionReason,
    Outcome,
    PauseReason,
    RefusalGround,
    Right,
)
from services import dpv

DOMAIN = Path(str(domain.__file__)).parent


def _in(file: str, table: str) -> set[str]:
    return set(tomllib.loads((DOMAIN / file).read_text("utf-8"))[table])


CODES = {
    "right": {one.value for one in Right},
    "outcome": {one.value for one in Outcome},
    "decision": {one.value for one in Decision},
    "erasure-ground": {one.value for one in ErasureGround},
    "refusal-ground": {one.value for one in RefusalGround},
    "extension-reason": {one.value for one in ExtensionReason},
    "cover-reason": {one.value for one in CoverReason},
    "pause-reason": {one.value for one in PauseReason},
    "ground": _in("grounds.toml", "grounds"),
    "explanation": _in("grounds.toml", "explanations"),
    "refusal-reason": _in("refusals.toml", "refusals"),
}


def test_no_table_of_codes_is_forgotten() -> None:
    assert dpv.terms().keys() == CODES.keys()


@pytest.mark.parametrize("table", CODES)
def test_every_code_is_mapped_or_said_to_have_no_term(table: str) -> None:
    assert dpv.terms()[table].keys() == CODES[table]


def test_terms_are_whole_addresses() -> None:
    assert dpv.term("right", "erasure") == "https://w3id.org/dpv/legal/eu/gdpr#A17"
    assert dpv.term("outcome", "manual") is None
