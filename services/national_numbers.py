"""National numbers in text: found by their check digits, masked when they are not asked for.

Match and drop (law E-10): a number is given in the person's own copy where the controller holds
it, and nowhere else. D-numbers, H-numbers, co-ordination numbers and synthetic ones count too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_CANDIDATE = re.compile(
    r"(?<![0-9A-Za-z])(?:\d{6}[ -]?\d{5}|(?:19|20)\d{6}[ +-]?\d{4}|\d{6}[+-]\d{4})(?![0-9A-Za-z])"
)
"""Ten bare digits are left alone: too many telephone and order numbers look like a Swedish one."""


def mask_national_numbers(text: str, *, keep: Iterable[str] = ()) -> str:
    """The text with every national number but the kept ones reduced to its first six digits."""
    kept = {_essential(number) for number in keep}

    def mask(found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found[0])
        if not _is_national(digits) or _essential(found[0]) in kept:
            return found[0]
        hidden = _NORWEGIAN - 6 if len(digits) == _NORWEGIAN else 4
        # As long as it was: what points into the text goes on pointing at the same words.
        return found[0][:-hidden] + "*" * hidden

    return _CANDIDATE.sub(mask, text)


def national_numbers_in(text: str) -> tuple[str, ...]:
    """Every national number of a text, each once, as it is written."""
    found = (candidate[0] for candidate in _CANDIDATE.finditer(text))
    national = [one for one in found if _is_national(re.sub(r"\D", "", one))]
    return tuple({_essential(one): one for one in national}.values())


_NORWEGIAN = 11


def _essential(number: str) -> str:
    """Digits without the century that some Swedish forms carry."""
    digits = re.sub(r"\D", "", number)
    return digits[2:] if len(digits) == len("198001019999") else digits


def _is_national(digits: str) -> bool:
    return _is_norwegian(digits) if len(digits) == _NORWEGIAN else _is_swedish(digits)


def _is_norwegian(digits: str) -> bool:
    day, month = int(digits[:2]), int(digits[2:4])
    # D-numbers add 40 to the day; H-numbers and synthetic ones add 40, 65 or 80 to the month.
    if not 1 <= day % 40 <= 31 or not any(1 <= month - extra <= 12 for extra in (0, 40, 65, 80)):
        return False
    numbers = [int(d) for d in digits]
    first = sum(w * n for w, n in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), numbers, strict=False))
    second = sum(w * n for w, n in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), numbers, strict=True))
    # Numbers given out from 2032 on may leave any of four remainders at the first check digit.
    return first % 11 in {0, 1, 2, 3} and second % 11 == 0


def _is_swedish(digits: str) -> bool:
    ten = digits[-10:]
    month, day = int(ten[2:4]), int(ten[4:6])
    if not 1 <= month <= 12 or not (1 <= day <= 31 or 61 <= day <= 91):
        return False
    doubled = (int(d) * (2 - i % 2) for i, d in enumerate(ten))
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0
