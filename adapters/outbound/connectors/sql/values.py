"""A database's values: as plain JSON for the person's copy, as days, as facts, as keys."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from hashlib import sha256
from hmac import new as hmac

from adapters.outbound.answers import civil_date
from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.sql.catalogue import Column, Sort
from adapters.outbound.connectors.sql.mapping import Digest, Flag, Null, Write
from services.national_numbers import mask_national_numbers
from services.ports import Refused

MASKED = "***"
LARGEST_WHOLE = 2**53


def plain(value: object) -> object:
    """A value as JSON holds it; what JSON has not becomes text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < LARGEST_WHOLE else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date):  # a moment, too
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = ""
        return text if text.isprintable() and text else b64encode(raw).decode()
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return str(value)


def read_bit(column: Column, value: object) -> object:
    if column.sort is Sort.BIT and isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return value


def without_strangers(value: object, keep: Sequence[str]) -> object:
    """The same without national numbers other than those to keep (law E-10)."""
    if isinstance(value, str):
        return mask_national_numbers(value, keep=keep)
    if isinstance(value, Mapping):
        return {name: without_strangers(inner, keep) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_strangers(inner, keep) for inner in value]
    return value


def day(value: object) -> date | None:
    """The day of an anchor; nothing where the column holds nothing that is one."""
    if isinstance(value, datetime):
        return civil_date(value) if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip()[:10])
        except ValueError:
            return None
    return None


def moment(value: object) -> datetime | None:
    """When a row came; of a day without a time its end, for whoever came back on it stays."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.max, UTC)
    return None


def is_so(flag: Flag, value: object, now: datetime) -> bool:
    """Whether every comparison of a flag holds."""
    tests = []
    if flag.empty is not None:
        tests.append((value is None or value == "") is flag.empty)
    if flag.is_ is not None:
        tests.append(any(_equal(value, one) for one in flag.is_))
    if flag.is_not is not None:
        tests.append(not any(_equal(value, one) for one in flag.is_not))
    for bound, more in ((flag.more_than, True), (flag.less_than, False)):
        if bound is not None:
            number = _number(value)
            tests.append(number is not None and (number > bound if more else number < bound))
    if flag.future is not None:
        tests.append(_is_future(value, now) is flag.future)
    return all(tests)


def _equal(value: object, said: object) -> bool:
    if isinstance(said, bool):
        return isinstance(value, bool | int | Decimal) and bool(value) is said
    if isinstance(said, int | float):
        return _number(value) == said
    if isinstance(said, str) and isinstance(value, str):
        return value.strip().casefold() == said.strip().casefold()
    return value == said


def _number(value: object) -> float | int | Decimal | None:
    if isinstance(value, int | float | Decimal):
        return value
    try:
        return Decimal(value.strip()) if isinstance(value, str) else None
    except ArithmeticError:
        return None


def _is_future(value: object, now: datetime) -> bool:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)) > now
    held = day(value)
    return held is not None and held > civil_date(now)


# Keys

_BYTES = "hex:"


def key_of(values: Sequence[object]) -> str:
    """A row's key as text, from which `values_of` makes the same values again."""
    parts = [
        {_BYTES: bytes(value).hex()} if isinstance(value, bytes | bytearray) else _key_part(value)
        for value in values
    ]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _key_part(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)


def values_of(key: str, columns: Sequence[str]) -> tuple[object, ...]:
    try:
        parts = json.loads(key)
        values = tuple(
            bytes.fromhex(part[_BYTES]) if isinstance(part, dict) else part for part in parts
        )
    except (ValueError, TypeError, KeyError):
        values = ()
    if len(values) != len(columns) or not all(isinstance(v, int | str | bytes) for v in values):
        raise Refused("the record's key is none of this system's, or its table has another key now")
    return values


# What anonymising writes


def written(write: Write, value: object, secret: bytes | None, place: str) -> object:
    """What to put where `value` stands; what was put there before stays as it is."""
    if isinstance(write, Null):
        return None
    if not isinstance(write, Digest):
        return write
    if value is None:
        return None
    if secret is None:
        raise Misconfigured(
            "sql needs 'digest_key' for a digest: 32 characters or more, in the environment"
        )
    text = str(plain(value))
    inner = text[len(write.before) : len(text) - len(write.after)]
    if text == f"{write.before}{inner}{write.after}" and _is_digest(inner, write.digest):
        return text
    made = hmac(secret, f"{place}\n{text}".encode(), sha256).hexdigest()[: write.digest]
    return f"{write.before}{made}{write.after}"


def _is_digest(text: str, length: int) -> bool:
    return len(text) == length and not set(text) - set("0123456789abcdef")
