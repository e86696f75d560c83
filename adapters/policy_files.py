"""A policy as a file: read whatever its form, and its observations written as a profile has them.

Text, Markdown and HTML, in the encodings that are met; what is no text is refused with one line.
What is written can be put into a profile as it is, and is read back to see that it can.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from adapters.inbound.html_text import text_from_html
from domain.policy import Observation
from services.policy_reading import MOST_CHARACTERS, NotReadable, Reading

MOST_BYTES = 8 * MOST_CHARACTERS
_MARKUP = re.compile(r"<(?:!doctype html|html|body|p|div|h[1-6]|br)\b", re.IGNORECASE)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BROWSER = re.compile(r"\A.{0,200}<", re.DOTALL)


class _Observations(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    observations: tuple[Observation, ...]


def text_of(path: Path) -> str:
    """The words of a policy's file."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NotReadable(f"cannot be read: {error.strerror or 'unknown reason'}") from None
    if len(content) > MOST_BYTES:
        raise NotReadable(f"is larger than {MOST_BYTES:,} bytes: cut out the policy itself")
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    if _BINARY.search(text):
        raise NotReadable("is no text: save the policy as plain text, Markdown or HTML")
    if path.suffix.casefold() in {".html", ".htm"} or (
        _BROWSER.match(text) and _MARKUP.search(text[:2_000])
    ):
        return text_from_html(text)
    return text


def as_toml(reading: Reading) -> str:
    """The observations as a profile has them, proven by being read again."""
    head = (
        f"# What a policy says, word for word; {len(reading.observations)} quotes in "
        f"{reading.language.value}.\n# Put them into a profile, and take out what is of no use.\n"
    )
    text = head + "".join(map(_entry, reading.observations))
    _Observations.model_validate_json(json.dumps(tomllib.loads(text) or {"observations": []}))
    return text


def as_plain(observation: Observation) -> dict[str, object]:
    """One observation as JSON has it."""
    return {
        "id": observation.id,
        "topic": observation.topic,
        "quote": observation.quote,
        "line": observation.line,
        "read_on": observation.read_on.isoformat(),
        "value": observation.value,
        "offset": observation.offset,
        "article": observation.article,
    }


def _entry(observation: Observation) -> str:
    facts = {key: value for key, value in as_plain(observation).items() if value is not None}
    return "\n[[observations]]\n" + "".join(f"{key} = {_value(v)}\n" for key, v in facts.items())


def _value(value: object) -> str:
    # A JSON string is a TOML one, except for what JSON leaves as it is and TOML does not.
    written = json.dumps(value, ensure_ascii=False)
    return re.sub("[\x7f-\x9f]", lambda odd: f"\\u{ord(odd[0]):04x}", written)


def _decoded(content: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
    return content.decode("cp1252", errors="replace")
