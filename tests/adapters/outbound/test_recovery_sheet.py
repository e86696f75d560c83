"""A master key on paper comes back from it, or says in which line it was mistyped."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.master_keys import MasterKey
from adapters.outbound.recovery_sheet import NotOnTheSheet, groups, part, read, sheet

KEY = MasterKey(bytes(range(7, 39)))
ON = date(2026, 11, 22)
keys = st.binary(min_size=32, max_size=32).map(MasterKey)


@given(keys)
def test_what_is_printed_is_read_again(key: MasterKey) -> None:
    page = sheet(key, installation="privacy.organisation.example", on=ON)

    assert read(page) == key
    assert read("\n".join(f"{n}. {g.lower()}" for n, g in enumerate(groups(key), 1))) == key


def test_the_sheet_of_a_key_stays_what_it_was() -> None:
    """Paper from years ago must still be read: this form is kept for ever."""
    assert groups(KEY) == [
        "0W40 J2P9",
        "1C60 T3JH",
        "1W81 24PW",
        "2CA1 A5N3",
        "2WC1 J6MD",
        "3CE1 T7QK",
        "3WG2 28GB",
        "4CJ2 A9MC",
    ]


def test_the_sheet_says_what_it_is_and_what_to_do() -> None:
    page = sheet(KEY, installation="privacy.organisation.example", on=ON)

    for words in ("privacy.organisation.example", "2026-11-22", KEY.id, "trettio key recover"):
        assert words in page
    assert all(len(line) <= 80 for line in page.splitlines())


def test_almost_every_wrong_letter_is_noticed() -> None:
    unnoticed = tried = 0
    for number, group in enumerate(groups(KEY), 1):
        right = group.replace(" ", "")
        for place in range(8):
            for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
                typed = right[:place] + letter + right[place + 1 :]
                if typed != right:
                    tried += 1
                    try:
                        part(number, typed)
                    except NotOnTheSheet:
                        continue
                    unnoticed += 1
    assert tried == 8 * 8 * 31
    assert unnoticed < tried / 100


def test_swapped_groups_are_noticed() -> None:
    first, second = groups(KEY)[:2]

    with pytest.raises(NotOnTheSheet, match="group 1 is not right"):
        part(1, second)
    with pytest.raises(NotOnTheSheet, match="group 2 is not right"):
        part(2, first)


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCD EFGU", "ABCD EFG!", "ABCD EFGHJ"])
def test_what_is_no_group_is_told(typed: str) -> None:
    with pytest.raises(NotOnTheSheet, match="group 5 has eight letters and digits"):
        part(5, typed)


def test_letters_that_look_alike_are_one() -> None:
    key = MasterKey(bytes(32))
    group = groups(key)[0]
    assert "0" in group

    assert part(1, group.replace("0", "o")) == part(1, group.replace("1", "l")) == bytes(4)


def test_a_missing_group_is_told() -> None:
    page = sheet(KEY, installation="x", on=ON)
    torn = re.sub(r"^ +4 .*\n", "", page, flags=re.MULTILINE)

    with pytest.raises(NotOnTheSheet, match="group 4 is missing"):
        read(torn)
