"""A policy's file is read whatever its form, and what is written of it is what a profile takes."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.policy_files import MOST_BYTES, as_toml, text_of
from domain.policy import Observation
from domain.vocabulary import Country, Language
from services.policy_reading import NotReadable, Reading, read_policy
from tests.support.published import FJORDLYST

ON = date(2026, 11, 22)
WORDS = "Vi svarer på krav innen 30 dager.\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("policy.txt", WORDS.encode()),
        ("policy.md", b"\xef\xbb\xbf" + WORDS.encode()),
        ("policy.txt", WORDS.encode("utf-16")),
        ("policy.txt", WORDS.encode("cp1252")),
        ("policy.txt", WORDS.replace("\n", "\r\n").encode()),
        ("policy.html", f"<p>{WORDS}</p>".encode()),
        ("policy.txt", f"<!DOCTYPE html><body><script>x</script>{WORDS}".encode()),
    ],
)
def test_one_policy_in_many_forms_is_one_text(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert text_of(path).strip() == WORDS.strip()


@pytest.mark.parametrize("content", [b"%PDF-1.7\x00\x01\x02", b"\x7fELF\x02\x01", b"PK\x03\x04"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.txt"
    path.write_bytes(content)

    with pytest.raises(NotReadable, match="save the policy as plain text"):
        text_of(path)


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)

    with pytest.raises(NotReadable, match="cut out the policy"):
        text_of(large)
    with pytest.raises(NotReadable, match="cannot be read"):
        text_of(tmp_path / "missing.txt")


def test_what_is_written_is_what_was_read() -> None:
    reading = read_policy(text_of(FJORDLYST), read_on=ON)

    written = tomllib.loads(as_toml(reading))["observations"]

    assert [Observation(**{**one, "read_on": ON}) for one in written] == list(reading.observations)


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=60))
def test_any_quote_can_be_written(quote: str) -> None:
    one = Observation("o-1", quote, 1, ON, "page", value=quote)
    reading = Reading(Language.EN, Country.NO, (one,))

    assert tomllib.loads(as_toml(reading))["observations"][0]["quote"] == quote


def test_a_policy_that_says_nothing_is_written_too() -> None:
    assert as_toml(Reading(Language.EN, Country.NO, ())).startswith("# What a policy says")
