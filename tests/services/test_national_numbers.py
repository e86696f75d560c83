"""National numbers are matched and dropped, and masked wherever they turn up (law E-10)."""

from __future__ import annotations

import pytest

from services.national_numbers import mask_national_numbers


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Født 01817499100.", "Født 018174*****."),
        ("018174 99100", "018174 *****"),
        ("D-nummer 41810120035", "D-nummer 418101*****"),
        ("f-01817499100.pdf", "f-018174*****.pdf"),
        ("pnr 811228-9874", "pnr 811228-****"),
        ("198112289874", "19811228****"),
        ("samordning 19811288-9871", "samordning 19811288-****"),
        ("(01817499100,01817499291)", "(018174*****,018174*****)"),
    ],
)
def test_a_number_is_recognised_in_free_text(text: str, masked: str) -> None:
    """E-10, MU-05: also in file names, also D-numbers and co-ordination numbers."""
    assert mask_national_numbers(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "01817499101",
        "98765432109",
        "order 8112289874",
        "+47 400 00 000",
        "70a01817499100b",
        "201817499100",
        "811328-9874",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    """E-10."""
    assert mask_national_numbers(text) == text


def test_the_persons_own_number_stays_however_it_is_written() -> None:
    """E-10: given in the person's own copy."""
    kept = mask_national_numbers("811228-9874, 01817499100", keep=["19811228 9874"])
    assert kept == "811228-9874, 018174*****"
