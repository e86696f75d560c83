"""Compares a schema with an earlier one: what would no longer fit whoever relies on that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]

_EXACT = ("type", "const", "format", "pattern")
_AT_LEAST = ("minimum", "minLength", "minItems")
_AT_MOST = ("maximum", "maxLength", "maxItems")


class Speaker(Enum):
    """Who writes what the schema describes: the other side must be able to go on as it is."""

    WE = "we"
    THEY = "they"


def complaints(earlier: Schema, now: Schema, speaker: Speaker) -> list[str]:
    """Every way in which `now` breaks the promise that `earlier` made; empty for additions."""
    return list(_compare(earlier, now, "$", speaker, earlier, now))


def _compare(
    earlier: Schema,
    now: Schema,
    at: str,
    speaker: Speaker,
    whole_earlier: Schema,
    whole_now: Schema,
) -> Iterator[str]:
    earlier, now = _followed(earlier, whole_earlier), _followed(now, whole_now)
    for word in _EXACT:
        if earlier.get(word) != now.get(word):
            yield f"{at}: {word} was {earlier.get(word)!r} and is {now.get(word)!r}"
    yield from _bounds(earlier, now, at, speaker)
    lost = set(earlier.get("enum", ())) - set(now.get("enum", ()))
    if lost or ("enum" in now and "enum" not in earlier):
        yield f"{at}: {sorted(lost)} may not be said any more"
    before, after = set(earlier.get("required", ())), set(now.get("required", ()))
    if speaker is Speaker.WE and before - after:
        yield f"{at}: {sorted(before - after)} may be missing now"
    if speaker is Speaker.THEY and after - before:
        yield f"{at}: {sorted(after - before)} are asked for now"
    for name, part in earlier.get("properties", {}).items():
        if name not in now.get("properties", {}):
            yield f"{at}.{name}: is gone"
            continue
        there = now["properties"][name]
        yield from _compare(part, there, f"{at}.{name}", speaker, whole_earlier, whole_now)
    if isinstance(earlier.get("items"), Mapping):
        items = now.get("items", {})
        yield from _compare(earlier["items"], items, f"{at}[]", speaker, whole_earlier, whole_now)


def _bounds(earlier: Schema, now: Schema, at: str, speaker: Speaker) -> Iterator[str]:
    """What we say may only become narrower, what we take only wider."""
    for words, sign in ((_AT_LEAST, 1), (_AT_MOST, -1)):
        for word in words:
            unlimited = float("-inf") * sign
            tightened = sign * (now.get(word, unlimited) - earlier.get(word, unlimited))
            if earlier.get(word) != now.get(word) and (tightened > 0) is (speaker is Speaker.THEY):
                yield f"{at}: {word} was {earlier.get(word)} and is {now.get(word)}"


def _followed(part: Schema, whole: Schema) -> Schema:
    if "$ref" not in part:
        return part
    found: Schema = whole
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found
