"""The published schemas are what the models say."""

from __future__ import annotations

import pytest

from adapters.contract import schemas
from tests.support.processes import ROOT

PUBLISHED = ROOT / "deploy" / "contract"


@pytest.mark.parametrize("name", sorted(schemas.PUBLISHED))
def test_a_published_schema_is_what_the_model_says(name: str) -> None:
    written = (PUBLISHED / schemas.file_name(name)).read_text(encoding="utf-8")

    assert written == schemas.text(name), "run: python -m adapters.contract.schemas deploy/contract"


def test_no_schema_is_published_that_no_model_has() -> None:
    there = {path.name for path in PUBLISHED.glob("*.schema.json")}

    assert there == {schemas.file_name(name) for name in schemas.PUBLISHED}
