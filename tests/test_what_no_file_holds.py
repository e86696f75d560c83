"""What stands in no file: anybody's national number, and words that promise too much.

Names of organisations and mailboxes of people are looked for in tests/adapters/test_profiles.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("domain", "services", "projections", "adapters", "tests", "deploy")
TEXTS = {
    ".py",
    ".toml",
    ".html",
    ".css",
    ".txt",
    ".json",
    ".md",
    ".sql",
    ".eml",
    ".example",
    ".svg",
}


@cache
def files() -> tuple[Path, ...]:
    inside = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    found = [path for path in inside if path.suffix in TEXTS and "__pycache__" not in path.parts]
    return (*sorted(found), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "pyproject.toml")


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


# National numbers, by an algorithm of its own


NORWEGIAN = re.compile(r"(?<![\w.,-])(\d{6})[ -]?(\d{5})(?![\w-]|[.,]\d)")
SWEDISH = re.compile(
    r"(?<![\w.,-])(?:(?:19|20)?(\d{6})[+-](\d{4})|(?:19|20)(\d{6})(\d{4}))(?![\w-])"
)

SYNTHETIC_MONTH, CO_ORDINATION_DAY, D_DAY = 80, 60, 40
OFFICIAL_SERIES = ("98", "238", "239")
"""The Swedish tax agency's numbers for tests have birth numbers that it gives to nobody else."""


def real_numbers(text: str) -> Iterator[str]:
    """Valid numbers that could be somebody's: neither synthetic nor of an official series."""
    for six, five in NORWEGIAN.findall(text):
        if is_norwegian(six + five) and not is_synthetic(six):
            yield six + five
    for dashed, end, bare, bare_end in SWEDISH.findall(text):
        six, four = dashed or bare, end or bare_end
        if is_swedish(six + four) and not four.startswith(OFFICIAL_SERIES):
            yield f"{six}-{four}"


def is_synthetic(six: str) -> bool:
    return SYNTHETIC_MONTH < int(six[2:4]) <= SYNTHETIC_MONTH + 12


def is_norwegian(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    if not is_day(day - D_DAY if day > D_DAY else day, month % 40 if month > 40 else month):
        return False
    return not any(
        sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False)) % 11
        for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    )


def is_swedish(digits: str) -> bool:
    month, day = int(digits[2:4]), int(digits[4:6])
    doubled = "".join(str(int(d) * (1 + (n % 2 == 0))) for n, d in enumerate(digits))
    return is_day(day % CO_ORDINATION_DAY, month) and sum(map(int, doubled)) % 10 == 0


def is_day(day: int, month: int) -> bool:
    try:
        date(2024, month, day)  # a leap year: every day that there is
    except ValueError:
        return False
    return True


def test_no_file_holds_a_national_number_that_could_be_somebodys() -> None:
    """E-02: only synthetic Norwegian numbers and the Swedish official ones."""
    found = {
        f"{path.relative_to(ROOT)}: {number}"
        for path in files()
        for number in real_numbers(text_of(path))
    }

    assert found == set()


@pytest.mark.parametrize("six", ["010190", "410190", "014190", "290200"])
def test_the_search_knows_a_norwegian_number_when_it_sees_one(six: str) -> None:
    """E-02: an ordinary number, a D-number, an H-number, a leap day; and the synthetic twin."""
    number = next(n for n in (f"{six}{n:05}" for n in range(100_000)) if is_norwegian(n))
    twin = f"{six[:2]}{int(six[2:4]) % 40 + 80}{six[4:]}"
    synthetic = next(n for n in (f"{twin}{n:05}" for n in range(100_000)) if is_norwegian(n))

    assert list(real_numbers(f"født {number[:6]} {number[6:]}.")) == [number]
    assert list(real_numbers(f"født {number}, {number[:-1]}")) == [number]
    assert list(real_numbers(f"født {synthetic}")) == []


@pytest.mark.parametrize("six", ["900101", "900161", "000229"])
def test_the_search_knows_a_swedish_number_when_it_sees_one(six: str) -> None:
    """E-02: an ordinary number, a co-ordination number, a leap day; and an official test number."""
    number = next(n for n in (f"{six}{n:04}" for n in range(1_000)) if is_swedish(n))
    official = next(n for n in (f"{six}98{n:02}" for n in range(100)) if is_swedish(n))

    for written in (
        f"19{number}",
        f"19{six}-{number[6:]}",
        f"{six}-{number[6:]}",
        f"{six}+{number[6:]}",
    ):
        assert list(real_numbers(f"pnr {written}.")) == [f"{six}-{number[6:]}"]
    assert list(real_numbers(f"pnr {six}-{official[6:]}")) == []


# Addresses


ADDRESS = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
NOBODYS = (".example", ".test", ".invalid", ".localhost")
"""Domains that are nobody's and never will be (RFC 2606), beside addresses for documentation."""


