"""Our codes in the words of the W3C Data Privacy Vocabulary (DPV 2), so that programs read them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path


def prefixes() -> Mapping[str, str]:
    return _tables()["prefixes"]


def term(table: str, code: str) -> str | None:
    """The full IRI for a code; None where the vocabulary has no term that means the same."""
    short = _tables()[table].get(code, "")
    prefix, _, name = short.partition(":")
    return f"{prefixes()[prefix]}{name}" if name else None


def terms() -> Mapping[str, Mapping[str, str | None]]:
    """Every code that is mapped, by its table."""
    return {
        table: {code: term(table, code) for code in codes}
        for table, codes in _tables().items()
        if table != "prefixes"
    }


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    tables: Mapping[str, Mapping[str, str]] = tomllib.loads(
        Path(__file__).with_name("dpv.toml").read_text("utf-8")
    )
    return tables
