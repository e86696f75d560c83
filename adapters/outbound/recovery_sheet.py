"""The recovery sheet: a master key on paper, in groups that say themselves when they are mistyped.

Eight groups of eight characters. Each holds four bytes of the key and one that fits only these
four in this place, so a wrong letter is noticed in the line where it is, and swapped lines as well.
"""

from __future__ import annotations

import base64
import hashlib
import re
import textwrap
from datetime import date

from adapters.outbound.master_keys import KEY_BYTES, MasterKey, WrongMasterKey

GROUPS = 8
_PART = KEY_BYTES // GROUPS
# Base32 without the letters that are taken for digits or for each other (after D. Crockford).
_ALPHABET = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)
_BACK = bytes.maketrans(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LINE = re.compile(r"^\s*([1-8])[.:)]?\s+([0-9A-Za-z]{4})[ -]?([0-9A-Za-z]{4})\s*$", re.MULTILINE)


class NotOnTheSheet(WrongMasterKey):
    """What was typed is no group of a recovery sheet, or not the one that was asked for."""


def groups(key: MasterKey) -> list[str]:
    """The lines of the sheet, as they are written on it."""
    return [_group(number, key.key[_PART * number : _PART * (number + 1)]) for number in range(8)]


def part(number: int, typed: str) -> bytes:
    """The bytes of the key that group `number`, from 1, stands for."""
    text = re.sub(r"[\s-]", "", typed).upper().translate(_ALIKE)
    if not re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{8}", text):
        raise NotOnTheSheet(f"group {number} has eight letters and digits, without U: type it anew")
    content = base64.b32decode(text.encode().translate(_BACK))
    if _group(number - 1, content[:_PART]).replace(" ", "") != text:
        raise NotOnTheSheet(f"group {number} is not right: compare it with the sheet, type it anew")
    return content[:_PART]


def read(text: str) -> MasterKey:
    """The key from the eight numbered lines, wherever in the text they stand."""
    typed = {int(number): first + second for number, first, second in _LINE.findall(text)}
    missing = [str(number) for number in range(1, GROUPS + 1) if number not in typed]
    if missing:
        raise NotOnTheSheet(
            f"group {', '.join(missing)} is missing: give all eight lines, each with its number"
        )
    return MasterKey(b"".join(part(number, typed[number]) for number in range(1, GROUPS + 1)))


def sheet(key: MasterKey, *, installation: str, on: date) -> str:
    """The whole page. Whoever holds it and a copy of the database can read everything."""
    lines = "\n".join(f"    {number}  {group}" for number, group in enumerate(groups(key), 1))
    return _SHEET.format(
        installation=installation,
        on=on.isoformat(),
        key_id=key.id,
        lines=lines,
        what=textwrap.fill(_WHAT, 76),
        keep=textwrap.fill(_KEEP, 76),
    )


_WHAT = (
    "This page is the master key of the vault in which Trettio keeps personal data. With it and a"
    " copy of the database everything in the vault can be read. Without it, should the key be lost"
    " where the service runs, nothing in the vault can ever be read again by anybody."
)
_KEEP = (
    "Print it, destroy the file, and lock the paper away: apart from the machine, and apart from"
    " the backups of its database. Two sheets in two places are better than one. When the key has"
    " been replaced, keep the sheet for as long as you keep backups from before."
)
_SHEET = """\
TRETTIO  RECOVERY SHEET

    Installation  {installation}
    Date          {on}
    Key           {key_id}

{lines}

{what}

{keep}

To show that this page can be read:    trettio key confirm
To make the key anew from this page:   trettio key recover FILE
It asks for the eight groups above. Capital and small letters are the same,
there is no letter I, L, O or U, and a group that is mistyped says so.
The key that comes out must be named {key_id}.
"""


def _group(number: int, content: bytes) -> str:
    check = hashlib.sha256(b"trettio recovery sheet" + bytes([number]) + content).digest()[:1]
    text = base64.b32encode(content + check).translate(_ALPHABET).decode()
    return f"{text[:4]} {text[4:]}"