def test_no_file_holds_an_address_at_which_somebody_could_be_written_to() -> None:
    """E-02, E-01: but for the mailboxes that published policies name, in their profiles."""
    found = {
        f"{path.relative_to(ROOT)}: {domain}"
        for path in files()
        if path.parent.name != "profiles"
        for domain in ADDRESS.findall(text_of(path))
        if not domain.casefold().endswith(NOBODYS) and not domain.startswith("192.0.2.")
    }

    assert found == set()


# Words


NEVER = re.compile(
    r"\b(?:gdpr[- ]?compliant|tamper[- ]?proof|bank[- ]?grade|guaranteed erasure|"
    r"garantert sletting|garanterad radering|military[- ]?grade)\b",
    re.IGNORECASE,
)
ANONYMOUS = re.compile(r"\banonym(?:ous|ously|t|e|a)?\b", re.IGNORECASE)
SHOWN = (
    "adapters/inbound/web/texts",
    "adapters/inbound/web/templates",
    "services/letter_texts",
    "services/package_texts",
    "services/templates",
    "domain/explanations",
)


def test_words_that_promise_too_much_stand_nowhere() -> None:
    """E-17, but for the tests that look for them."""
    guilty = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files()
        if path.relative_to(ROOT).parts[0] != "tests"
        for word in NEVER.findall(text_of(path))
    ]

    assert guilty == []


def test_nobody_is_told_that_anything_is_anonymous() -> None:
    """E-17: what has lost its name is pseudonymous, or the person was taken out of it."""
    guilty = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files()
        if str(path.relative_to(ROOT)).startswith(SHOWN)
        for word in ANONYMOUS.findall(text_of(path))
    ]

    assert guilty == []


def test_the_search_goes_through_the_whole_project() -> None:
    names = {str(path.relative_to(ROOT)) for path in files()}

    assert {"README.md", "domain/request.py", "services/letter_texts/nb.toml"} <= names
    assert all(any(name.startswith(place) for name in names) for place in SHOWN)


# Telephone numbers


SWEDISH_PHONE = re.compile(
    r"(?<![\w.-])(?:\+46|0046)[ ()0-9-]{6,18}\d|(?<![\w.+/-])0\d{1,3}-\d[\d ]{4,9}\d"
)
NORWEGIAN_PHONE = re.compile(
    r"(?<![\w.-])(?:\+47|0047)[ 0-9]{7,11}\d(?!\d)"
    r"|(?<![\w.,:/+-] )(?<![\w.,:/+-])[2-9]\d(?: \d\d){3}(?![\w]| \d)"
    r"|(?<![\w.,:/+-])[49]\d\d \d\d \d{3}(?![\w]| \d)"
)
SWEDISH_FICTION = (
    range(313900600, 313900700),
    range(406280400, 406280500),
    range(846500400, 846500500),
    range(980319200, 980319300),
    range(701740605, 701740700),
)
"""What the Swedish authority for telephony keeps for films and books: nobody ever gets them."""

MADE_UP = re.compile(r"0{4}|55500|9{6}|123456")
"""Norway keeps none for that, so what is made up has to look so."""

PUBLISHED = "domain/profiles/"
"""The numbers that living organisations publish for everybody."""


def real_phones(text: str) -> Iterator[str]:
    for found in SWEDISH_PHONE.findall(text):
        digits = re.sub(r"^(?:\+46|0046)|\(0\)|\D", "", found).lstrip("0")
        is_fiction = any(int(digits or 0) in series for series in SWEDISH_FICTION)
        if 7 <= len(digits) <= 9 and not is_fiction and not MADE_UP.search(digits):
            yield found
    for found in NORWEGIAN_PHONE.findall(text):
        digits = re.sub(r"^(?:\+47|0047)|\D", "", found)
        if len(digits) == 8 and not MADE_UP.search(digits):
            yield found


def test_no_file_has_a_telephone_number_that_could_ring() -> None:
    """E-02: Swedish ones are of the series for fiction; Norwegian ones are seen to be made up."""
    found = {
        (str(path.relative_to(ROOT)), number)
        for path in files()
        if not str(path.relative_to(ROOT)).startswith(PUBLISHED)
        for number in real_phones(text_of(path))
    }

    assert found == set()


def test_the_search_for_telephone_numbers_finds_them() -> None:
    """E-02: it is no good if it finds nothing anywhere."""
    swedish, norwegian = "+46 70-17" + "4 07 00", "+47 91" + " 23 87 65"

    assert list(real_phones(f"{swedish} {norwegian}")) == [swedish, norwegian]
    assert list(real_phones("Ring +46 70-174 06 99, 0701-74 06 05 eller 21 55 50 00")) == []
    assert list(real_phones("031-39" + "0 07 00")) == ["031-39" + "0 07 00"]
